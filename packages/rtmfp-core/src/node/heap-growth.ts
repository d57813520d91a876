/** How far V8 lets memory grow before it looks through the whole heap. */
import { setFlagsFromString } from "node:v8";

/**
 * Lets V8 take two and a half times what is in use before it marks the heap, for the whole process and at once: for programs whose
 * process is their own to tune, early in their start. The rtmfp-server and rtmfp-client commands call it.
 *
 * V8 counts a message's memory outside the heap as if it were to stay, and so marks every object there is after each 8 MB
 * received: with 100 MB/s twelve times a second, each the longer the more sessions there are. Given more room, it collects
 * the young objects first, which are few, and the messages go with those. Takes up to one and a half times the heap's size more.
 */
export function letHeapGrow(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWING_PERCENT}`);
}

/** Enough for the messages that V8 collects at a time beside a small heap; with more, a large heap is spread too far for caches. */
const GROWING_PERCENT = 150;
