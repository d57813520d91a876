/** Reads the messages of a played stream: tags, calls of handlers, status events. */
import { aggregateTags, type FlvTag, type FlvTagType, GopGuard } from "rtmfp-core/flv";
import {
  decodeCommand,
  decodeData,
  decodeUserControl,
  MessageType,
  type RtmpMessage,
  type StatusEvent,
} from "rtmfp-core/tc";
import type { Clock } from "./clock.ts";
import { streamStatus } from "./status-error.ts";
import { TagMerger } from "./tag-merger.ts";

/** What a played stream tells. */
export interface PlayHost {
  tag(tag: FlvTag): void;
  /** A tag, or several in a row, did not arrive; or a picture did that cannot be shown without those before it. */
  lost(type: FlvTagType): void;
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
  #begun = false;
  #ended = false;

  constructor(host: PlayHost, clock: Clock, reorderMs: number) {
    this.#host = host;
    this.#merger = new TagMerger(clock, reorderMs, (tag) => this.#onTag(tag));
  }

  /**
   * `missing` fragments of the `source`, such as a flow, were given up in front of the message: then pictures are left out until a key frame.
   * @throws AmfError for a command that is none; the tree counts it.
   */
  message(message: RtmpMessage, source: object, missing: number): void {
    if (this.#ended) return;
    const { type, timestamp, payload } = message;
    switch (type) {
      case MessageType.audio:
        this.#push({ type: "audio", timestamp, data: payload }, source, missing);
        return;
      case MessageType.video:
        this.#push({ type: "video", timestamp, data: payload }, source, missing);
        return;
      case MessageType.dataAmf0:
        this.#push({ type: "data", timestamp, data: payload }, source, missing);
        return;
      case MessageType.dataAmf3:
        // Without its format selector it is AMF0 that may change to AMF3, as in type 18.
        this.#push({ type: "data", timestamp, data: payload.subarray(1) }, source, missing);
        return;
      case MessageType.aggregate:
        for (const [i, tag] of aggregateTags(payload, timestamp).entries())
          this.#push(tag, source, i === 0 ? missing : 0);
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

  /** Whether the sender is asked for sound, or pictures: what is not to come is not waited for. */
  expect(kind: "audio" | "video", expected: boolean): void {
    this.#merger.expect(kind, expected);
  }

  /** Nothing follows: passes on what waits for its turn. */
  end(): void {
    if (this.#ended) return;
    this.#merger.flush();
    this.#ended = true;
  }

  #push(tag: FlvTag, source: object, missing: number): void {
    if (missing > 0) this.#host.lost(tag.type);
    if (!this.#guard.passes(tag, source, missing)) {
      this.#host.lost(tag.type);
      return;
    }
    if (tag.data.length === 0) return;
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
    const event = name === "onStatus" ? streamStatus(args[0]) : undefined;
    if (event === undefined) return;
    if (RESTARTS.has(event.code)) this.#merger.reset();
    else if (event.code === "NetStream.Play.Stop") this.#merger.flush();
    this.#host.status(event);
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
