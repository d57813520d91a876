/** What a publishing NetStream writes to: the server, or peers. */
import type { FlvTag } from "rtmfp-core/flv";
import type { AmfValue, StatusEvent } from "rtmfp-core/tc";
import type { TagReceipt } from "./feed.ts";

export interface Publication {
  /** Resolves when there is room for more. */
  readonly ready: Promise<unknown>;
  write(tag: FlvTag): TagReceipt;
  /** Sends a data message to all subscribers. */
  send(handler: string, args: readonly AmfValue[]): void;
  /** Ends the stream; resolves when everything written has been delivered or abandoned. */
  close(): Promise<void>;
}

/** What a publication tells its NetStream. */
export interface PublicationHost {
  status(event: StatusEvent): void;
  /** It ended by itself. */
  ended(): void;
}

/** Of a tag that nobody takes. */
export const NOT_TAKEN: TagReceipt = { done: Promise.resolve("abandoned") };
