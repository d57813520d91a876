/** Which flows of a session may have something to send, by priority, round robin within one. */
import { Fifo } from "./fifo.ts";
import { PRIORITIES } from "./priority.ts";
import type { SendFlow } from "./send-flow.ts";

/** Strict priority between ranks, turns within a rank. */
export class ReadyQueue {
  /** The only one there is, as long as it is: most sessions have no second flow. */
  #only: SendFlow | undefined;
  /** Made with the first flow that is not the only one. */
  #ranks: (Fifo<SendFlow> | undefined)[] = NO_RANKS;
  /** Bit r is set while rank r has flows. */
  #occupied = 0;

  add(flow: SendFlow): void {
    if (flow.queued) return;
    flow.queued = true;
    const only = this.#only;
    if (only === undefined && this.#occupied === 0) {
      this.#only = flow;
      return;
    }
    if (only !== undefined) {
      this.#only = undefined;
      this.#push(only);
    }
    this.#push(flow);
  }

  /** The flow whose turn it is. */
  peek(): SendFlow | undefined {
    return this.#occupied === 0 ? this.#only : this.#top().peek();
  }

  /** Takes the flow of {@link peek} out. */
  drop(): void {
    const only = this.#only;
    if (only !== undefined) {
      only.queued = false;
      this.#only = undefined;
      return;
    }
    const rank = this.#top();
    const flow = rank.shift();
    if (flow !== undefined) flow.queued = false;
    if (rank.length === 0) this.#occupied &= ~(1 << (31 - Math.clz32(this.#occupied)));
  }

  /** Gives the turn to the next flow of the same rank. */
  rotate(): void {
    if (this.#occupied === 0) return;
    const rank = this.#top();
    if (rank.length < 2) return;
    rank.push(rank.shift() as SendFlow);
  }

  #push(flow: SendFlow): void {
    if (this.#ranks === NO_RANKS) this.#ranks = new Array(PRIORITIES.length).fill(undefined);
    let rank = this.#ranks[flow.rank];
    if (rank === undefined) {
      rank = new Fifo();
      this.#ranks[flow.rank] = rank;
    }
    rank.push(flow);
    this.#occupied |= 1 << flow.rank;
  }

  #top(): Fifo<SendFlow> {
    return this.#ranks[31 - Math.clz32(this.#occupied)] as Fifo<SendFlow>;
  }
}

const NO_RANKS: (Fifo<SendFlow> | undefined)[] = [];
