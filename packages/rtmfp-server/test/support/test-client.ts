/** A client of bare flows, so that the server is tested by what is on the wire and not by our other half. */
import { type Carrier, PeerEndpoint, type Session } from "rtmfp-core";
import { createFlashProfile, type FlashProfileOptions, uriEpd } from "rtmfp-core/crypto";
import {
  type AmfObject,
  type AmfValue,
  type Command,
  type DataMessage,
  decodeCommand,
  decodeData,
  decodeUserControl,
  encodeCommand,
  encodeData,
  encodeMessage,
  encodeSetPeerInfo,
  type MessageTree,
  MessageTrees,
  MessageType,
  type ObjectEncoding,
  type RtmpMessage,
  type TreeSendFlow,
  type UserControl,
} from "rtmfp-core/tc";

/** What a client got, in order. */
export type Got =
  | { readonly kind: "command"; readonly streamId: number; readonly type: number; readonly command: Command }
  | { readonly kind: "control"; readonly streamId: number; readonly control: UserControl | undefined }
  | { readonly kind: "data"; readonly streamId: number; readonly type: number; readonly data: DataMessage }
  | {
      readonly kind: "audio" | "video";
      readonly streamId: number;
      readonly message: RtmpMessage;
      /** Fragments given up in front of it. */
      readonly missing: number;
    };

/** One endpoint, one session with the server, at most one connection. */
export class TestClient {
  readonly endpoint: PeerEndpoint;
  readonly session: Session;
  readonly got: Got[] = [];
  readonly trees: MessageTrees;
  /** The first tells the server where to associate its flows. */
  tree: MessageTree | undefined;
  objectEncoding: ObjectEncoding = 0;
  readonly #flows = new Map<string, TreeSendFlow>();
  readonly #changes = new Set<() => void>();
  #transaction = 1;

  private constructor(endpoint: PeerEndpoint, session: Session) {
    this.endpoint = endpoint;
    this.session = session;
    this.trees = new MessageTrees(session, endpoint);
  }

  /** Opens a session, and sends no connect. */
  static async open(
    carrier: Carrier,
    address: string,
    random?: (length: number) => Uint8Array,
    identity: FlashProfileOptions["identity"] = { keys: "static", groups: [31] },
  ): Promise<TestClient> {
    const source = random === undefined ? {} : { random };
    const profile = createFlashProfile({ identity, ...source });
    const endpoint = new PeerEndpoint(carrier, { profile, ...source });
    const session = await endpoint.connect(address, { epd: uriEpd(`rtmfp://${address}/test`) });
    return new TestClient(endpoint, session);
  }

  get peerId(): string {
    return this.endpoint.peerId;
  }

