import {
  type Address,
  type Carrier,
  formatAddress,
  openUdpCarrier,
  PeerEndpoint,
  parseAddressText,
  type RecvFlow,
  type Session,
} from "rtmfp-core";
import { createFlashProfile, type FlashProfileOptions, parseEpd, SERVER_IDENTITY } from "rtmfp-core/crypto";
import {
  type AmfValue,
  type Command,
  decodeCommand,
  encodeCommand,
  type MessageTree,
  MessageTrees,
  MessageType,
  type RtmpMessage,
  type StatusCode,
  setPeerInfoAddresses,
  statusInfo,
  type TreeClock,
} from "rtmfp-core/tc";
import { systemClock } from "../../src/clock.ts";

/** A connection as {@link MiniServer} sees it. */
export interface MiniClient {
  readonly session: Session;
  readonly tree: MessageTree;
  /** Commands on stream 0, in order. */
  readonly commands: Command[];
  /** Flows whose messages came, in the order of their first message. */
  readonly flows: RecvFlow[];
  addresses: readonly Address[];
  nextStreamId: number;
}

/** What a test may change about a server. */
export interface MiniOptions {
  readonly carrier?: Carrier;
  readonly clock?: TreeClock;
  readonly random?: (length: number) => Uint8Array;
  readonly identity?: FlashProfileOptions["identity"];
  /** Answers connect; a string rejects with it. */
  readonly onConnect?: (client: MiniClient, args: readonly AmfValue[]) => string | undefined;
  /** Answers a call; undefined leaves it unanswered. Throws: an error. */
  readonly onCall?: (command: Command, client: MiniClient) => AmfValue;
}

/** The least of a server that clients need: connect, createStream, publish and play with relay, introductions. */
export class MiniServer {
  readonly endpoint: PeerEndpoint;
  readonly clients: MiniClient[] = [];
  /** Media messages that came to the server. */
  mediaMessages = 0;
  readonly #options: MiniOptions;
  readonly #publishers = new Map<string, MiniClient>();
  readonly #players = new Map<string, Map<MiniClient, number>>();
  readonly #published = new Map<string, string>();

  constructor(carrier: Carrier, options: MiniOptions = {}) {
    this.#options = options;
    const { random } = options;
    const profile = createFlashProfile({
      identity: options.identity ?? SERVER_IDENTITY,
      ...(random === undefined ? {} : { random }),
    });
    this.endpoint = new PeerEndpoint(carrier, { profile, ...(random === undefined ? {} : { random }) });
    this.endpoint.onSession = (session) => this.#onSession(session);
    this.endpoint.onIntroduction = (introduction) => {
      const wanted = parseEpd(introduction.epd)?.fingerprint;
      const client = this.clients.find(
        (each) => wanted !== undefined && each.session.isOpen && each.session.peerId === hex(wanted),
      );
      if (client === undefined) introduction.ignore();
      else {
        introduction.redirect([client.session.address, ...client.addresses]);
        introduction.forward(client.session);
      }
    };
  }

  static async open(options: MiniOptions = {}): Promise<MiniServer> {
    return new MiniServer(await openUdpCarrier([{ host: "127.0.0.1", port: 0 }]), options);
  }

  get url(): string {
    return `rtmfp://${formatAddress(this.endpoint.address)}/app/room`;
  }

  /** Sends a command to a client on stream 0. */
  send(client: MiniClient, name: string, transactionId: number, ...args: AmfValue[]): void {
    client.tree.control.write(encodeCommand({ name, transactionId, commandObject: null, args }));
  }

  close(): Promise<void> {
    return this.endpoint.close();
  }

  #onSession(session: Session): void {
    const trees = new MessageTrees(session, this.#options.clock ?? systemClock);
    trees.onControl = (flow, streamId) => {
      if (streamId !== 0) return;
      const tree = trees.answer(flow);
      const client: MiniClient = { session, tree, commands: [], flows: [], addresses: [], nextStreamId: 1 };
      this.clients.push(client);
      tree.onEnd = () => {
        for (const [key, publisher] of this.#publishers) if (publisher === client) this.#unpublish(key);
      };
      tree.onMessage = (stream, message, from) => {
        if (!client.flows.includes(from as RecvFlow)) client.flows.push(from as RecvFlow);
        this.#onMessage(client, stream, message);
      };
    };
  }

  #onMessage(client: MiniClient, streamId: number, message: RtmpMessage): void {
    if (message.type === MessageType.commandAmf0 || message.type === MessageType.commandAmf3) {
      const command = decodeCommand(message);
      if (streamId === 0) this.#onCommand(client, command);
      else this.#onStreamCommand(client, streamId, command);
      return;
    }
    const key = this.#published.get(`${this.clients.indexOf(client)}/${streamId}`);
    if (key === undefined) return;
    this.mediaMessages++;
    const bytes = new Uint8Array(5 + message.payload.length);
    bytes[0] = message.type;
    new DataView(bytes.buffer).setUint32(1, message.timestamp);
    bytes.set(message.payload, 5);
    for (const [player, id] of this.#players.get(key) ?? []) {
      const flow = player.tree.end === undefined ? this.#flowFor(player, id, message.type) : undefined;
      if (flow?.isOpen === true) flow.write(bytes);
    }
  }

