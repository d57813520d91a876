/** One subscriber of a live stream: what it gets, and what it misses when it is too slow. § means RFC 7425. */
import {
  type AmfObject,
  encodeCommand,
  encodeUserControl,
  GopChain,
  type MediaLifetimes,
  type ObjectEncoding,
  type StatusCode,
  statusInfo,
  type TreeReceipt,
  writeWithin,
} from "rtmfp-core/tc";
import type { Publisher, UnpublishReason } from "./live-stream.ts";
import type { StreamFlows } from "./stream-flows.ts";
import type { StreamMessage } from "./stream-message.ts";

/** What a subscription needs to know of its client. */
export interface SubscriptionOptions {
  readonly name: string;
  readonly streamId: number;
  readonly flows: StreamFlows;
  readonly objectEncoding: ObjectEncoding;
  readonly clientId: string;
  /** How long media may wait for the client. */
  readonly lifetimes: Readonly<MediaLifetimes>;
  /** Told of each message that was left out or given up because the client was too slow. */
  readonly onDropped: () => void;
}

/**
 * What waits for too long is given up, and while too much waits nothing is added. Of pictures that concerns the rest of
 * their group; they go on with a key frame. Data, metadata and decoder configuration are sent until they arrive.
 */
export class Subscription {
  readonly #options: SubscriptionOptions;
  #paused = false;
  #audio = true;
  #video = true;
  #pictures = new GopChain();
  /** Media is left out until little waits. */
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
    this.#pictures = new GopChain();
    this.#congested = false;
    this.status("NetStream.Play.PublishNotify", `${this.#options.name} is now published.`, {
      clientid: publisher.clientId,
      ...publisher.notice,
    });
  }

  onUnpublish(reason?: UnpublishReason): void {
    const what = `${this.#options.name} is now unpublished`;
    if (reason === undefined) this.status("NetStream.Play.UnpublishNotify", `${what}.`);
    else this.status("NetStream.Play.UnpublishNotify", `${what}: ${REASONS[reason]}.`, { reason });
  }

  /** Leaves out pictures until the next key frame. */
  awaitKeyFrame(): void {
    this.#pictures.break();
  }

  pause(paused: boolean): void {
    if (this.#paused && !paused) this.#pictures.break();
    this.#paused = paused;
    const { name } = this.#options;
    if (paused) this.status("NetStream.Pause.Notify", `Pausing ${name}.`);
    else this.status("NetStream.Unpause.Notify", `Unpausing ${name}.`);
  }

  receiveAudio(wanted: boolean): void {
    this.#audio = wanted;
  }

  receiveVideo(wanted: boolean): void {
    if (!this.#video && wanted) this.#pictures.break();
    this.#video = wanted;
  }

  /** Passes a message on, unless the client does not want it or is too slow for it. */
  write(message: StreamMessage): void {
    const isFrame = message.type !== "data" && !message.isSequenceHeader;
    if (isFrame && !this.#wants(message)) return;
    const { objectEncoding, onDropped } = this.#options;
    const bytes = message.bytes(objectEncoding);
    const receipt =
      bytes === undefined || (isFrame && !this.#hasRoom(message)) ? undefined : this.#send(message, bytes);
    if (receipt === undefined) onDropped();
    else if (isFrame) void receipt.done.then(this.#countLate);
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

  #wants({ type }: StreamMessage): boolean {
    return !this.#paused && (type === "audio" ? this.#audio : this.#video);
  }

  #hasRoom({ type }: StreamMessage): boolean {
    const waiting = this.#options.flows.bufferedBytes;
    if (waiting > MAX_WAITING_BYTES) this.#congested = true;
    else if (waiting <= RESUME_BYTES) this.#congested = false;
    if (this.#congested && type === "video") this.#pictures.break();
    return !this.#congested;
  }

  #send(message: StreamMessage, bytes: Uint8Array): TreeReceipt | undefined {
    const { flows, lifetimes } = this.#options;
    const { type, isKeyFrame, isSequenceHeader } = message;
    if (type === "data") return flows.write("main", bytes);
    if (isSequenceHeader) return flows.write(type, bytes);
    if (type === "audio") return flows.write(type, bytes, writeWithin(lifetimes.audioMs, lifetimes.finishMarginMs));
    return this.#pictures.write(isKeyFrame, lifetimes, (options) => flows.write(type, bytes, options));
  }

  readonly #countLate = (outcome: "delivered" | "abandoned"): void => {
    const { flows, onDropped } = this.#options;
    if (outcome === "abandoned" && flows.isWanted) onDropped();
  };
}

const REASONS: Readonly<Record<UnpublishReason, string>> = {
  lost: "its publisher is lost",
  removed: "the server has taken it from its publisher",
};
/** Bytes waiting for one subscriber of one stream beyond which messages are dropped. */
export const MAX_WAITING_BYTES: number = 768 * 1024;
/** Bytes waiting at which a subscriber gets everything again. */
export const RESUME_BYTES: number = 192 * 1024;