  /** Sends connect; resolves with the info object of the answer, whatever it says. */
  async connect(app: string, args: readonly AmfValue[] = [], more: AmfObject = {}): Promise<AmfObject> {
    const tree = this.trees.open(0);
    this.tree = tree;
    this.objectEncoding = more["objectEncoding"] === 3 ? 3 : 0;
    tree.onMessage = (streamId, message, _flow, missing) => this.#onMessage(streamId, message, missing);
    const commandObject = { app, tcUrl: `rtmfp://test/${app}`, ...more };
    tree.control.write(encodeCommand({ name: "connect", transactionId: this.#transaction, commandObject, args }));
    const answer = await this.#answer(this.#transaction++);
    return answer.args[0] as AmfObject;
  }

  /** Calls and resolves with the answer's command. */
  call(name: string, ...args: AmfValue[]): Promise<Command> {
    const transactionId = this.#transaction++;
    this.command(0, name, args, transactionId);
    return this.#answer(transactionId);
  }

  /** Sends a command that asks for no answer. */
  send(name: string, ...args: AmfValue[]): void {
    this.command(0, name, args);
  }

  command(streamId: number, name: string, args: readonly AmfValue[], transactionId = 0): void {
    const command = { name, transactionId, commandObject: null, args };
    this.flow(streamId, "main").write(encodeCommand(command, { objectEncoding: this.objectEncoding }));
  }

  setPeerInfo(...addresses: string[]): void {
    this.flow(0, "main").write(encodeSetPeerInfo(addresses));
  }

  /** Creates a stream. */
  async createStream(): Promise<number> {
    return (await this.call("createStream")).args[0] as number;
  }

  /** Creates a stream, publishes by it, and waits for the status. */
  async publish(name: string): Promise<number> {
    const id = await this.createStream();
    this.command(id, "publish", [name, "live"]);
    await this.status("NetStream.Publish.Start");
    return id;
  }

  /** Creates a stream, plays by it, and waits for the status. */
  async play(name: AmfValue, ...args: AmfValue[]): Promise<number> {
    const id = await this.createStream();
    this.command(id, "play", [name, ...args]);
    await this.status("NetStream.Play.Start");
    return id;
  }

  media(streamId: number, kind: "audio" | "video", timestamp: number, payload: readonly number[] | Uint8Array): void {
    const bytes = Uint8Array.from(payload);
    this.flow(streamId, kind).write(encodeMessage(MessageType[kind], timestamp, bytes));
  }

  data(streamId: number, name: string, args: readonly AmfValue[], timestamp = 0): void {
    const encoding = { objectEncoding: this.objectEncoding, timestamp };
    this.flow(streamId, "main").write(encodeData({ name, args }, encoding));
  }

  /** The sending flow of a stream for a purpose; opened once. */
  flow(streamId: number, purpose: string): TreeSendFlow {
    const tree = this.tree as MessageTree;
    if (streamId === 0) return tree.control;
    const key = `${streamId} ${purpose}`;
    const flow = this.#flows.get(key) ?? tree.openFlow(streamId);
    this.#flows.set(key, flow);
    return flow;
  }

  /** Resolves with the first command of that name, got or yet to come. */
  async commandNamed(name: string): Promise<Command> {
    return this.first((got) => (got.kind === "command" && got.command.name === name ? got.command : undefined));
  }

  /** Resolves with the first status event of that code. */
  async status(code: string): Promise<AmfObject> {
    return this.first((got) => {
      const info = statusOf(got);
      return info?.["code"] === code ? info : undefined;
    });
  }

  /** Codes of the status events got, in order. */
  get codes(): AmfValue[] {
    return this.got.flatMap((got) => statusOf(got)?.["code"] ?? []);
  }

  /** Resolves with what `pick` finds first. */
  async first<T>(pick: (got: Got) => T | undefined): Promise<T> {
    for (;;) {
      for (const got of this.got) {
        const found = pick(got);
        if (found !== undefined) return found;
      }
      await new Promise<void>((resolve) => this.#changes.add(resolve));
    }
  }

  /** Commands of that name, in order. */
  commands(name: string): Command[] {
    return this.got.flatMap((got) => (got.kind === "command" && got.command.name === name ? [got.command] : []));
  }

  /** Everything got on streams, in short: `kind timestamp`, or the handler's name for data. */
  get timeline(): string[] {
    return this.got.flatMap((got) => {
      if (got.kind === "data") return [got.data.name];
      return got.kind === "audio" || got.kind === "video" ? [`${got.kind} ${got.message.timestamp}`] : [];
    });
  }

  async close(): Promise<void> {
    await this.endpoint.close();
  }

  #answer(transactionId: number): Promise<Command> {
    return this.first((got) => {
      if (got.kind !== "command" || got.command.transactionId !== transactionId) return undefined;
      return got.command.name === "_result" || got.command.name === "_error" ? got.command : undefined;
    });
  }

  #onMessage(streamId: number, message: RtmpMessage, missing: number): void {
    this.got.push(read(streamId, message, missing));
    for (const resolve of [...this.#changes]) {
      this.#changes.delete(resolve);
      resolve();
    }
  }
}

function read(streamId: number, message: RtmpMessage, missing: number): Got {
  const { type } = message;
  if (type === MessageType.audio) return { kind: "audio", streamId, message: copy(message), missing };
  if (type === MessageType.video) return { kind: "video", streamId, message: copy(message), missing };
  if (type === MessageType.userControl)
    return { kind: "control", streamId, control: decodeUserControl(message.payload) };
  if (type === MessageType.dataAmf0 || type === MessageType.dataAmf3)
    return { kind: "data", streamId, type, data: decodeData(message) };
  return { kind: "command", streamId, type, command: decodeCommand(message) };
}

function copy(message: RtmpMessage): RtmpMessage {
  return { ...message, payload: message.payload.slice() };
}

function statusOf(got: Got): AmfObject | undefined {
  return got.kind === "command" && got.command.name === "onStatus" ? (got.command.args[0] as AmfObject) : undefined;
}