  readonly #flows = new Map<string, ReturnType<MessageTree["openFlow"]>>();

  #flowFor(player: MiniClient, id: number, type: number): ReturnType<MessageTree["openFlow"]> {
    const key = `${this.clients.indexOf(player)}/${id}/${type}`;
    let flow = this.#flows.get(key);
    if (flow === undefined) {
      flow = player.tree.openFlow(id);
      this.#flows.set(key, flow);
    }
    return flow;
  }

  #onCommand(client: MiniClient, command: Command): void {
    client.commands.push(command);
    const { name, transactionId, args } = command;
    const addresses = setPeerInfoAddresses(command);
    if (addresses !== undefined) {
      client.addresses = addresses.map(parseAddressText).filter((address) => address !== undefined);
      return;
    }
    if (name === "connect") {
      const rejected = this.#options.onConnect?.(client, args);
      const code = rejected === undefined ? "NetConnection.Connect.Success" : "NetConnection.Connect.Rejected";
      const reply = rejected === undefined ? "_result" : "_error";
      const encoding = (command.commandObject as Record<string, AmfValue>)["objectEncoding"];
      this.send(client, reply, transactionId, statusInfo(code, rejected ?? "", { objectEncoding: encoding }));
    } else if (name === "createStream") this.send(client, "_result", transactionId, client.nextStreamId++);
    else if (!SILENT.has(name)) this.#answer(client, command);
  }

  #answer(client: MiniClient, command: Command): void {
    try {
      const value = this.#options.onCall?.(command, client);
      if (value !== undefined) this.send(client, "_result", command.transactionId, value);
    } catch (error) {
      const info = statusInfo("NetConnection.Call.Failed", (error as Error).message);
      this.send(client, "_error", command.transactionId, info);
    }
  }

  #onStreamCommand(client: MiniClient, streamId: number, { name, args }: Command): void {
    const key = String(args[0]);
    const flow = this.#flowFor(client, streamId, 0);
    const tell = (code: StatusCode): void => {
      const info = statusInfo(code, "", { details: key });
      flow.write(encodeCommand({ name: "onStatus", transactionId: 0, commandObject: null, args: [info] }));
    };
    if (name === "publish") {
      if (this.#publishers.has(key)) {
        tell("NetStream.Publish.BadName");
        return;
      }
      this.#publishers.set(key, client);
      this.#published.set(`${this.clients.indexOf(client)}/${streamId}`, key);
      tell("NetStream.Publish.Start");
    } else if (name === "play") {
      if (key === "missing") {
        tell("NetStream.Play.StreamNotFound");
        return;
      }
      const players = this.#players.get(key) ?? new Map<MiniClient, number>();
      players.set(client, streamId);
      this.#players.set(key, players);
      tell("NetStream.Play.Reset");
      tell("NetStream.Play.Start");
    } else if (name === "closeStream") {
      const published = this.#published.get(`${this.clients.indexOf(client)}/${streamId}`);
      if (published !== undefined) this.#unpublish(published);
    }
  }

  #unpublish(key: string): void {
    this.#publishers.delete(key);
    for (const [player, id] of this.#players.get(key) ?? []) {
      const types = [0, MessageType.audio, MessageType.video, MessageType.dataAmf0];
      if (player.tree.end !== undefined) continue;
      const flows = types.map((type) => this.#flowFor(player, id, type));
      player.tree.sync(flows);
      const info = statusInfo("NetStream.Play.Stop", "", { details: key });
      flows[0]?.write(encodeCommand({ name: "onStatus", transactionId: 0, commandObject: null, args: [info] }));
    }
  }
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Commands that get no answer. */
const SILENT: ReadonlySet<string> = new Set(["deleteStream", "_result", "_error"]);
