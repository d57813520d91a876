/** One subscriber of a live stream: what it gets, and what it misses when it is too slow. § means RFC 7425. */
import {
  type AmfObject,
  encodeCommand,
  encodeUserControl,
  type ObjectEncoding,
  type StatusCode,
  statusInfo,
} from "rtmfp-core/tc";
import type { Publisher } from "./live-stream.ts";
import type { StreamFlows } from "./stream-flows.ts";
import type { StreamMessage } from "./stream-message.ts";

/** What a subscription needs to know of its client. */
export interface SubscriptionOptions {
  readonly name: string;
  readonly streamId: number;
  readonly flows: StreamFlows;
  readonly objectEncoding: ObjectEncoding;
  readonly clientId: string;
  /** Told of each message that was left out because the client was too slow. */
  readonly onDropped: () => void;
}

/**
 * Pictures are dropped by whole groups: from the first message that finds too much waiting until a key frame that finds
 * little waiting. Sound is dropped while too much waits.
 */
export class Subscription {
  readonly #options: SubscriptionOptions;
  #paused = false;
  #audio = true;
  #video = true;
  /** Pictures are left out until the next key frame. */
  #awaitsKeyFrame = false;
  /** Sound is left out until little waits. */
  #congested = false;

  constructor(options: SubscriptionOptions) {
    this.#options = options;
  }

  /** Begins: StreamBegin on a flow of the stream (§5.3.7), then `Play.Reset` if asked for, and `Play.Start`. */
  start(reset: boolean): void {
    const { name, streamId, flows } = this.#options;
    flows.write("main", encodeUserControl({ event: "streamBegin", streamId }));
    if (reset) this.status("NetStream.Play.Reset", `Playing and resetting ${name}.`);
    this.status("NetStream.Play.Start", `Started playing ${name}.`);
  }

  onPublish(publisher: Publisher): void {
    this.#awaitsKeyFrame = false;
    this.#congested = false;
    this.status("NetStream.Play.PublishNotify", `${this.#options.name} is now published.`, {
      clientid: publisher.clientId,
      ...publisher.notice,
    });
  }

  onUnpublish(): void {
    this.status("NetStream.Play.UnpublishNotify", `${this.#options.name} is now unpublished.`);
  }

  /** Leaves out pictures until the next key frame. */
  awaitKeyFrame(): void {
    this.#awaitsKeyFrame = true;
  }

  pause(paused: boolean): void {
    this.#resumeVideo(this.#paused && !paused);
    this.#paused = paused;
    const { name } = this.#options;
    if (paused) this.status("NetStream.Pause.Notify", `Pausing ${name}.`);
    else this.status("NetStream.Unpause.Notify", `Unpausing ${name}.`);
  }

  receiveAudio(wanted: boolean): void {
    this.#audio = wanted;
  }

  receiveVideo(wanted: boolean): void {
    this.#resumeVideo(!this.#video && wanted);
    this.#video = wanted;
  }

  /** Passes a message on, unless the client does not want it or is too slow for it. */
  write(message: StreamMessage): void {
    if (!this.#takes(message)) return;
    const { flows, objectEncoding, onDropped } = this.#options;
    const kind = message.type === "data" ? "main" : message.type;
    const bytes = message.bytes(objectEncoding);
    if (bytes !== undefined && flows.write(kind, bytes)) return;
    if (message.type === "video") this.#awaitsKeyFrame = true;
    onDropped();
  }

  /** Stream EOF behind everything written (§5.2), then the flows end. */
  stop(): void {
    const { name, streamId, flows } = this.#options;
    this.status("NetStream.Play.Stop", `Stopped playing ${name}.`);
    flows.write("main", encodeUserControl({ event: "streamEof", streamId }));
  }

  /** Sends a status event on the stream. */
  status(code: StatusCode, description: string, more: AmfObject = {}): void {
    const { name, flows, objectEncoding, clientId } = this.#options;
    const info = statusInfo(code, description, { details: name, clientid: clientId, ...more });
    flows.write(
      "main",
      encodeCommand({ name: "onStatus", transactionId: 0, commandObject: null, args: [info] }, { objectEncoding }),
    );
  }

  #takes(message: StreamMessage): boolean {
    if (message.type === "data" || message.isSequenceHeader) return true;
    if (this.#paused || (message.type === "audio" ? !this.#audio : !this.#video)) return false;
    if (this.#hasRoom(message)) return true;
    this.#options.onDropped();
    return false;
  }

  #hasRoom(message: StreamMessage): boolean {
    const waiting = this.#options.flows.bufferedBytes;
    if (waiting > MAX_WAITING_BYTES) this.#congested = true;
    else if (waiting <= RESUME_BYTES) this.#congested = false;
    if (message.type === "audio") return !this.#congested;
    if (message.isKeyFrame) this.#awaitsKeyFrame = false;
    if (this.#congested) this.#awaitsKeyFrame = true;
    return !this.#awaitsKeyFrame;
  }

  #resumeVideo(resumes: boolean): void {
    if (resumes) this.#awaitsKeyFrame = true;
  }
}

/** Bytes waiting for one subscriber of one stream beyond which messages are dropped. */
export const MAX_WAITING_BYTES: number = 768 * 1024;
/** Bytes waiting at which a subscriber gets everything again. */
export const RESUME_BYTES: number = 192 * 1024;
