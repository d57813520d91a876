/** Reads the messages of a played stream: tags, calls of handlers, status events. */
import { FlvReader, type FlvTag, GopGuard } from "rtmfp-core/flv";
import {
  decodeCommand,
  decodeData,
  decodeUserControl,
  MessageType,
  parseStatus,
  type RtmpMessage,
  type StatusEvent,
  type TreeRecvFlow,
} from "rtmfp-core/tc";
import type { Clock } from "./clock.ts";
import { TagMerger } from "./tag-merger.ts";

/** What a played stream tells. */
export interface PlayHost {
  tag(tag: FlvTag): void;
  status(event: StatusEvent): void;
  /** A data message for a handler, such as onMetaData. */
  data(name: string, args: readonly unknown[]): void;
  /** The publisher has begun: a StreamBegin, or the first media (RFC 7425 §5.4.2). */
  begun(): void;
}

export class PlayInput {
  readonly #host: PlayHost;
  readonly #merger: TagMerger;
  readonly #guard = new GopGuard();
  /** Flows that have brought pictures: what is missing in them may have been one. */
  readonly #videoFlows = new WeakSet<TreeRecvFlow>();
  #begun = false;
  #ended = false;

  constructor(host: PlayHost, clock: Clock, reorderMs: number) {
    this.#host = host;
    this.#merger = new TagMerger(clock, reorderMs, (tag) => this.#onTag(tag));
  }

  /**
   * `missing` fragments of the flow were given up in front of the message: then pictures are left out until a key frame.
   * @throws AmfError for a command that is none; the tree counts it.
   */
  message(message: RtmpMessage, flow: TreeRecvFlow, missing: number): void {
    if (this.#ended) return;
    if (message.type === MessageType.video || message.type === MessageType.aggregate) this.#videoFlows.add(flow);
    if (missing > 0 && this.#videoFlows.has(flow)) this.#guard.gap();
    switch (message.type) {
      case MessageType.audio:
        this.#push({ type: "audio", timestamp: message.timestamp, data: message.payload });
        return;
      case MessageType.video:
        this.#push({ type: "video", timestamp: message.timestamp, data: message.payload });
        return;
      case MessageType.dataAmf0:
        this.#push({ type: "data", timestamp: message.timestamp, data: message.payload });
        return;
      case MessageType.dataAmf3:
        // Without its format selector it is AMF0 that may change to AMF3, as in type 18.
        this.#push({ type: "data", timestamp: message.timestamp, data: message.payload.subarray(1) });
        return;
      case MessageType.aggregate:
        this.#onAggregate(message);
        return;
      case MessageType.commandAmf0:
      case MessageType.commandAmf3:
        this.#onCommand(message);
        return;
      case MessageType.userControl:
        if (decodeUserControl(message.payload)?.event === "streamBegin") this.#begin();
        return;
      default:
        return;
    }
  }

  /** Nothing follows: passes on what waits for its turn. */
  end(): void {
    if (this.#ended) return;
    this.#merger.flush();
    this.#ended = true;
  }

  #push(tag: FlvTag): void {
    if (tag.data.length === 0 || !this.#guard.passes(tag)) return;
    this.#begin();
    this.#merger.push(tag);
  }

  #begin(): void {
    if (this.#begun) return;
    this.#begun = true;
    this.#host.begun();
  }

  #onCommand(message: RtmpMessage): void {
    const { name, args } = decodeCommand(message);
    const event = name === "onStatus" ? parseStatus(args[0]) : undefined;
    if (event === undefined) return;
    if (RESTARTS.has(event.code)) this.#merger.reset();
    else if (event.code === "NetStream.Play.Stop") this.#merger.flush();
    this.#host.status(event);
  }

  /** Sub-messages look like FLV tags; their times count from the first one's, which stands for the aggregate's. */
  #onAggregate(message: RtmpMessage): void {
    let tags: FlvTag[];
    try {
      tags = new FlvReader({ header: false }).push(message.payload);
    } catch {
      return;
    }
    const shift = message.timestamp - (tags[0]?.timestamp ?? 0);
    for (const tag of tags) this.#push({ ...tag, timestamp: (tag.timestamp + shift) >>> 0 });
  }

  #onTag(tag: FlvTag): void {
    if (tag.type === "data") {
      const { name, args } = decodeTag(tag);
      if (name === SAMPLE_ACCESS) return;
      if (name !== "") this.#host.data(name, args);
    }
    this.#host.tag(tag);
  }
}

function decodeTag(tag: FlvTag): { name: string; args: readonly unknown[] } {
  try {
    return decodeData({ type: MessageType.dataAmf0, timestamp: tag.timestamp, payload: tag.data });
  } catch {
    return { name: "", args: [] };
  }
}

/** After these the stream's time starts anew. */
const RESTARTS: ReadonlySet<string> = new Set(["NetStream.Play.Reset", "NetStream.Play.PublishNotify"]);
/** What servers say about the player's rights; no part of the stream. */
const SAMPLE_ACCESS = "|RtmpSampleAccess";
