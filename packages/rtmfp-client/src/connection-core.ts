/** What stands behind a connected NetConnection: endpoint, server session, calls and the streams' flows. */
import { type CloseReason, formatAddress, type PeerEndpoint, RtmfpError, type Session } from "rtmfp-core";
import {
  type AmfObject,
  type AmfValue,
  type Command,
  clampKeepalive,
  decodeCommand,
  decodeUserControl,
  encodeCommand,
  encodeSetPeerInfo,
  encodeUserControl,
  type MessageTree,
  MessageTrees,
  MessageType,
  namedValues,
  type ObjectEncoding,
  parseStatus,
  type RtmpMessage,
  type StatusEvent,
  statusInfo,
  type TreeEnd,
  type TreeRecvFlow,
} from "rtmfp-core/tc";
import { authArguments, type ConnectionAuth, checkProof } from "./auth.ts";
import { Calls } from "./calls.ts";
import type { Clock } from "./clock.ts";
import { Groups } from "./group/groups.ts";
import type { Methods } from "./methods.ts";
import { PeerLinks } from "./peer-links.ts";
import type { ResponderOptions } from "./responder.ts";
import { makeStatus, statusError, statusOf } from "./status-error.ts";

/** Takes the messages of one stream of the server's. */
export interface StreamInput {
  /** `missing` counts fragments of the flow that were given up since the message before. */
  message(message: RtmpMessage, flow: TreeRecvFlow, missing: number): void;
  /** The server refuses the flows that we send for the stream. */
  refused(): void;
  /** The connection is gone. */
  closed(): void;
}

/** What the core tells its NetConnection. */
export interface CoreHost {
  readonly methods: Methods;
  readonly timeoutMs: number;
  readonly bufferProbe: boolean;
  readonly maxPeerConnections: () => number;
  /** `length` bytes that nobody can foresee. */
  random(length: number): Uint8Array;
  status(event: StatusEvent): void;
  asyncError(error: unknown): void;
  /** Called once, when the connection ends by itself; `why` is for people. */
  ended(why: string): void;
  /**
   * The server is gone, and the connection goes on for its groups; {@link ended} follows when they have nobody left, unless
   * {@link ConnectionCore.comeBack} succeeds before.
   */
  orphaned(why: string): void;
}

/** One connection, with a server or without. */
export class ConnectionCore {
  readonly endpoint: PeerEndpoint;
  /** The session with the server, open or not; none for `rtmfp:`. */
  session: Session | undefined;
  readonly clock: Clock;
  readonly host: CoreHost;
  readonly peers: PeerLinks;
  readonly groups: Groups;
  /** Whatever must end with the connection. */
  readonly closers: Set<() => Promise<void>> = new Set();
  objectEncoding: ObjectEncoding;
  /** The server asks for the identity that its old clients accept (in its answer to connect). */
  wantsLegacyIdentity = false;
  #calls: Calls;
  readonly #streams = new Map<number, StreamInput>();
  #tree: MessageTree | undefined;
  #ended = false;
  /** Another server session is being made. */
  #isReturning = false;
  #reportsIntroductions = false;

  constructor(
    endpoint: PeerEndpoint,
    session: Session | undefined,
    clock: Clock,
    encoding: ObjectEncoding,
    host: CoreHost,
  ) {
    this.endpoint = endpoint;
    this.clock = clock;
    this.#calls = new Calls(clock);
    this.objectEncoding = encoding;
    this.host = host;
    this.peers = new PeerLinks(this);
    this.groups = new Groups(this);
    if (session !== undefined) this.#attach(session);
  }

  /**
   * After {@link CoreHost.orphaned}: takes another session with the server, over which `connect` connects; groups then join at the
   * server again. What `connect` rejects with leaves everything as it was.
   */
  async comeBack(session: Session, connect: () => Promise<StatusEvent>): Promise<StatusEvent> {
    this.#isReturning = true;
    this.#ended = false;
    this.#calls = new Calls(this.clock);
    try {
      this.#attach(session);
      const event = await connect();
      this.#isReturning = false;
      this.groups.serverBack();
      return event;
    } catch (error) {
      this.#end("the attempt to connect anew failed");
      this.#isReturning = false;
      session.abort();
      throw error;
    }
  }

