/** What the tests of channels share. */
import type { FlvTag } from "rtmfp-core/flv";
import type { Clock } from "../../src/clock.ts";

/** A clock that a test moves by hand. */
export class HandClock implements Clock {
  #now = 0;
  readonly #timers = new Set<{ readonly at: number; readonly run: () => void }>();

  now(): number {
    return this.#now;
  }

  after(ms: number, run: () => void): () => void {
    const timer = { at: this.#now + ms, run };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  /** Waits that have not come to an end, in ms from now, shortest first. */
  get waits(): number[] {
    return [...this.#timers].map(({ at }) => at - this.#now).sort((a, b) => a - b);
  }

  /** Lets time pass; timers run at their times. */
  pass(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const next = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.run();
    }
    this.#now = end;
  }

  /** Resolves when somebody waits for `ms`; turns of the loop go by until then. */
  async waitedFor(ms: number): Promise<void> {
    while (!this.waits.some((wait) => Math.abs(wait - ms) < 1e-6)) await turn();
  }
}

/** One turn of the event loop. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Takes `count` tags; the source goes on. */
export async function take(tags: AsyncIterator<FlvTag>, count: number): Promise<FlvTag[]> {
  const taken: FlvTag[] = [];
  while (taken.length < count) {
    const next = await tags.next();
    if (next.done === true) throw new Error(`the source ended after ${taken.length} of ${count} tags`);
    taken.push(next.value);
  }
  return taken;
}

/** H.264: configuration, key frame, other picture. */
export const configuration = (timestamp: number, version = 1): FlvTag => video(timestamp, 0x17, 0, version);
export const key = (timestamp: number, size = 8): FlvTag => video(timestamp, 0x17, 1, 0, size);
export const inter = (timestamp: number, size = 8): FlvTag => video(timestamp, 0x27, 1, 0, size);
/** AAC: configuration, sound. */
export const soundConfiguration = (timestamp: number): FlvTag => audio(timestamp, 0xaf, 0, 0x12);
export const sound = (timestamp: number): FlvTag => audio(timestamp, 0xaf, 1, 7);
/** MP3, which needs no configuration. */
export const mp3 = (timestamp: number): FlvTag => audio(timestamp, 0x2f, 1, 7);
export const metadata = (timestamp: number): FlvTag => ({
  type: "data",
  timestamp,
  data: Uint8Array.of(2, 0, 10, ...new TextEncoder().encode("onMetaData"), 8, 0, 0, 0, 0, 0, 0, 9),
});

/** What a stream begins with. */
export const HEAD: readonly FlvTag[] = [metadata(0), configuration(0), soundConfiguration(0)];

function video(timestamp: number, ...[first, packet, value, size = 8]: number[]): FlvTag {
  const data = new Uint8Array(size);
  data.set([first ?? 0, packet ?? 0, 0, 0, 0, value ?? 0]);
  return { type: "video", timestamp, data };
}

function audio(timestamp: number, ...bytes: number[]): FlvTag {
  return { type: "audio", timestamp, data: Uint8Array.from(bytes) };
}

/** A second of pictures and sound from `start` on, a key frame first. */
export function second(start: number): FlvTag[] {
  return [0, 200, 400, 600, 800].flatMap((ms) => [ms === 0 ? key(start) : inter(start + ms), sound(start + ms)]);
}

/** How tests tell tags apart. */
export function shown(tags: readonly FlvTag[]): string[] {
  return tags.map(({ type, timestamp, data }) => {
    if (type === "data") return `meta ${timestamp}`;
    if (type === "audio") return `${data[0] === 0xaf && data[1] === 0 ? "AAC" : "sound"} ${timestamp}`;
    if (data[1] === 0) return `AVC${data[5]} ${timestamp}`;
    return `${data[0] === 0x17 ? "key" : "inter"} ${timestamp}`;
  });
}
