/** Floods that need no session. § means RFC 7016. */
import type { Socket } from "node:dgram";
import type { Address } from "rtmfp-core";
import {
  ByteWriter,
  type Chunk,
  ChunkType,
  concatBytes,
  decodePacket,
  type IIKeyingChunk,
  type InitiatorKeying,
  type RHelloChunk,
  type RIKeyingChunk,
  SESSION_ID_BYTES,
  writeChunk,
} from "rtmfp-core/proto";
import type { Attack } from "./attacks.ts";
import { EPD, PROFILE, sealStartup, sealWith } from "./seal.ts";
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
  const pool = many(() => sealStartup(keyingFor({ ...hello, cookie: random(64) }).chunk));
  return fromChangingPorts(target, pool);
}

/** Whole handshakes, each from a port of its own, that end with a good IIKeying and nothing after it. */
export async function goodCookies(target: Address): Promise<Attack> {
  return handshakes(target, async (socket, hello, tally) => {
    socket.send(sealStartup(keyingFor(hello).chunk));
    tally.keyings++;
  });
}

/** Handshakes that go on to the first word: one Ping, and the initiator is gone. */
export async function onePing(target: Address): Promise<Attack> {
  return handshakes(target, async (socket, hello, tally) => {
    const { chunk, keying } = keyingFor(hello);
    const answer = answerTo<RIKeyingChunk>(socket, sealStartup(chunk), ChunkType.riKeying, ANSWER_MS);
    tally.keyings++;
    const { responderSessionId, skrc } = await answer;
    const step = keying.complete(skrc.slice());
    const keys = step?.finish(step.job === undefined ? {} : PROFILE.runJob(step.job));
    if (keys === undefined) throw new Error("the target's keying is unfit");
    socket.send(
      sealWith(keys.cipher, responderSessionId, { type: ChunkType.ping, message: new Uint8Array(0) }).slice(),
    );
    tally.spoken++;
  });
}

/** One good IIKeying, again and again. */
export async function replayedKeyings(target: Address): Promise<Attack> {
  const socket = await openSocket(target);
  const datagram = sealStartup(keyingFor(await helloFrom(socket, false)).chunk);
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

/** IIKeyings that went out, and sessions in which something was said. */
interface Tally {
  keyings: number;
  spoken: number;
}

/** Each call of `send` begins a handshake from a fresh port; what counts is the IIKeyings that come of them. */
function handshakes(
  target: Address,
  goOn: (socket: Socket, hello: RHelloChunk, tally: Tally) => Promise<void>,
): Attack {
  const tally: Tally = { keyings: 0, spoken: 0 };
  const shake = async (): Promise<void> => {
    const socket = await openSocket(target);
    try {
      await goOn(socket, await helloFrom(socket, false), tally);
    } catch {
      // Refused, or lost: the target's limits at work.
    }
    // Behind what is being sent.
    setImmediate(() => socket.close());
  };
  return { send: () => void shake(), sent: () => tally.keyings, sessions: () => tally.spoken, end: () => {} };
}

function helloFrom(socket: Socket, patient: boolean): Promise<RHelloChunk> {
  const datagram = sealStartup({ type: ChunkType.iHello, epd: EPD, tag: random(16) });
  return answerTo<RHelloChunk>(socket, datagram, ChunkType.rHello, patient ? 10_000 : ANSWER_MS);
}

/** Sends a startup packet; rejects if it stays without an answer of that kind. */
function answerTo<T extends Chunk>(socket: Socket, datagram: Uint8Array, type: T["type"], ms: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = setTimeout(() => settle(undefined), ms);
    const settle = (answer: T | undefined): void => {
      clearTimeout(giveUp);
      socket.off("message", onMessage);
      if (answer === undefined) reject(new Error("no answer to a startup packet"));
      else resolve(answer);
    };
    const onMessage = (bytes: Uint8Array): void => {
      const packet = PROFILE.startupCipher.open(bytes.subarray(SESSION_ID_BYTES));
      const chunk = packet === undefined ? undefined : decodePacket(packet)?.chunks[0];
      if (chunk?.type === type) settle(chunk as T);
    };
    socket.on("message", onMessage);
    socket.send(datagram);
  });
}

/** An IIKeying as an honest initiator would build it on that RHello, with fresh keys, and what completes it. */
function keyingFor(hello: RHelloChunk): { chunk: IIKeyingChunk; keying: InitiatorKeying } {
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
  return { chunk: { ...unsigned, signature: PROFILE.sign(writer.bytes.slice(3, writer.pos)) }, keying };
}

function random(length: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(length));
}

function many(make: () => Uint8Array): Uint8Array[] {
  return Array.from({ length: POOL }, make);
}

const POOL = 1_024;
const ANSWER_MS = 1_000;
