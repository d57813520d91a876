/** One NetConnection of a client: commands in, answers out. § means RFC 7425. */
import { type Address, type CloseReason, peerEpd, RtmfpError, type Session } from "rtmfp-core";
import {
  type AmfError,
  type AmfObject,
  type AmfValue,
  type Command,
  decodeCommand,
  decodeUserControl,
  type MessageTree,
  MessageType,
  namedValues,
  type ObjectEncoding,
  type RtmpMessage,
  type StatusCode,
  setPeerInfoAddresses,
  type TreeEnd,
  type TreeRecvFlow,
} from "rtmfp-core/tc";
import { admit } from "./admission.ts";
import { answerCall } from "./answer-call.ts";
import type { Application } from "./application.ts";
import { applicationPath } from "./application-path.ts";
import type { Member, RunningApplication } from "./applications.ts";
import { Client, type ClientLink } from "./client.ts";
import { ClientStreams } from "./client-streams.ts";
import { ClientTimers } from "./client-timers.ts";
import type { ConnectionHost } from "./connection-host.ts";
import { ControlWriter } from "./control-writer.ts";
import type { GroupControl } from "./group-control.ts";
import type { GroupClient } from "./group-member.ts";
import { readReport } from "./introduction-report.ts";
import type { SettledLimits } from "./limits.ts";
import type { UnpublishReason } from "./live-stream.ts";
import { type LogEntry, shortId } from "./log.ts";
import type { NatVerdict } from "./nat.ts";
import type { PeerEntry } from "./peers.ts";
import { Reject } from "./reject.ts";
import type { Refusal, StreamHost, StreamUse } from "./server-stream.ts";
import type { StreamBroker } from "./stream-broker.ts";
import { isMedia } from "./stream-message.ts";
import { parseStreamName, type StreamName } from "./stream-name.ts";
import type { User } from "./user.ts";

/** From the client's control flow to the end of its tree of flows. */
export class Connection implements ClientLink, StreamHost, Member, GroupClient {
  readonly tree: MessageTree;
  uri = "";
  pageUrl = "";
  referrer = "";
  agent = "";
  user: User | undefined;
  /** Whose connection it is. */
  readonly peer: PeerEntry;
  readonly #host: ConnectionHost<Connection>;
  readonly #writer: ControlWriter;
  readonly #streams: ClientStreams = new ClientStreams(this);
  /** `left` is a client that was accepted and is told to go. */
  #state: "waiting" | "pending" | "accepted" | "refused" | "left" | "ended" = "waiting";
  /** Answers `connect`. */
  #connectId = 0;
  /** How the answer to `connect` is encoded: as `connect` was. */
  #connectEncoding: ObjectEncoding = 0;
  #running: RunningApplication | undefined;
  #client: Client | undefined;
  #timers: ClientTimers | undefined;
  #cancelDeadline: (() => void) | undefined;

  constructor(host: ConnectionHost<Connection>, peer: PeerEntry, tree: MessageTree) {
    this.#host = host;
    this.peer = peer;
    this.tree = tree;
    this.#writer = new ControlWriter(tree, this);
    tree.context = this;
    tree.onEnd = Connection.#tellEnd;
    tree.onRefused = Connection.#tellRefused;
    tree.onMessage = Connection.#tellMessage;
  }

