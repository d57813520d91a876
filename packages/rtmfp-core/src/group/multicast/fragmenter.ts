/** Cuts messages of a stream into fragments. */
import { encodeFragment, MAX_FRAGMENT_PAYLOAD } from "../wire/fragment.ts";

/** Cuts a stream: ids count from 1 across all kinds of messages. */
export class Fragmenter {
  /** The id of the next fragment. */
  next = 1;
  /** Fragments by what they hold. */
  readonly counts: { audio: number; video: number; data: number } = { audio: 0, video: 0, data: 0 };

  /**
   * Bytes of the fragments of a message, new arrays. `timestamp` in ms. Messages of more than 256 fragments say that 255
   * follow as long as more do.
   */
  cut(type: number, timestamp: number, payload: Uint8Array): Uint8Array[] {
    const parts = Math.max(1, Math.ceil(payload.length / MAX_FRAGMENT_PAYLOAD));
    const fragments: Uint8Array[] = [];
    for (let part = 0; part < parts; part++) {
      const at = part * MAX_FRAGMENT_PAYLOAD;
      const left = parts - 1 - part;
      const kind = parts === 1 ? "whole" : part === 0 ? "start" : left === 0 ? "end" : "next";
      const piece = payload.subarray(at, at + MAX_FRAGMENT_PAYLOAD);
      fragments.push(encodeFragment({ kind, id: this.next++, left, type, timestamp, payload: piece }));
    }
    this.counts[type === 8 ? "audio" : type === 9 ? "video" : "data"] += parts;
    return fragments;
  }
}
