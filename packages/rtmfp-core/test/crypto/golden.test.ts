/** Sessions recorded from other stacks: every key again from the recorded secrets, every packet to the same bytes. */
import { readFileSync } from "node:fs";
import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { agree, keyPairOf } from "../../src/crypto/dh.ts";
import { parseCertificate } from "../../src/crypto/flash/certificate.ts";
import { parseComponent } from "../../src/crypto/flash/keying-component.ts";
import { sends } from "../../src/crypto/flash/negotiation.ts";
import { createSessionCipher } from "../../src/crypto/flash/packet-cipher.ts";
import { deriveSessionKeys } from "../../src/crypto/flash/session-key.ts";
import { fromHex, toHex } from "../../src/proto/bytes.ts";
import { providers } from "./support.ts";

interface Packet {
  readonly from: "initiator" | "responder";
  readonly sequence: number | null;
  readonly raw: string;
  readonly plaintext: string;
}

type Text = Readonly<
  Record<"source" | "scenario" | "skic" | "skrc" | "dhSecret" | "initiatorKey" | "responderKey", string>
>;
interface Session extends Text {
  readonly group: number;
  readonly dhPrivate: string;
  readonly dhPublic: string;
  readonly farDhPublic: string;
  readonly initiatorCertificate?: string;
  readonly initiatorFingerprint?: string;
  readonly responderCertificate?: string;
  readonly responderFingerprint?: string;
  readonly initiatorNonce?: string;
  readonly responderNonce?: string;
  readonly initiatorHmacKey?: string | null;
  readonly responderHmacKey?: string | null;
  readonly initiatorHmacLength: number;
  readonly responderHmacLength: number;
  readonly initiatorSequence: boolean;
  readonly responderSequence: boolean;
  readonly packets: readonly Packet[];
}

const file = new URL("./golden-sessions.json", import.meta.url);
const sessions: readonly Session[] = JSON.parse(readFileSync(file, "utf8")).sessions;

describe("recorded sessions", () => {
  for (const provider of providers) {
    for (const [index, session] of sessions.entries()) {
      const name = `${index}, ${session.source} ${session.scenario}, by ${provider.name}`;
      const { initiatorHmacLength, responderHmacLength, initiatorSequence, responderSequence } = session;
      const [skic, skrc, dhSecret] = [fromHex(session.skic), fromHex(session.skrc), fromHex(session.dhSecret)];
      const keys = deriveSessionKeys(provider, { dhSecret, nearComponent: skic, farComponent: skrc });

      it(
        ...rfc("R7425-4.6.3-01", "R7425-4.6.4-01", "R7425-4.6.5-01", "R7425-4.6-01"),
        `derive their keys: ${name}`,
        () => {
          expect(toHex(keys.encryptKey)).toBe(session.initiatorKey);
          expect(toHex(keys.decryptKey)).toBe(session.responderKey);
          if (session.initiatorNonce !== undefined) {
            expect(toHex(keys.nearNonce)).toBe(session.initiatorNonce);
            expect(toHex(keys.farNonce)).toBe(session.responderNonce);
          }
          if (session.initiatorHmacKey) {
            expect(toHex(keys.hmacSendKey)).toBe(session.initiatorHmacKey);
            expect(toHex(keys.hmacRecvKey)).toBe(session.responderHmacKey);
          }
        },
      );

      it(
        ...rfc("R7425-4.6.2-03", "R7425-4.6.4-03", "R7425-4.6.6-06"),
        `agree and negotiate as recorded: ${name}`,
        () => {
          const [near, far] = [parseComponent(skic)!, parseComponent(skrc)!];
          expect(sends(near.hmacFlags, far.hmacFlags) ? near.hmacLength : 0).toBe(initiatorHmacLength);
          expect(sends(far.hmacFlags, near.hmacFlags) ? far.hmacLength : 0).toBe(responderHmacLength);
          expect(sends(near.sequenceFlags, far.sequenceFlags)).toBe(initiatorSequence);
          expect(sends(far.sequenceFlags, near.sequenceFlags)).toBe(responderSequence);
          const { group, dhPrivate, dhPublic } = session;
          const pair = keyPairOf(provider, group, fromHex(dhPrivate));
          expect(toHex(pair.publicKey)).toBe(dhPublic);
          const farKey = fromHex(session.farDhPublic);
          expect(toHex(agree(provider, group, pair.privateKey, farKey)!)).toBe(session.dhSecret);
        },
      );

      it(
        ...rfc("R7425-4.7.2-01", "R7425-4.7.2-03", "R7425-4.7.3.2-01"),
        `open and seal to the same bytes: ${name}`,
        () => {
          const lengths = { initiator: initiatorHmacLength, responder: responderHmacLength };
          const sequences = { initiator: initiatorSequence, responder: responderSequence };
          const mirrored = deriveSessionKeys(provider, { dhSecret, nearComponent: skrc, farComponent: skic });
          expect(session.packets.length).toBeGreaterThan(0);
          for (const packet of session.packets) {
            const far = packet.from === "initiator" ? "responder" : "initiator";
            const sender = createSessionCipher(provider, {
              ...(packet.from === "initiator" ? keys : mirrored),
              sendHmacLength: lengths[packet.from],
              sendSequence: sequences[packet.from],
              firstSequence: packet.sequence ?? 0,
            });
            const receiver = createSessionCipher(provider, {
              ...(far === "initiator" ? keys : mirrored),
              recvHmacLength: lengths[packet.from],
              recvSequence: sequences[packet.from],
            });
            const raw = fromHex(packet.raw);
            const opened = receiver.open(raw.subarray(4))!;
            expect(toHex(opened)).toBe(packet.plaintext);
            expect(receiver.lastSequence).toBe(BigInt(packet.sequence ?? 0));
            const buffer = new Uint8Array(20 + opened.length + 48);
            buffer.set(opened, 20);
            const start = 20 - sender.headroom;
            expect(toHex(buffer.subarray(start, sender.seal(buffer, 20, 20 + opened.length)))).toBe(
              packet.raw.slice(8),
            );
          }
        },
      );

      if (session.initiatorCertificate === undefined || session.responderCertificate === undefined) continue;
      const certificates = [session.initiatorCertificate, session.responderCertificate];
      it(...rfc("R7425-4.3.2-01"), `have the recorded fingerprints: ${name}`, () => {
        const ids = certificates.map((certificate) => parseCertificate(provider, fromHex(certificate))?.id);
        expect(ids).toEqual([session.initiatorFingerprint, session.responderFingerprint]);
      });
    }
  }
});
