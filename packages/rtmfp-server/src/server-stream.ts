/** A stream that a client has created: it publishes by it, or plays. § means RFC 7425. */
import { aggregateTags, type FlvTagType, GopGuard } from "rtmfp-core/flv";
import {
  AmfError,
  type AmfObject,
  type AmfValue,
  type Command,
  decodeData,
  encodeCommand,
  type MessageTree,
  MessageType,
  type ObjectEncoding,
  type RtmpMessage,
  type StatusCode,
  statusInfo,
  type TreeRecvFlow,
} from "rtmfp-core/tc";
import { withoutFirstValue } from "./data-frame.ts";
import type { LiveStream, UnpublishReason } from "./live-stream.ts";
import type { BrokerPublisher, StreamBroker } from "./stream-broker.ts";
import { StreamFlows } from "./stream-flows.ts";
import { lifetimesOf } from "./stream-lifetimes.ts";
import { kindOf, StreamMessage } from "./stream-message.ts";
import { hashName, isHashName, MAX_NAME, parseStreamName, priorityOf, type StreamName } from "./stream-name.ts";
import { Subscription } from "./subscription.ts";

/** What a stream needs of its connection. */
export interface StreamHost {
  readonly tree: MessageTree;
  readonly clientId: string;
  readonly objectEncoding: ObjectEncoding;
  readonly streams: StreamBroker;
  /** Highest priority that the client may publish by. */
  readonly maxPriority: number;
  /** What the client's token calls it; `""` without one. */
  readonly publisherName: string;
  /** May the client do it? `decide` is called once, now or later; without a refusal it may. */
  permit(use: StreamUse, stream: StreamName, decide: (refusal?: Refusal) => void): void;
  /** What had been permitted, and begun, is over. */
  onOver(use: StreamUse, stream: StreamName): void;
  onMedia(payloadBytes: number): void;
  onSent(bytes: number): void;
  onDropped(): void;
  /** What an application gave cannot be sent. */
  onUnsendable(error: AmfError): void;
  log(event: "publish" | "unpublish" | "play" | "stop", fields: Readonly<Record<string, string>>): void;
}

/** What a client does with a stream. */
export type StreamUse = "publish" | "play";

/** Why a client may not publish or play. */
export interface Refusal {
  readonly code: StatusCode;
  readonly description: string;
  /** What else it is told. */
  readonly more?: AmfObject;
}

/** See the file's head. */
export class ServerStream implements BrokerPublisher {
  readonly id: number;
  notice: AmfObject = {};
  readonly #host: StreamHost;
  #flows: StreamFlows;
  #published: { readonly stream: LiveStream; readonly name: StreamName } | undefined;
  #played: { readonly stream: LiveStream; readonly name: StreamName; readonly subscription: Subscription } | undefined;
  /** Of what the client publishes. */
  #guard = new GopGuard();
  /** The use that waits for its permission. */
  #asked: StreamName | undefined;

  constructor(host: StreamHost, id: number) {
    this.#host = host;
    this.id = id;
    this.#flows = this.#makeFlows();
  }

  get clientId(): string {
    return this.#host.clientId;
  }

  /** The client publishes or plays by it. */
  get isInUse(): boolean {
    return this.#published !== undefined || this.#played !== undefined;
  }

  /** The client publishes by it. */
  get isPublished(): boolean {
    return this.#published !== undefined;
  }

  /** A command on the stream. False if there is none of that name. */
  onCommand({ name, args }: Command): boolean {
    const [first] = args;
    const subscription = this.#played?.subscription;
    switch (name) {
      case "publish":
        if (first === false) this.#stop();
        else this.#publish(first);
        return true;
      case "play":
        if (first === false) this.#stop();
        else this.#play(args);
        return true;
      case "closeStream":
        this.#stop();
        return true;
      case "pause":
      case "pauseRaw":
        subscription?.pause(first !== false);
        return true;
      case "receiveAudio":
        subscription?.receiveAudio(first !== false);
        return true;
      case "receiveVideo":
        subscription?.receiveVideo(first !== false);
        return true;
      case "seek":
        subscription?.status("NetStream.Seek.Failed", "A live stream has one place to be.");
        return true;
      default:
        return false;
    }
  }

