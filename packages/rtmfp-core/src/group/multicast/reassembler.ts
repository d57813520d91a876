/** Puts messages of a stream together again. */
import type { Fragment } from "../wire/fragment.ts";

/** A message of a stream. */
export interface MediaMessage {
  /** RTMP message type: 8 sound, 9 pictures, 15 and 18 data, 17 and 20 commands. */
  readonly type: number;
  /** ms since the stream began. */
  readonly timestamp: number;
  /** Without a header. Owned by the stream, which relays the same bytes to others: do not modify. */
  readonly payload: Uint8Array;
}

/** Takes fragments in order, and gives messages. */
export class Reassembler {
  readonly #deliver: (message: MediaMessage, missing: number) => void;
  #parts: Uint8Array[] = [];
  #bytes = 0;
  /** Type and time of the message that is open, or was the last. */
  #type = 0;
  #timestamp = 0;
  #open = false;
  /** A message ended with the fragment before this one. */
  #complete = false;
  /** Fragments lost since the last message. */
  #missing = 0;

  /** `missing` counts the fragments lost between a message and the one before. */
  constructor(deliver: (message: MediaMessage, missing: number) => void) {
    this.#deliver = deliver;
  }

  /** The next fragment. Middle and last parts whose message did not begin are dropped. */
  add(fragment: Fragment): void {
    const { kind, payload } = fragment;
    switch (kind) {
      case "whole":
      case "start":
        this.#begin(fragment);
        if (kind === "whole") this.#finish();
        return;
      case "next":
        if (this.#open) this.#append(payload);
        return;
      case "end":
        // Some peers send a message as a last part alone: it has type and time of the message before.
        if (!this.#open && this.#complete) this.#open = true;
        if (!this.#open) return;
        this.#append(payload);
        if (this.#open) this.#finish();
    }
  }

  /** `count` fragments are lost: what is open will never be complete. */
  skip(count: number): void {
    this.#missing += count;
    this.#drop();
  }

  #begin({ type, timestamp, payload }: Fragment): void {
    if (this.#open) this.#missing++;
    this.#drop();
    this.#open = true;
    this.#type = type;
    this.#timestamp = timestamp;
    this.#append(payload);
  }

  #append(payload: Uint8Array): void {
    this.#parts.push(payload);
    this.#bytes += payload.length;
    if (this.#bytes > MAX_MESSAGE_BYTES) this.skip(this.#parts.length);
  }

  #finish(): void {
    const payload = this.#parts.length === 1 ? (this.#parts[0] as Uint8Array) : join(this.#parts, this.#bytes);
    const missing = this.#missing;
    this.#missing = 0;
    this.#drop();
    this.#complete = true;
    this.#deliver({ type: this.#type, timestamp: this.#timestamp, payload }, missing);
  }

  #drop(): void {
    this.#parts = [];
    this.#bytes = 0;
    this.#open = false;
    this.#complete = false;
  }
}

function join(parts: readonly Uint8Array[], bytes: number): Uint8Array {
  const joined = new Uint8Array(bytes);
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** Longer messages are skipped. */
export const MAX_MESSAGE_BYTES: number = 16 * 1024 * 1024;