  /** The tree of flows shared with the server. Throws statusError when there is none. */
  get tree(): MessageTree {
    if (this.#tree !== undefined && !this.#ended) return this.#tree;
    throw statusError(makeStatus("NetConnection.Connect.Closed", "the NetConnection has no server connection"));
  }

  get isOpen(): boolean {
    return !this.#ended && !this.#isReturning;
  }

  /** No server connection, and none under way. */
  get hasEnded(): boolean {
    return this.#ended;
  }

  /** True while a stream has that ID. */
  hasStream(streamId: number): boolean {
    return this.#streams.has(streamId);
  }

  /**
   * The connect command (§5.3.1) and, after its success, setPeerInfo (§5.3.3). What the server sends from then on waits
   * for {@link begin}.
   */
  async connect(object: AmfObject, given: readonly AmfValue[], auth?: ConnectionAuth): Promise<StatusEvent> {
    const { session } = this;
    const { provider } = this.endpoint.profile;
    const isAsked = auth !== undefined && session !== undefined;
    const args = isAsked ? [...authArguments(auth, session, provider), ...given] : given;
    const info = await this.#calls
      .start("connect", (transactionId) =>
        this.tree.control.write(encodeCommand({ name: "connect", transactionId, commandObject: object, args })),
      )
      .catch((error: unknown) => {
        throw error instanceof RtmfpError && error.info !== undefined ? this.#refusal(error) : error;
      });
    const event = statusOf(info, "NetConnection.Connect.Success");
    if (event.code !== "NetConnection.Connect.Success") throw statusError(event);
    const more = namedValues(info);
    if (isAsked) checkProof(auth, more?.["authToken"], session, provider);
    this.objectEncoding = more?.["objectEncoding"] === 3 ? 3 : 0;
    this.wantsLegacyIdentity = more?.["legacyIdentity"] === true;
    this.#reportsIntroductions = more?.["introductionReports"] === true;
    const addresses = this.endpoint.carrier.interfaceAddresses();
    this.tree.control.write(encodeSetPeerInfo(addresses.map(formatAddress), this));
    return event;
  }

  /** The application knows that it is connected: gives it what the server has sent since. */
  begin(): void {
    this.#tree?.hold(0, false);
  }

  /** Messages of the server's that could not be read. */
  get malformed(): number {
    return this.#tree?.stats.malformed ?? 0;
  }

  /** Calls a method of the server's. */
  call(name: string, args: readonly AmfValue[], until?: ResponderOptions): Promise<AmfValue> {
    const send = (transactionId: number): void => {
      this.tree.control.write(encodeCommand({ name, transactionId, commandObject: null, args }, this));
    };
    return this.#calls.start(name, send, until);
  }

  /** Calls a method whose answer nobody waits for. */
  notify(name: string, args: readonly AmfValue[]): void {
    this.tree.control.write(encodeCommand({ name, transactionId: 0, commandObject: null, args }, this));
  }

  /** Tells a server that wants to know what became of an introduction to, or by, a peer. */
  reportIntroduction(peerId: string, outcome: "connected" | "failed" | "refused", reason?: "consent" | "limit"): void {
    if (!this.#reportsIntroductions || !this.isOpen) return;
    try {
      this.notify("introductionReport", reason === undefined ? [peerId, outcome] : [peerId, outcome, reason]);
    } catch {
      // It is for the server's log alone: what is more urgent fills the flow.
    }
  }

  /** Gives the messages of a stream to `input`; `undefined` ends that. */
  routeStream(streamId: number, input: StreamInput | undefined): void {
    if (input === undefined) this.#streams.delete(streamId);
    else this.#streams.set(streamId, input);
    this.#tree?.clearRefused(streamId);
  }

  /** Ends everything in good order, streams with peers included; bounded by {@link CLOSE_GRACE_MS}. */
  async close(): Promise<void> {
    const inOrder = async (): Promise<void> => {
      await Promise.all([...this.closers].map((close) => close()));
      this.groups.close();
      this.#end(CLOSED_HERE);
      await Promise.all([this.#tree?.close(), this.peers.close()]);
    };
    let cancel = (): void => {};
    const patience = new Promise<void>((resolve) => {
      cancel = this.clock.after(CLOSE_GRACE_MS, resolve);
    });
    try {
      await Promise.race([inOrder(), patience]);
    } finally {
      cancel();
      await this.abort();
    }
  }

  /** Ends everything at once. */
  async abort(): Promise<void> {
    this.groups.close();
    this.#end(CLOSED_HERE);
    this.#tree?.abort();
    await this.endpoint.close();
  }

  #attach(session: Session): void {
    this.session = session;
    session.introductions = "rhello";
    const trees = new MessageTrees(session, this.clock);
    trees.onOther = (flow) => this.groups.onServerFlow(flow);
    const tree = trees.open(0);
    this.#tree = tree;
    tree.onRefused = (streamId) => this.#streams.get(streamId)?.refused();
    tree.onEnd = (end) => void this.#onEnd(end);
    tree.onMessage = (streamId, message, flow, missing) => this.#onMessage(streamId, message, flow, missing);
  }

  /** What a refused connect rejects with: the server's event if it tells of an error, else one that does. */
  #refusal(error: RtmfpError): RtmfpError {
    const event = parseStatus(error.info as AmfValue);
    if (event?.level === "error" && event.code !== "NetConnection.Call.Failed")
      return new RtmfpError(event.code, error.message, event);
    const code = this.#ended ? "NetConnection.Connect.Failed" : "NetConnection.Connect.Rejected";
    return statusError(makeStatus(code, error.message));
  }

  #onMessage(streamId: number, message: RtmpMessage, flow: TreeRecvFlow, missing: number): void {
    const { type } = message;
    if (type === MessageType.userControl && streamId === 0) this.#onUserControl(message, flow);
    else if (streamId !== 0) this.#streams.get(streamId)?.message(message, flow, missing);
    else if (type === MessageType.commandAmf0 || type === MessageType.commandAmf3) {
      this.#onCommand(decodeCommand(message));
    }
  }

  #onUserControl(message: RtmpMessage, flow: TreeRecvFlow): void {
    const control = decodeUserControl(message.payload);
    if (control === undefined || this.session === undefined) return;
    if (control.event === "setKeepalive") {
      this.session.keepaliveMs = clampKeepalive(control.serverMs);
      this.peers.keepaliveMs = clampKeepalive(control.peerMs);
    } else if (control.event === "pingRequest") {
      this.#tree?.control.write(encodeUserControl({ event: "pingResponse", timestamp: control.timestamp }));
    } else if ("streamId" in control) {
      // RTMP puts stream events on stream 0 (AMB-74).
      this.#streams.get(control.streamId)?.message(message, flow, 0);
    }
  }