  /**
   * Audio, video, data, or an aggregate of them on the stream; `missing` fragments of the flow were given up in front of it.
   * @throws AmfError for data that is none.
   */
  onMessage(message: RtmpMessage, flow: TreeRecvFlow, missing: number): void {
    const stream = this.#published?.stream;
    const kind = kindOf(message.type);
    if (stream === undefined) return;
    if (message.type === MessageType.aggregate) this.#onAggregate(message, flow, missing);
    else if (kind === "data") this.#onData(stream, message);
    else if (kind !== undefined) {
      this.#host.onMedia(message.payload.length);
      const media = new StreamMessage(kind, message);
      // Pictures that cannot be shown are of no use to anybody.
      if (this.#guard.passes(media, flow, missing)) stream.relay(media);
      else this.#host.onDropped();
    }
  }

  /** The far end has rejected a flow of the stream: it does not want the rest (§5.3.5.3). */
  onRefused(): void {
    this.#asked = undefined;
    this.#flows.close();
    this.#endPlay();
  }

  /** The stream is deleted, or its connection gone; `reason`, if not as the client wanted. */
  end(reason?: UnpublishReason): void {
    this.#asked = undefined;
    this.#endPublish(reason);
    this.#endPlay();
    this.#flows.close();
  }

  onTaken(why: string): void {
    const published = this.#published;
    this.#published = undefined;
    if (published === undefined) return;
    const { name } = published.name;
    this.#status("NetStream.Publish.BadName", why, { details: name });
    this.#host.log("unpublish", { stream: name, reason: "taken" });
    this.#host.onOver("publish", published.name);
  }

  #publish(text: AmfValue): void {
    this.#stop();
    this.#renewFlows();
    const name = parseStreamName(text);
    if (name === undefined) {
      this.#status("NetStream.Publish.BadName", NO_NAME);
      return;
    }
    const priority = priorityOf(name, this.#host.maxPriority);
    if (this.#canPublish(name, priority)) this.#permitted("publish", name, () => this.#startPublish(name, priority));
  }

  #canPublish({ name }: StreamName, priority: number): boolean {
    if (isHashName(name)) {
      this.#status("NetStream.Publish.BadName", "A hash is a name to play by, not to publish by.", { details: name });
      return false;
    }
    if (this.#host.streams.isFree(name, priority)) return true;
    this.#status("NetStream.Publish.BadName", `${name} is already published.`, { details: name });
    this.#host.log("publish", { stream: name, outcome: "taken" });
    return false;
  }

  #startPublish(name: StreamName, priority: number): void {
    if (!this.#canPublish(name, priority)) return;
    // The publisher hears of its success before anybody hears of the stream.
    const { publisherName, streams } = this.#host;
    const known = { hashname: hashName(name.name), priority };
    this.#status("NetStream.Publish.Start", `${name.name} is now published.`, { details: name.name, ...known });
    this.notice = publisherName === "" ? known : { ...known, publisherName };
    const stream = streams.publish(name.name, this, priority);
    this.#published = stream === undefined ? undefined : { stream, name };
    this.#guard = new GopGuard();
    this.#host.log("publish", { stream: name.name, outcome: "started" });
  }

  #play([text, start, , reset]: readonly AmfValue[]): void {
    this.#asked = undefined;
    this.#endPublish();
    this.#endPlay();
    this.#renewFlows();
    const name = parseStreamName(text);
    if (name === undefined) {
      this.#status("NetStream.Play.Failed", NO_NAME);
      return;
    }
    // From 0 on, `start` asks for a recording (Adobe's NetStream.play).
    if (typeof start === "number" && start >= 0) {
      const details = { details: name.name };
      this.#status("NetStream.Play.StreamNotFound", `There is no recording of ${name.name}.`, details);
      return;
    }
    this.#permitted("play", name, () => this.#startPlay(name, reset !== false && reset !== 0));
  }

  #startPlay(name: StreamName, reset: boolean): void {
    const { objectEncoding, clientId } = this.#host;
    const subscription = new Subscription({
      name: name.name,
      streamId: this.id,
      flows: this.#flows,
      objectEncoding,
      clientId,
      lifetimes: lifetimesOf(name.parameters),
      onDropped: () => this.#host.onDropped(),
    });
    subscription.start(reset);
    this.#played = { stream: this.#host.streams.subscribe(name.name, subscription), name, subscription };
    this.#host.log("play", { stream: name.name });
  }

