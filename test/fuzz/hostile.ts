/** A peer that knows all layers of the protocol and keeps to them as it likes; § means RFC 7425. */
import { type PeerEndpoint, type RecvFlow, RtmfpError, type SendFlow, type Session } from "rtmfp-core";
import {
  AmfError,
  type AmfValue,
  type Command,
  decodeCommand,
  decodeMessage,
  encodeCommand,
  encodeMessage,
  encodeMetadata,
  encodeUserControl,
  MAX_STREAM_ID,
  MessageType,
  type StatusCode,
  statusInfo,
} from "rtmfp-core/tc";
import type { Prng } from "rtmfp-core/testing";
import { anyCommand, anyMedia, anyMessage, anyMetadata, type Vocabulary } from "./messages.ts";
import { anyNumber, pick } from "./packets.ts";

/** Acts by itself when told to, and on what comes. */
export class Hostile {
  readonly endpoint: PeerEndpoint;
  readonly known: Vocabulary;
  /** Messages that it wrote, and those that it read. */
  sent = 0;
  received = 0;
  flows = 0;
  readonly #prng: Prng;
  readonly #sessions = new Set<Session>();
  readonly #returns = new Map<RecvFlow, Map<number, SendFlow>>();
  #out: SendFlow[] = [];
  #in: RecvFlow[] = [];
  /** How often it answers a call as it should. */
  readonly #earnest: number;

  constructor(endpoint: PeerEndpoint, prng: Prng, known: Vocabulary) {
    this.endpoint = endpoint;
    this.known = known;
    this.#prng = prng;
    this.#earnest = pick(prng, [0.3, 0.7, 0.95]);
    endpoint.onSession = (session) => this.adopt(session);
    endpoint.onIntroduction = (introduction) => {
      if (prng.chance(0.5)) introduction.redirect([{ host: "198.51.100.1", port: prng.int(65_536) }]);
      else introduction.ignore();
    };
  }