  get app(): Application {
    if (this.#running === undefined) throw new RtmfpError("BAD_ARGUMENT", "the client has not connected yet");
    return this.#running.app;
  }

  /** True from the answer to `connect` to the end. */
  get isAccepted(): boolean {
    return this.#state === "accepted";
  }

  /** True until it sends `connect`. */
  get isWaiting(): boolean {
    return this.#state === "waiting";
  }

  get objectEncoding(): ObjectEncoding {
    return this.#writer.objectEncoding;
  }

  get streams(): StreamBroker {
    return this.app.streams;
  }

  get farID(): string {
    return this.peer.farID;
  }

  get clientId(): string {
    return this.peer.farID;
  }

  get nearID(): string {
    return this.#host.fingerprint;
  }

  get farNonce(): Uint8Array {
    return this.peer.session.farNonce;
  }

  get nearNonce(): Uint8Array {
    return this.peer.session.nearNonce;
  }

  get address(): Address {
    return this.peer.address;
  }

  get behindNat(): boolean | undefined {
    return this.peer.behindNat;
  }

  get nat(): NatVerdict {
    return this.peer.nat;
  }

  get security(): Session["security"] {
    return this.peer.session.security;
  }

  get session(): Session {
    return this.peer.session;
  }

  get sessionStats(): Session["stats"] {
    return this.peer.session.stats;
  }

  get maxPriority(): number {
    return this.user?.maxPriority ?? this.#limits.maxPriority;
  }

  get publisherName(): string {
    return this.user?.publisherName ?? "";
  }

  command(name: string, transactionId: number, args: readonly AmfValue[]): void {
    this.#writer.command(name, transactionId, args);
  }

  introduce(to: Address, tag: Uint8Array): void {
    this.peer.session.sendFIHello(peerEpd(this.farID), to, tag);
  }

  async close(): Promise<void> {
    if (this.#state === "ended") return;
    if (this.#state === "accepted") this.#state = "left";
    else if (this.#state !== "left") this.#state = "refused";
    this.#leave("removed");
    await this.#closeTree();
  }

  async endWith(code: StatusCode, description: string): Promise<void> {
    if (this.#state === "pending") this.#refuse(this.app.path, code, description);
    else if (this.#state === "accepted") this.#writer.status("onStatus", 0, code, description);
    await this.close();
  }

  /** Says that the server will end, so that the client can leave by itself. */
  announceShutdown(): void {
    if (this.#state !== "accepted") return;
    this.#writer.status("onStatus", 0, "NetConnection.Shutdown.Notify", "The server will shut down: please leave.");
  }

  permit(use: StreamUse, stream: StreamName, decide: (refusal?: Refusal) => void): void {
    const running = this.#running;
    const client = this.#client;
    if (running === undefined || client === undefined) return;
    const refusal = this.#refusal(use, stream);
    if (refusal !== undefined) {
      decide(refusal);
      return;
    }
    const code = REFUSED[use];
    running.ask(use === "publish" ? "onPublish" : "onPlay", [client, stream], (reject) => {
      // While the application made up its mind others may have taken the places.
      if (reject === undefined) decide(this.#refusal(use, stream));
      else decide({ code, description: reject.message, more: reject.more });
    });
  }

  onOver(use: StreamUse, stream: StreamName): void {
    if (this.#client !== undefined)
      this.#running?.tell(use === "publish" ? "onUnpublish" : "onStop", this.#client, stream);
  }

  onGroup(event: "onGroupJoin" | "onGroupLeave", group: GroupControl): void {
    if (this.#client !== undefined) this.#running?.tell(event, this.#client, group);
  }

  onMedia(payloadBytes: number): void {
    this.#host.counters.mediaMessages++;
    this.#host.counters.mediaBytes += payloadBytes;
  }

  onSent(bytes: number): void {
    this.#running?.app.sent.count(this.#host.clock.now(), bytes);
  }

  onDropped(): void {
    this.#host.counters.droppedMessages++;
  }

  onUnsendable(error: AmfError): void {
    this.#running?.fail(error);
  }

  log(event: string, fields: LogEntry["fields"], level: LogEntry["level"] = "info"): void {
    this.#host.log({ level, event, fields: { client: shortId(this.farID), ...fields } });
  }

  get #limits(): SettledLimits {
    return this.#host.applications.limitsOf(this.app.name);
  }

  #onMessage(streamId: number, message: RtmpMessage, flow: TreeRecvFlow, missing: number): void {
    const { type } = message;
    // Who is told to go has no say any more.
    if (this.#state === "left" || this.#state === "refused") return;
    this.#running?.app.received.count(this.#host.clock.now(), message.payload.length);
    if (type === MessageType.commandAmf0 || type === MessageType.commandAmf3) {
      const command = decodeCommand(message);
      if (streamId !== 0) this.#onStreamCommand(streamId, command, flow);
      else if (command.name === "connect") this.#onConnect(command, type === MessageType.commandAmf3 ? 3 : 0);
      else this.#onCommand(command);
      return;
    }
    if (type === MessageType.userControl) {
      const control = decodeUserControl(message.payload);
      if (control?.event === "pingRequest") {
        this.#writer.control({ event: "pingResponse", timestamp: control.timestamp });
      }
      return;
    }
    if (!isMedia(type) || streamId === 0) return;
    const stream = this.#streams.of(streamId);
    if (stream === undefined) flow.reject(0);
    else stream.onMessage(message, flow, missing);
  }

  #onStreamCommand(streamId: number, command: Command, flow: TreeRecvFlow): void {
    const stream = this.#streams.of(streamId);
    if (stream === undefined) flow.reject(0);
    else if (!stream.onCommand(command)) this.#onCommand(command);
  }

  #onCommand(command: Command): void {
    const { name, transactionId, args } = command;
    if (name === "_result" || name === "_error") {
      this.#client?.onReply(name === "_error", transactionId, args[0]);
      return;
    }
    const addresses = setPeerInfoAddresses(command);
    const report = readReport(command);
    if (addresses !== undefined) {
      this.peer.report(addresses);
      this.#writer.reply(transactionId, null);
    } else if (report !== undefined) this.#host.onIntroductionReport(this.peer, report.peerId, report);
    else if (this.#state !== "accepted") this.#writer.fail(transactionId, `${name}: not connected`);
    else if (name === "createStream") this.#createStream(transactionId);
    else if (name === "deleteStream") this.#deleteStream(transactionId, args[0]);
    else if (name === "releaseStream") this.#releaseStream(transactionId, args[0]);
    else answerCall(this.#writer, this.#client?.exposed(name), command);
  }

  #onConnect({ transactionId, commandObject, args }: Command, encoding: ObjectEncoding): void {
    if (this.#state !== "waiting") {
      this.#writer.fail(transactionId, "connect: connected already");
      return;
    }
    this.#state = "pending";
    this.#connectId = transactionId;
    this.#connectEncoding = encoding;
    this.#writer.hold();
    const said = namedValues(commandObject) ?? {};
    this.#introduce(said);
    const { name, instance } = applicationPath(said);
    const path = instance === "" ? name : `${name}/${instance}`;
    const admission = admit(this.#host, name, path, args, this);
    if ("code" in admission) {
      this.#refuse(path, admission.code, admission.description);
      return;
    }
    this.user = admission.user;
    this.#ask(name, instance, admission.args, (reject) => {
      if (this.#state !== "pending") return;
      if (reject === undefined) this.#accept(admission.proof);
      else this.#reject(path, reject);
    });
  }

  /** Keeps what the client says of itself: no more, for there may be very many clients. */
  #introduce(said: Readonly<Record<string, AmfValue>>): void {
    const text = (value: AmfValue): string => (typeof value === "string" ? value : "");
    this.uri = text(said["tcUrl"]);
    this.pageUrl = text(said["pageUrl"]);
    this.referrer = text(said["swfUrl"]);
    this.agent = text(said["flashVer"]);
    this.#writer.objectEncoding = said["objectEncoding"] === 3 ? 3 : 0;
  }

  /** Enters the instance and asks its application. */
  #ask(name: string, instance: string, args: readonly AmfValue[], decide: (reject?: Reject) => void): void {
    let running: RunningApplication;
    try {
      running = this.#host.applications.enter(name, instance, this);
    } catch (error) {
      this.#host.onHandlerError(error);
      decide(new Reject());
      return;
    }
    this.#running = running;
    this.#client = new Client(this);
    if (this.#isFull()) decide(new Reject(null, FULL));
    else
      running.ask("onConnect", [this.#client, ...args], (reject) => {
        decide(reject ?? (this.#isFull() ? new Reject(null, FULL) : undefined));
      });
  }

  #isFull(): boolean {
    return this.app.clients.size >= this.#limits.maxClients;
  }

  #accept(proof: string | undefined): void {
    const client = this.#client;
    if (client === undefined) return;
    this.#state = "accepted";
    const { fingerprint, legacyIdentity, keepalive } = this.#host;
    const more = {
      objectEncoding: this.objectEncoding,
      connectionID: this.farID,
      serverFingerprint: fingerprint,
      introductionReports: true,
      ...(proof === undefined ? {} : { authToken: proof }),
      ...(legacyIdentity ? { legacyIdentity } : {}),
    };
    const code = "NetConnection.Connect.Success";
    this.#writer.status("_result", this.#connectId, code, "Connection succeeded.", more, this.#connectEncoding);
    this.#writer.control({ event: "setKeepalive", ...keepalive });
    this.peer.client = client;
    if (this.user?.isExclusive === true) this.#endOthersOf(this.user);
    this.app.add(client);
    this.#startTimers();
    const legacy = this.peer.session.security["legacy"] === true;
    this.log("connect", { app: this.app.path, outcome: "accepted", ...(legacy ? { legacy } : {}) });
    this.#writer.release();
    this.#running?.tell("onConnectAccept", client);
  }

  /** A user with `xcl` has one connection in an application: the newest. */
  #endOthersOf({ text }: User): void {
    for (const other of this.app.clients) {
      if (other.user?.text === text) void other.end("NetConnection.Connect.Rejected", "The user has connected again.");
    }
  }

  #startTimers(): void {
    const { user } = this;
    const idleMs = this.#limits.idleTimeoutMs;
    const lifeMs =
      user === undefined ? Number.POSITIVE_INFINITY : Math.min(user.expiresInMs, user.expiresAt - Date.now());
    if (idleMs === 0 && lifeMs === Number.POSITIVE_INFINITY) return;
    this.#timers = new ClientTimers(this.#host.clock, {
      idleMs,
      lifeMs,
      activity: () => (this.#streams.isInUse ? undefined : this.tree.stats.messages),
      onIdle: () => void this.endWith("NetConnection.Connect.IdleTimeout", "Nothing has been heard for too long."),
      onExpired: () => void this.endWith("NetConnection.Connect.Rejected", "The token has expired."),
    });
  }

  #reject(path: string, reject: Reject): void {
    this.#running?.app.refuse();
    this.#refuse(path, "NetConnection.Connect.Rejected", reject.message, reject.more);
    if (this.#client !== undefined) this.#running?.tell("onConnectReject", this.#client, reject);
  }

  /** The error, then an orderly close. */
  #refuse(path: string, code: StatusCode, text: string, more: AmfObject = {}): void {
    this.#state = "refused";
    this.log("connect", { app: path, outcome: code });
    const answer = (info: AmfObject): void =>
      this.#writer.status("_error", this.#connectId, code, text, info, this.#connectEncoding);
    try {
      answer(more);
    } catch (error) {
      // What the application gave cannot be sent.
      this.#host.onHandlerError(error);
      answer({});
    }
    void this.#closeTree();
  }

  /** In good order; a client that does not close its end in time is cut off, whatever it still sends. */
  async #closeTree(): Promise<void> {
    this.#cancelDeadline ??= this.#host.clock.after(CLOSE_DEADLINE_MS, () => this.session.abort());
    await this.tree.close();
  }

  #createStream(transactionId: number): void {
    const { maxStreams } = this.#limits;
    if (this.#streams.size < maxStreams) this.#writer.reply(transactionId, this.#streams.create());
    else this.#writer.fail(transactionId, `createStream: a client has at most ${maxStreams} streams`);
  }

  /** Clients ask for no answer as a rule; who calls it as a method gets one. */
  #deleteStream(transactionId: number, id: AmfValue): void {
    if (typeof id === "number") this.#streams.delete(id);
    this.#writer.reply(transactionId, null);
  }

  /** Encoders send it before they publish: what hangs under that name gives way, unless its priority is as high. */
  #releaseStream(transactionId: number, text: AmfValue): void {
    const stream = parseStreamName(text);
    if (stream !== undefined && !this.#host.introduceOnly) this.streams.release(stream.name, this.maxPriority);
    this.#writer.reply(transactionId, null);
  }

  /** Why there is no place for a publisher or player; undefined if there is one. */
  #refusal(use: StreamUse, { name }: StreamName): Refusal | undefined {
    const code = REFUSED[use];
    if (this.#host.introduceOnly) return { code, description: "This server only introduces peers." };
    const { maxPublishers, maxPlayers } = this.#limits;
    const { streams } = this.app;
    if (use === "play") {
      return streams.players < maxPlayers
        ? undefined
        : { code, description: "The application has no place for players." };
    }
    if ((this.user?.maxPublishers ?? Number.POSITIVE_INFINITY) <= this.#streams.published)
      return { code, description: "The token allows no further stream." };
    // Who takes a name over takes no further place.
    const takesOver = streams.streams.get(name)?.publisher !== undefined;
    if (takesOver || streams.publishers < maxPublishers) return undefined;
    return { code, description: "The application has no place for publishers." };
  }

  #onEnd(end: TreeEnd): void {
    const wasAccepted = this.#state === "accepted" || this.#state === "left";
    const wasTold = this.#state === "refused" || this.#state === "left";
    this.#state = "ended";
    this.#cancelDeadline?.();
    // Why a session ends is told behind the end of its flows.
    if (end === "session") queueMicrotask(() => this.#leave(reasonOf(this.session.closeReason)));
    else this.#leave();
    this.#host.counters.malformedMessages += this.tree.stats.malformed;
    if (wasAccepted) this.log("disconnect", { reason: end });
    this.#host.onEnd(this, wasTold);
  }

  /** The client has no streams, groups and rights any more; `reason`, if it did not want that. Nothing happens the second time. */
  #leave(reason?: UnpublishReason): void {
    this.#timers?.stop();
    this.#streams.end(reason);
    this.#host.groups.leaveAll(this);
    const client = this.#client;
    if (client !== undefined) {
      client.onGone();
      if (this.peer.client === client) this.peer.client = undefined;
    }
    const running = this.#running;
    if (running !== undefined) {
      if (client !== undefined && running.app.remove(client)) running.tell("onDisconnect", client);
      this.#host.applications.leave(running, this);
    }
  }

  // What trees call, as their methods: there may be very many.

  static readonly #tellEnd = function (this: MessageTree, end: TreeEnd): void {
    (this.context as Connection).#onEnd(end);
  };

  static readonly #tellRefused = function (this: MessageTree, streamId: number): void {
    (this.context as Connection).#streams.onRefused(streamId);
  };

  static readonly #tellMessage = function (
    this: MessageTree,
    streamId: number,
    message: RtmpMessage,
    flow: TreeRecvFlow,
    missing: number,
  ): void {
    (this.context as Connection).#onMessage(streamId, message, flow, missing);
  };
}

/** Why the streams of a client end whose session has ended so; undefined while we are closing it. */
function reasonOf(why: CloseReason | undefined): UnpublishReason | undefined {
  if (why === "far") return undefined;
  return why === undefined || why === "near" || why === "abusive" ? "removed" : "lost";
}

/** What a client is told that may not use a stream as it wants to. */
const REFUSED = { publish: "NetStream.Publish.Denied", play: "NetStream.Play.Failed" } as const;
const FULL = "The application is full.";
/** How long a client may take to close its end once it is told to go; ms. */
const CLOSE_DEADLINE_MS = 5_000;