  #onCommand(command: Command): void {
    if (this.#calls.settle(command)) {
      if (command.transactionId === CONNECT_ID && command.name === "_result") this.#tree?.hold(0, true);
      return;
    }
    const { name, args } = command;
    if (name === "onStatus") {
      const event = parseStatus(args[0]);
      if (event !== undefined) this.host.status(event);
      else this.host.asyncError(new Error("the server sent a status event that is none, or that nobody knows"));
    } else if (name === "close") void this.#tree?.close();
    else void this.#onCall(command);
  }

  async #onCall({ name, args, transactionId }: Command): Promise<void> {
    const method = this.host.methods.get(name);
    let reply: AmfValue;
    let failed = false;
    try {
      if (method === undefined) throw new Error(`the server called "${name}", which is not exposed`);
      reply = (await method(...args)) as AmfValue;
    } catch (error) {
      failed = true;
      const known = method !== undefined;
      reply = statusInfo("NetConnection.Call.Failed", known ? `"${name}" failed` : `Method not found (${name}).`);
      this.host.asyncError(error);
    }
    if (transactionId === 0 || !this.isOpen) return;
    const answer = { name: failed ? "_error" : "_result", transactionId, commandObject: null, args: [reply] };
    try {
      this.tree.control.write(encodeCommand(answer, this));
    } catch (error) {
      this.host.asyncError(error);
    }
  }

  /** Flows end before their session says why it did. */
  async #onEnd(end: TreeEnd): Promise<void> {
    if (this.#ended) return;
    const reason = end === "session" ? await this.session?.closed : undefined;
    const why = `the server connection ended${describe(reason)}`;
    this.#end(why);
    if (this.#isReturning) return;
    if (this.groups.outlive(() => this.host.ended(why))) {
      this.session?.abort();
      this.host.orphaned(why);
    } else this.host.ended(why);
  }

  /** No answer and no message follows: whoever waits for one learns it. */
  #end(why: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#calls.failAll(why);
    const streams = [...this.#streams.values()];
    this.#streams.clear();
    for (const stream of streams) stream.closed();
  }
}

function describe(reason: CloseReason | undefined): string {
  if (reason === "abusive") return " because the server went on sending what was refused";
  return reason === "timeout" ? " because the server fell silent" : "";
}

/** Of the first call. */
const CONNECT_ID = 1;
const CLOSED_HERE = "the connection was closed";
/** How long a close in good order may take; ms. */
const CLOSE_GRACE_MS = 2_000;