  /** Takes part in a session; some of the packets that it sends in it are damaged before they are encrypted. */
  adopt(session: Session): void {
    if (this.#sessions.has(session)) return;
    this.#sessions.add(session);
    session.onFlow = (flow) => this.#take(flow);
    session.onClose = () => void this.#sessions.delete(session);
    if (this.#prng.chance(0.5)) session.introductions = pick(this.#prng, ["ignore", "rhello", "redirect"]);
    if (this.#prng.chance(0.4)) damageBeforeEncryption(this.#prng, session);
  }

  /** Begins as a client does: connect, streams, something published or played. */
  greet(session: Session, url: string): void {
    this.#try(() => {
      const flow = this.#open(session, encodeMetadata(0, "sequence"));
      if (this.#prng.chance(0.35)) this.#write(flow, anyCommand(this.#prng, this.known, "connect"));
      const encoding = pick(this.#prng, [0, 3] as const);
      const connect = { app: "app", tcUrl: url, objectEncoding: encoding };
      this.#write(flow, encodeCommand({ name: "connect", transactionId: 1, commandObject: connect, args: [] }));
      for (let i = this.#prng.int(4); i > 0; i--) this.#command(flow, "createStream", 1 + i, []);
    });
  }

  /** One thing out of many. */
  act(): void {
    this.#try(() => this.#act());
  }

  /** Ends everything: in good order, at once, or without a word, what it sends from then on being lost. */
  async end(): Promise<void> {
    if (this.#prng.chance(0.3)) for (const session of this.#sessions) void session.close();
    else if (this.#prng.chance(0.4)) await this.endpoint.carrier.close();
    await this.endpoint.close();
  }

  #act(): void {
    const prng = this.#prng;
    const session = pick(prng, [...this.#sessions]) as Session | undefined;
    const out = pick(prng, this.#out) as SendFlow | undefined;
    const received = pick(prng, this.#in) as RecvFlow | undefined;
    const roll = prng.int(40);
    if (roll < 20) {
      if (out !== undefined) this.#write(out, anyMessage(prng, this.known));
    } else if (roll < 26) {
      if (session !== undefined) this.#openAny(session, received);
    } else if (roll < 28) {
      if (out !== undefined) for (let i = prng.int(300); i > 0; i--) this.#write(out, pick(prng, SMALL));
    } else if (roll < 30) out?.close();
    else if (roll < 32) received?.reject(prng.chance(0.5) ? 0 : anyNumber(prng));
    else if (roll < 34) received?.pause();
    else if (roll < 36) received?.resume();
    else if (roll < 37) session?.ping(prng.bytes(prng.int(100)));
    else if (roll < 38) this.#hurry(session);
    else if (roll === 38 && prng.chance(0.05)) void session?.close();
    else if (roll === 39 && prng.chance(0.05)) session?.abort();
  }

  /** Asks for something on a fresh flow and is gone at once, so that both arrive together. */
  #hurry(session: Session | undefined): void {
    if (session === undefined || !this.#prng.chance(0.15)) return;
    const flow = this.#open(session, anyMetadata(this.#prng, this.known));
    const name = pick(this.#prng, ["connect", "play", "publish", "createStream"]);
    for (let i = 0; i <= this.#prng.int(3); i++) this.#write(flow, anyCommand(this.#prng, this.known, name));
    if (this.#prng.chance(0.3)) void flow.close();
    else if (this.#prng.chance(0.5)) session.abort();
    else void session.close();
  }

  #openAny(session: Session, received: RecvFlow | undefined): void {
    const answers = received !== undefined && received.session === session && this.#prng.chance(0.7);
    const metadata = anyMetadata(this.#prng, this.known);
    const flow = this.#open(session, metadata, answers ? received : undefined);
    for (let i = this.#prng.int(4); i > 0; i--) this.#write(flow, anyMessage(this.#prng, this.known));
  }

  #open(session: Session, metadata: Uint8Array, answers?: RecvFlow): SendFlow {
    const priority = pick(this.#prng, ["background", "routine", "high", "immediate"] as const);
    const flow = session.openFlow(metadata, answers === undefined ? { priority } : { priority, answers });
    this.flows++;
    this.#out.push(flow);
    if (this.#out.length > MOST_FLOWS) this.#out = this.#out.slice(-MOST_FLOWS);
    return flow;
  }

  #take(flow: RecvFlow): void {
    const prng = this.#prng;
    if (prng.chance(0.03)) return;
    this.#in.push(flow);
    if (this.#in.length > MOST_FLOWS) this.#in = this.#in.slice(-MOST_FLOWS);
    flow.accept({ order: prng.chance(0.8) ? "sequence" : "network" });
    const streamId = streamIdOf(flow.metadata);
    flow.onMessage = (data) => this.#try(() => this.#read(flow, streamId, data));
  }

  #read(flow: RecvFlow, streamId: number, data: Uint8Array): void {
    this.received++;
    const message = decodeMessage(data);
    if (message === undefined) return;
    if (message.type !== MessageType.commandAmf0 && message.type !== MessageType.commandAmf3) return;
    const command = decodeCommand(message);
    if (command.transactionId !== 0) remember(this.known.transactions, command.transactionId);
    const [first] = command.args;
    if (command.name === "_result" && typeof first === "number" && isStreamId(first)) this.#use(flow, first);
    if (this.#prng.chance(this.#earnest)) this.#answer(flow, streamId, command);
    else if (this.#prng.chance(0.5)) this.#write(this.#returnFlow(flow, streamId), anyMessage(this.#prng, this.known));
  }

  /** A stream that the server gave: publishes or plays by it, mostly. */
  #use(flow: RecvFlow, streamId: number): void {
    remember(this.known.streamIds, streamId);
    if (this.#prng.chance(0.2)) return;
    const out = this.#open(flow.session, encodeMetadata(streamId, "sequence"), flow);
    const name = pick(this.#prng, ["publish", "play"]);
    const stream = pick(this.#prng, STREAM_NAMES);
    this.#write(out, encodeCommand({ name, transactionId: 0, commandObject: null, args: [stream] }));
    for (let i = this.#prng.int(6); i > 0; i--) this.#write(out, anyMedia(this.#prng, this.known));
  }

  /** What a server, or a publisher, says. */
  #answer(flow: RecvFlow, streamId: number, { name, transactionId, args }: Command): void {
    const back = (): SendFlow => this.#returnFlow(flow, streamId);
    const status = (code: StatusCode): void => this.#command(back(), "onStatus", 0, [statusInfo(code)]);
    const result = (value: AmfValue): void => this.#command(back(), "_result", transactionId, [value]);
    if (name === "connect") result(statusInfo("NetConnection.Connect.Success", "", { objectEncoding: 0 }));
    else if (name === "createStream") {
      const id = 1 + this.#prng.int(3);
      remember(this.known.streamIds, id);
      result(id);
    } else if (name === "publish") status("NetStream.Publish.Start");
    else if (name === "play") {
      this.#write(back(), encodeUserControl({ event: "streamBegin", streamId }));
      status("NetStream.Play.Start");
      for (let i = 0; i < 5; i++) this.#write(back(), encodeMessage(MessageType.audio, i * 20, Uint8Array.of(0x2f, i)));
    } else if (transactionId !== 0 && !name.startsWith("_")) result(args[0]);
  }

  /** One flow per flow and stream that answers it. */
  #returnFlow(flow: RecvFlow, streamId: number): SendFlow {
    const flows = this.#returns.get(flow) ?? new Map<number, SendFlow>();
    this.#returns.set(flow, flows);
    let back = flows.get(streamId);
    if (back === undefined || !back.isOpen) {
      back = this.#open(flow.session, encodeMetadata(streamId, "sequence"), flow);
      flows.set(streamId, back);
    }
    return back;
  }

  #command(flow: SendFlow, name: string, transactionId: number, args: readonly AmfValue[]): void {
    this.#write(flow, encodeCommand({ name, transactionId, commandObject: null, args }));
  }

  #write(flow: SendFlow, message: Uint8Array): void {
    if (flow.isOpen) flow.write(message, this.#prng.chance(0.05) ? { finishWithinMs: this.#prng.int(500) } : {});
    this.sent++;
  }

  /** Its own mistakes are not what is looked for. */
  #try(run: () => void): void {
    try {
      run();
    } catch (error) {
      if (!(error instanceof RtmfpError || error instanceof AmfError)) throw error;
    }
  }
}

/** Replaces a few bytes of some packets; the cipher then seals them as it does all others. */
function damageBeforeEncryption(prng: Prng, session: Session): void {
  const cipher = session.inner.keys?.cipher as
    | { seal(buffer: Uint8Array, start: number, end: number): number }
    | undefined;
  if (cipher === undefined) return;
  const seal = cipher.seal.bind(cipher);
  cipher.seal = (buffer, start, end) => {
    if (prng.chance(0.05)) for (let i = 0; i <= prng.int(4); i++) buffer[start + prng.int(end - start)] = prng.int(256);
    return seal(buffer, start, end);
  };
}

function remember(numbers: number[], number: number): void {
  if (numbers.includes(number)) return;
  numbers.push(number);
  if (numbers.length > 20) numbers.splice(4, 1);
}

function isStreamId(number: number): boolean {
  return Number.isInteger(number) && number >= 0 && number <= MAX_STREAM_ID;
}

/** The last byte of proper metadata; what stands in others does not matter here. */
function streamIdOf(metadata: Uint8Array): number {
  return (metadata.at(-1) ?? 0) & 0x7f;
}

/** Flows that a hostile peer keeps in mind, each way. */
const MOST_FLOWS = 60;
/** Names that several use. */
/** The name `cam` by its hash. */
const CAM_HASH = "sha256:707a3c64c7c00e52ae880442b769029d2d1328a29941df71c53332d153f87820";
const STREAM_NAMES: readonly string[] = ["cam", "other", "live", "cam?priority=-1", "other?priority=0;x", CAM_HASH];
/** Messages to be repeated by the hundred. */
const SMALL: readonly Uint8Array[] = [
  encodeUserControl({ event: "pingRequest", timestamp: 1 }),
  encodeUserControl({ event: "flowSync", syncId: 1, count: 2 }),
  encodeMessage(MessageType.audio, 1, Uint8Array.of(0x2f)),
  encodeCommand({ name: "createStream", transactionId: 9, commandObject: null, args: [] }),
  encodeCommand({ name: "hello", transactionId: 0, commandObject: null, args: [] }),
];
