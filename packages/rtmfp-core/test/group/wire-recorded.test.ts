import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { defaultProvider, hmacSha256 } from "../../src/crypto/index.ts";
import {
  decodeControl,
  decodeFragment,
  decodeMulticast,
  encodeControl,
  encodeFragment,
  encodeMulticast,
  fragmentIdOf,
  GroupFlow,
  groupIdOf,
  groupProof,
  isGroupProof,
} from "../../src/group/index.ts";
import { fromHex, toHex } from "../../src/proto/index.ts";
import { type RecordedMessage, readRecorded } from "./recorded.ts";

const { messages, keys, rejections } = readRecorded();
const provider = defaultProvider();
const hmac = (key: Uint8Array, data: Uint8Array) => hmacSha256(provider, key, data);

/** What a message is, and how it would be written; it fails for what is not read. */
function rewritten({ kind, bytes }: RecordedMessage): { type: string; bytes: Uint8Array } {
  if (kind === GroupFlow.control) {
    const message = decodeControl(bytes);
    if (message !== undefined) return { type: message.type, bytes: encodeControl(message) };
  } else if (kind === GroupFlow.multicastControl) {
    const message = decodeMulticast(bytes);
    if (message !== undefined) return { type: message.type, bytes: encodeMulticast(message) };
  } else if (kind === GroupFlow.multicastData) {
    const fragment = decodeFragment(bytes);
    if (fragment !== undefined) return { type: fragment.kind, bytes: encodeFragment(fragment) };
  }
  throw new Error(`flow ${kind}: ${toHex(bytes)}`);
}

describe("what live members said to each other", () => {
  it(...rfc("G-3", "G-6"), "is read message by message and written to the same bytes", () => {
    const counts: Record<string, number> = {};
    for (const message of messages) {
      const { type, bytes } = rewritten(message);
      expect(toHex(bytes), type).toBe(toHex(message.bytes));
      const name = `${message.kind.toString(16)} ${type}`;
      counts[name] = (counts[name] ?? 0) + 1;
    }
    expect(counts).toEqual({
      "1c connect": 6,
      "1c prelude": 6,
      "1c begin": 6,
      "1c report": 8,
      "11 info": 6,
      "11 map": 27,
      "11 push": 8,
      "11 pull": 55,
      "12 whole": 44,
      "12 start": 19,
      "12 next": 12,
      "12 end": 23,
    });
  });

  it(...rfc("G-3"), "goes over flows that answer the receiver's control flow, and its flow about the stream", () => {
    const opened = new Map<string, number>();
    for (const { isIncoming, port, kind, flowId, answers } of messages) {
      opened.set(`${isIncoming} ${port} ${kind}`, flowId);
      const answered = { [GroupFlow.multicastControl]: GroupFlow.control, [GroupFlow.multicastData]: 0x11 }[kind];
      if (answered === undefined) expect(answers).toBeUndefined();
      else expect(answers).toBe(opened.get(`${!isIncoming} ${port} ${answered}`));
    }
    expect(opened.size).toBe(16);
  });

  it(...rfc("G-3"), "ends with flows that are rejected with code 0", () => {
    expect(rejections.length).toBeGreaterThan(4);
    expect(new Set(rejections)).toEqual(new Set([0]));
  });

  it(...rfc("G-7"), "proves with the groupspec and the session's secrets that they are members", () => {
    const connects = messages.flatMap(({ kind, bytes, ...rest }) => {
      const message = kind === GroupFlow.control ? decodeControl(bytes) : undefined;
      return message?.type === "connect" ? [{ ...rest, ...message }] : [];
    });
    expect(connects).toHaveLength(2 * keys.length);
    for (const { peerId, isIncoming, groupId, proof, target } of connects) {
      const key = keys.find(({ peer }) => peer === peerId);
      if (key === undefined) throw new Error(`no secrets of ${peerId}`);
      // Sessions hand out nonces that are made of the recorded ones so (RFC 7425 §4.6.5).
      const nonce = hmac(fromHex(key.sharedSecret), fromHex(isIncoming ? key.nearNonce : key.farNonce));
      const other = hmac(fromHex(key.sharedSecret), fromHex(isIncoming ? key.farNonce : key.nearNonce));
      expect(toHex(groupProof(key.groupTxt, nonce, hmac))).toBe(toHex(proof));
      expect(isGroupProof(proof, key.groupTxt, nonce, hmac)).toBe(true);
      expect(isGroupProof(proof, key.groupTxt, other, hmac)).toBe(false);
      expect(isGroupProof(proof, `${key.groupTxt}00`, nonce, hmac)).toBe(false);
      expect(isGroupProof(proof.subarray(1), key.groupTxt, nonce, hmac)).toBe(false);
      expect(toHex(groupId)).toBe(toHex(groupIdOf(key.groupTxt, (bytes) => provider.sha256(bytes))));
      expect(target).toBe(isIncoming ? key.myPeerId : peerId);
    }
  });

  it(...rfc("G-3"), "is one stream: fragments with the same identity have the same bytes, whoever sends them", () => {
    const seen = new Map<number, string>();
    for (const { kind, bytes } of messages) {
      if (kind !== GroupFlow.multicastData) continue;
      const id = fragmentIdOf(bytes) as number;
      expect(id).toBe(decodeFragment(bytes)?.id);
      expect(seen.get(id) ?? toHex(bytes)).toBe(toHex(bytes));
      seen.set(id, toHex(bytes));
    }
    expect(seen.size).toBe(79);
  });
});