  /** Goes on once the application has permitted it, unless the client has asked for something else meanwhile. */
  #permitted(use: StreamUse, name: StreamName, go: () => void): void {
    this.#asked = name;
    this.#host.permit(use, name, (refusal) => {
      if (this.#asked !== name) return;
      this.#asked = undefined;
      if (refusal === undefined) {
        go();
        return;
      }
      const { code, description, more } = refusal;
      this.#host.log(use, { stream: name.name, outcome: "refused" });
      try {
        this.#status(code, description, { details: name.name, ...more });
      } catch (error) {
        if (!(error instanceof AmfError)) throw error;
        this.#host.onUnsendable(error);
        this.#status(code, description, { details: name.name });
      }
    });
  }

  #onAggregate({ payload, timestamp }: RtmpMessage, flow: TreeRecvFlow, missing: number): void {
    for (const [i, tag] of aggregateTags(payload, timestamp).entries()) {
      const message = { type: TYPES[tag.type], timestamp: tag.timestamp, payload: tag.data };
      this.onMessage(message, flow, i === 0 ? missing : 0);
    }
  }

  #onData(stream: LiveStream, message: RtmpMessage): void {
    const data = decodeData(message);
    if (data.name === "@setDataFrame" && typeof data.args[0] === "string") {
      stream.setDataFrame(data.args[0], new StreamMessage("data", withoutFirstValue(message, data)));
    } else if (data.name === "@clearDataFrame") stream.clearDataFrame(data.args[0]);
    else stream.relay(new StreamMessage("data", message));
  }

  #stop(): void {
    this.#asked = undefined;
    if (this.#published !== undefined) {
      const { name } = this.#published.name;
      this.#endPublish();
      this.#status("NetStream.Unpublish.Success", `${name} is now unpublished.`, { details: name });
    }
    this.#played?.subscription.stop();
    this.#endPlay();
  }

  #endPublish(reason?: UnpublishReason): void {
    const published = this.#published;
    if (published === undefined) return;
    this.#published = undefined;
    this.#host.streams.unpublish(published.stream, this, reason);
    this.#host.log("unpublish", { stream: published.name.name, ...(reason === undefined ? {} : { reason }) });
    this.#host.onOver("publish", published.name);
  }

  #endPlay(): void {
    const played = this.#played;
    if (played === undefined) return;
    this.#played = undefined;
    this.#host.streams.unsubscribe(played.stream, played.subscription);
    this.#host.log("stop", { stream: played.name.name });
    this.#host.onOver("play", played.name);
  }

  /** Once the far end has refused the stream's flows, only its asking anew makes it wanted again. */
  #renewFlows(): void {
    if (this.#flows.isWanted) return;
    this.#host.tree.clearRefused(this.id);
    this.#flows = this.#makeFlows();
  }

  #makeFlows(): StreamFlows {
    return new StreamFlows(this.#host.tree, this.id, (bytes) => this.#host.onSent(bytes));
  }

  #status(code: StatusCode, description: string, more: AmfObject = {}): void {
    const { clientId, objectEncoding } = this.#host;
    const info = statusInfo(code, description, { clientid: clientId, ...more });
    this.#flows.write(
      "main",
      encodeCommand({ name: "onStatus", transactionId: 0, commandObject: null, args: [info] }, { objectEncoding }),
    );
  }
}

const NO_NAME = `The name of a stream has 1 to ${MAX_NAME} characters.`;
const TYPES: Readonly<Record<FlvTagType, number>> = {
  audio: MessageType.audio,
  video: MessageType.video,
  data: MessageType.dataAmf0,
};
