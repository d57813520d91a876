/** Complete messages that wait for the application (§3.6.3.3). § means RFC 7016. */
import { Fifo } from "./fifo.ts";
import { PACK_AT_COST_BYTES, PACKED_BLOCK_COST_BYTES, PACKED_MESSAGE_COST_BYTES } from "./params.ts";
import { type ReceivedMessage, unreadCostOf } from "./reassembly.ts";

/** Messages in one piece of memory, in the order in which they came. */
interface Block {
  readonly bytes: Uint8Array;
  /** Where each message ends in `bytes`. */
  readonly ends: readonly number[];
  /** Of each, {@link ReceivedMessage.missingBefore}. */
  readonly missing: readonly number[];
  /** How many were taken. */
  taken: number;
}

/**
 * A queue of messages. Of an application that reads in time it keeps them as they are. Of one that does not it copies
 * small ones into blocks: thousands of objects would be more than they hold, slow every collection of garbage, and leave
 * the process's memory in pieces when they go.
 */
export class UnreadMessages {
  /** How many there are, and the sum of their lengths in bytes. */
  length = 0;
  bytes = 0;
  /** Memory that they keep, in bytes; that of a block until its last message was taken. */
  cost = 0;
  /** Older than all of `#loose`. Made with the first. */
  #blocks: Fifo<Block> | undefined;
  readonly #loose = new Fifo<ReceivedMessage>();
  #looseBytes = 0;
  #looseCost = 0;

  /** Takes a message as the last; its data is kept or copied. */
  push(message: ReceivedMessage): void {
    const { data } = message;
    const cost = unreadCostOf(data);
    this.#loose.push(message);
    this.#looseBytes += data.length;
    this.#looseCost += cost;
    this.length++;
    this.bytes += data.length;
    this.cost += cost;
    if (this.#looseCost >= PACK_AT_COST_BYTES) this.#pack();
  }

  /** Takes the first message out; undefined if there is none. Its data is the caller's. */
  shift(): ReceivedMessage | undefined {
    const message = this.#shiftPacked() ?? this.#shiftLoose();
    if (message === undefined) return undefined;
    this.length--;
    this.bytes -= message.data.length;
    return message;
  }

  clear(): void {
    this.#blocks = undefined;
    this.#loose.clear();
    this.length = this.bytes = this.cost = 0;
    this.#looseBytes = this.#looseCost = 0;
  }

  #shiftLoose(): ReceivedMessage | undefined {
    const message = this.#loose.shift();
    if (message === undefined) return undefined;
    const cost = unreadCostOf(message.data);
    this.#looseBytes -= message.data.length;
    this.#looseCost -= cost;
    this.cost -= cost;
    return message;
  }

  #shiftPacked(): ReceivedMessage | undefined {
    const block = this.#blocks?.peek();
    if (block === undefined) return undefined;
    const { bytes, ends, missing } = block;
    const i = block.taken++;
    const data = bytes.slice(ends[i - 1] ?? 0, ends[i]);
    if (block.taken === ends.length) {
      this.cost -= blockCost(block);
      this.#blocks?.shift();
    }
    return { data, missingBefore: missing[i] as number };
  }

  /** Copies the loose messages into one block, unless they are large: then there is little to win. */
  #pack(): void {
    const { length } = this.#loose;
    if (this.#looseBytes > length * SMALL_BYTES) return;
    const bytes = new Uint8Array(this.#looseBytes);
    const ends: number[] = [];
    const missing: number[] = [];
    let end = 0;
    for (let message = this.#loose.shift(); message !== undefined; message = this.#loose.shift()) {
      bytes.set(message.data, end);
      end += message.data.length;
      ends.push(end);
      missing.push(message.missingBefore);
    }
    const block: Block = { bytes, ends, missing, taken: 0 };
    this.cost += blockCost(block) - this.#looseCost;
    this.#looseBytes = this.#looseCost = 0;
    this.#blocks ??= new Fifo();
    this.#blocks.push(block);
  }
}

function blockCost({ bytes, ends }: Block): number {
  return PACKED_BLOCK_COST_BYTES + bytes.length + ends.length * PACKED_MESSAGE_COST_BYTES;
}

/** Messages no longer than this on average are copied. */
const SMALL_BYTES = 2_048;
