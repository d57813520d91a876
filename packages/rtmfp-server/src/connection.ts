/** One NetConnection of a client: commands in, answers out. § means RFC 7425. */
import { type Address, peerEpd, RtmfpError } from "rtmfp-core";
import {
  type AmfObject,
  type AmfValue,
  type Command,
  decodeCommand,
  decodeUserControl,
  MAX_STREAM_ID,
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
import type { Application, RunningApplication } from "./application.ts";
import { applicationPath } from "./application-path.ts";
import { Client, type ClientLink } from "./client.ts";
import type { ConnectionHost } from "./connection-host.ts";
import { ControlWriter } from "./control-writer.ts";
import { readReport } from "./introduction-report.ts";
import { type LogEntry, shortId } from "./log.ts";
import type { PeerEntry } from "./peers.ts";
import { Reject } from "./reject.ts";
import { ServerStream, type StreamHost } from "./server-stream.ts";
import type { StreamBroker } from "./stream-broker.ts";
import { kindOf } from "./stream-message.ts";

/** From the client's control flow to the end of its tree of flows. */
export class Connection implements ClientLink, StreamHost {
  readonly tree: MessageTree;
  readonly introduceOnly: boolean;
  connectObject: Readonly<Record<string, AmfValue>> = {};
  /** Whose connection it is. */
  readonly peer: PeerEntry;
  readonly #host: ConnectionHost<Connection>;
  readonly #writer: ControlWriter;
  readonly #streams = new Map<number, ServerStream>();
  #nextStreamId = 1;
  #state: "waiting" | "pending" | "accepted" | "ended" = "waiting";
  #running: RunningApplication | undefined;
  #client: Client | undefined;

  constructor(host: ConnectionHost<Connection>, peer: PeerEntry, tree: MessageTree) {
    this.#host = host;
    this.peer = peer;
    this.tree = tree;
    this.#writer = new ControlWriter(tree, () => this.onDropped());
    this.introduceOnly = host.introduceOnly;
    tree.onEnd = (end) => this.#onEnd(end);
    tree.onRefused = (streamId) => this.#streams.get(streamId)?.onRefused();
    tree.onMessage = (streamId, message, flow) => this.#onMessage(streamId, message, flow);
  }

  get app(): Application {
    if (this.#running === undefined) throw new RtmfpError("BAD_ARGUMENT", "the client has not connected yet");
    return this.#running.app;
  }

  /** True from the answer to `connect` to the end. */
  get isAccepted(): boolean {
    return this.#state === "accepted";
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

  command(name: string, transactionId: number, args: readonly AmfValue[]): void {
    this.#writer.command(name, transactionId, args);
  }

  introduce(to: Address, tag: Uint8Array): void {
    this.peer.session.sendFIHello(peerEpd(this.farID), to, tag);
  }

  async close(): Promise<void> {
    await this.tree.close();
  }

  /** Says why, then closes in good order. */
  async shutDown(): Promise<void> {
    if (this.#state === "accepted") {
      this.#writer.status("onStatus", 0, "NetConnection.Connect.AppShutdown", "The server is shutting down.");
    }
    await this.tree.close();
  }

  onMedia(payloadBytes: number): void {
    this.#host.counters.mediaMessages++;
    this.#host.counters.mediaBytes += payloadBytes;
  }

  onDropped(): void {
    this.#host.counters.droppedMessages++;
  }

  log(event: string, fields: LogEntry["fields"], level: LogEntry["level"] = "info"): void {
    this.#host.log({ level, event, fields: { client: shortId(this.farID), ...fields } });
  }

  #onMessage(streamId: number, message: RtmpMessage, flow: TreeRecvFlow): void {
    const { type } = message;
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
    const kind = kindOf(type);
    if (kind === undefined || streamId === 0) return;
    const stream = this.#streams.get(streamId);
    if (stream === undefined) flow.reject(0);
    else stream.onMessage(kind, message);
  }

  #onStreamCommand(streamId: number, command: Command, flow: TreeRecvFlow): void {
    const stream = this.#streams.get(streamId);
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
    if (addresses !== undefined) this.peer.report(addresses);
    else if (report !== undefined) this.#host.onIntroductionReport(this.peer, report.peerId, report);
    else if (this.#state !== "accepted") this.#writer.fail(transactionId, `${name}: not connected`);
    else if (name === "createStream") this.#createStream(transactionId);
    else if (name === "deleteStream") this.#deleteStream(transactionId, args[0]);
    else this.#call(command);
  }

  #onConnect({ transactionId, commandObject, args }: Command, encoding: ObjectEncoding): void {
    if (this.#state !== "waiting") {
      this.#writer.fail(transactionId, "connect: connected already");
      return;
    }
    this.#state = "pending";
    this.#writer.hold();
    this.connectObject = namedValues(commandObject) ?? {};
    this.#writer.objectEncoding = this.connectObject["objectEncoding"] === 3 ? 3 : 0;
    const { name, instance } = applicationPath(this.connectObject);
    if (!this.#host.applications.has(name) && !this.#host.keys.allows(name)) {
      this.#refuse(transactionId, encoding, "NetConnection.Connect.Failed", "Unknown developer key.", {});
      return;
    }
    const accept = (): void => this.#accept(transactionId, encoding);
    const reject = (error: unknown): void => this.#reject(transactionId, encoding, error);
    try {
      this.#running = this.#host.applications.enter(name, instance);
      this.#client = new Client(this);
      const answer = this.#running.handlers.onConnect?.(this.#client, ...args);
      if (answer instanceof Promise) answer.then(accept, reject);
      else accept();
    } catch (error) {
      reject(error);
    }
  }

  #accept(transactionId: number, objectEncoding: ObjectEncoding): void {
    const client = this.#client;
    if (this.#state !== "pending" || client === undefined) return;
    this.#state = "accepted";
    const { fingerprint, legacyIdentity, keepalive } = this.#host;
    const more = {
      objectEncoding: this.objectEncoding,
      connectionID: this.farID,
      serverFingerprint: fingerprint,
      introductionReports: true,
      ...(legacyIdentity ? { legacyIdentity } : {}),
    };
    const code = "NetConnection.Connect.Success";
    this.#writer.status("_result", transactionId, code, "Connection succeeded.", more, objectEncoding);
    this.#writer.control({ event: "setKeepalive", ...keepalive });
    this.peer.client = client;
    this.app.add(client);
    const legacy = this.peer.session.security["legacy"] === true;
    this.log("connect", { app: pathOf(this.app), outcome: "accepted", ...(legacy ? { legacy } : {}) });
    this.#writer.release();
  }

  #reject(transactionId: number, encoding: ObjectEncoding, error: unknown): void {
    if (this.#state !== "pending") return;
    if (error instanceof Reject) {
      const more = error.application === null ? {} : { application: error.application };
      this.#refuse(transactionId, encoding, "NetConnection.Connect.Rejected", error.message, more);
      return;
    }
    this.#host.onHandlerError(error);
    this.#refuse(transactionId, encoding, "NetConnection.Connect.Rejected", "Connection failed", {});
  }

  /** The error, then an orderly close. */
  #refuse(transactionId: number, encoding: ObjectEncoding, code: StatusCode, text: string, more: AmfObject): void {
    const { name, instance } = applicationPath(this.connectObject);
    this.log("connect", { app: instance === "" ? name : `${name}/${instance}`, outcome: code });
    try {
      this.#writer.status("_error", transactionId, code, text, more, encoding);
    } catch (error) {
      // What the application gave cannot be sent.
      this.#host.onHandlerError(error);
      this.#writer.status("_error", transactionId, code, text, {}, encoding);
    }
    void this.tree.close();
  }

  #createStream(transactionId: number): void {
    if (this.#streams.size >= MAX_STREAMS) {
      this.#writer.fail(transactionId, `createStream: a client has at most ${MAX_STREAMS} streams`);
      return;
    }
    const id = this.#nextFreeStreamId();
    this.#streams.set(id, new ServerStream(this, id));
    this.#writer.reply(transactionId, id);
  }

  /** Each ID once, until all 24 bits have been used. */
  #nextFreeStreamId(): number {
    for (;;) {
      const id = this.#nextStreamId;
      this.#nextStreamId = (id % MAX_STREAM_ID) + 1;
      if (!this.#streams.has(id)) return id;
    }
  }

  /** Clients ask for no answer as a rule; who calls it as a method gets one. */
  #deleteStream(transactionId: number, id: AmfValue): void {
    if (typeof id === "number") {
      this.#streams.get(id)?.end();
      if (this.#streams.delete(id)) this.tree.rejectStream(id);
    }
    this.#writer.reply(transactionId, null);
  }

  /** A call of the application's: what it exposed, a call that old clients make for no effect, or an error. */
  #call({ name, transactionId, args }: Command): void {
    const exposed = this.#client?.exposed(name);
    if (exposed === undefined) {
      if (QUIET_CALLS.has(name)) this.#writer.reply(transactionId, name === "getStreamLength" ? 0 : null);
      else this.#writer.fail(transactionId, `Method not found (${name}).`);
      return;
    }
    const fail = (error: unknown): void => {
      this.#writer.fail(transactionId, error instanceof Error ? error.message : "The call failed.");
    };
    try {
      const result = exposed(...args);
      if (result instanceof Promise) {
        result.then((value) => this.#writer.reply(transactionId, value as AmfValue)).catch(fail);
      } else this.#writer.reply(transactionId, result as AmfValue);
    } catch (error) {
      fail(error);
    }
  }

  #onEnd(end: TreeEnd): void {
    const wasAccepted = this.#state === "accepted";
    this.#state = "ended";
    for (const stream of this.#streams.values()) stream.end();
    this.#streams.clear();
    this.#host.counters.malformedMessages += this.tree.stats.malformed;
    const client = this.#client;
    if (client !== undefined) {
      client.onGone();
      if (this.peer.client === client) this.peer.client = undefined;
    }
    const running = this.#running;
    if (running !== undefined) {
      if (client !== undefined && running.app.remove(client)) this.#tellGone(running, client);
      this.#host.applications.leave(running);
    }
    if (wasAccepted) this.log("disconnect", { reason: end });
    this.#host.onEnd(this);
  }

  #tellGone({ handlers }: RunningApplication, client: Client): void {
    try {
      handlers.onDisconnect?.(client);
    } catch (error) {
      this.#host.onHandlerError(error);
    }
  }
}

function pathOf(app: Application): string {
  return app.instance === "" ? app.name : `${app.name}/${app.instance}`;
}

/** Calls of old clients and encoders that need an answer and nothing else. */
const QUIET_CALLS: ReadonlySet<string> = new Set([
  "releaseStream",
  "FCPublish",
  "FCUnpublish",
  "FCSubscribe",
  "FCUnsubscribe",
  "getStreamLength",
  "checkBandwidth",
  "_checkbw",
  "initStream",
  "closeStream",
]);
/** Streams that one client may have at a time. */
export const MAX_STREAMS = 256;
