/** Keeps live media live on a slow way: what comes too late is given up, pictures by whole groups. § means RFC 7425. */
import type { TreeReceipt, TreeWriteOptions } from "./tree-session.ts";

/** How long media may wait to be sent, for senders may abandon it (§5.1.1); ms, Infinity is no limit. */
export interface MediaLifetimes {
  /** Sound whose transmission has not begun by then is given up. */
  audioMs: number;
  /** A picture whose transmission has not begun by then is given up, with the rest of its group. */
  videoMs: number;
  /** Data messages whose transmission has not begun by then are given up. */
  dataMs: number;
  /** What has begun may take this much longer to arrive. */
  finishMarginMs: number;
  /** What is left of a group of pictures is given up this long after the next one has begun. Needs a limit in `videoMs`. */
  previousGroupMs: number;
}

/** Nothing is abandoned (§5.1.1): everything is sent until it arrives. */
export const RELIABLE: Readonly<MediaLifetimes> = {
  audioMs: Number.POSITIVE_INFINITY,
  videoMs: Number.POSITIVE_INFINITY,
  dataMs: Number.POSITIVE_INFINITY,
  finishMarginMs: 0,
  previousGroupMs: Number.POSITIVE_INFINITY,
};

/** Options of a write for media that may wait that long, ms (§5.1.1); undefined for no limit. */
export function writeWithin(lifetimeMs: number, finishMarginMs: number): TreeWriteOptions | undefined {
  if (lifetimeMs === Number.POSITIVE_INFINITY) return undefined;
  return { startWithinMs: lifetimeMs, finishWithinMs: lifetimeMs + finishMarginMs };
}

/**
 * The pictures that one flow carries, each the parent of the next one of its group: when one is given up (§5.1.1), or the
 * flow does not take it, so are all that follow until a key frame, which nobody could show.
 */
export class GopChain {
  #last: TreeReceipt | undefined;
  #broken = false;
  /** Of the present group; kept only while groups expire. */
  #group: TreeReceipt[] = [];

  /** Leaves pictures out until the next key frame. */
  break(): void {
    this.#broken = true;
  }

  /**
   * Writes a picture by `send`, which is given how; undefined if it is left out. What `send` throws comes through, and like
   * its undefined means that the flow does not take the picture.
   */
  write(
    isKeyFrame: boolean,
    lifetimes: Readonly<MediaLifetimes>,
    send: (options: TreeWriteOptions | undefined) => TreeReceipt | undefined,
  ): TreeReceipt | undefined {
    if (!isKeyFrame && (this.#broken || this.#last?.state === "abandoned")) {
      this.#broken = true;
      return undefined;
    }
    this.#broken = true;
    const within = writeWithin(lifetimes.videoMs, lifetimes.finishMarginMs);
    const parent = isKeyFrame || this.#last?.state !== "queued" ? undefined : this.#last;
    const receipt = send(within === undefined || parent === undefined ? within : { ...within, parent });
    if (receipt === undefined) return undefined;
    this.#broken = false;
    this.#last = receipt;
    this.#remember(receipt, isKeyFrame, lifetimes);
    return receipt;
  }

  #remember(receipt: TreeReceipt, isKeyFrame: boolean, { videoMs, previousGroupMs }: Readonly<MediaLifetimes>): void {
    if (videoMs === Number.POSITIVE_INFINITY || previousGroupMs === Number.POSITIVE_INFINITY) return;
    if (isKeyFrame) {
      const startBy = receipt.startBy - videoMs + previousGroupMs;
      for (const old of this.#group) if (old.state === "queued") old.startBy = Math.min(old.startBy, startBy);
      this.#group = [];
    }
    this.#group.push(receipt);
  }
}
