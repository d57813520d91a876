/** The IIKeyings answered of late, to recognise their copies (§3.5.1.1.2, AMB-17). § means RFC 7016. */
import { Fifo } from "../fifo.ts";
import { MAX_ANSWERED_KEYINGS } from "../params.ts";
import type { TokenBucket } from "../token-bucket.ts";

/** How a session that we responded to came about. Does not keep an ended session. Bytes are packed (see packBytes). */
export interface Answered {
  /** Whose IIKeying it was. */
  readonly key: string;
  /** The session's receive ID, and the initiator's. */
  readonly nearId: number;
  readonly initiatorSessionId: number;
  readonly skic: string;
  /** Our answer. */
  readonly skrc: string;
  readonly signature: Uint8Array;
  /** Paces copies of the reply; made with the first. */
  copies: TokenBucket | undefined;
  /** When the cookie of its IIKeying is no longer taken, so that no copy can come. */
  readonly until: number;
}

/** Entries outlive their sessions until their time has come, or there are too many: then the oldest is forgotten. */
export class AnsweredKeyings {
  readonly #byKey = new Map<string, Answered>();
  /** In the order in which their time runs out. */
  readonly #expiring = new Fifo<Answered>();

  get size(): number {
    return this.#byKey.size;
  }

  get(key: string, now: number): Answered | undefined {
    for (let first = this.#expiring.peek(); first !== undefined && first.until < now; ) {
      this.#forgetFirst();
      first = this.#expiring.peek();
    }
    return this.#byKey.get(key);
  }

  /** Entries must come in the order of their `until`. */
  add(answered: Answered): void {
    if (this.#expiring.length >= MAX_ANSWERED_KEYINGS) this.#forgetFirst();
    this.#byKey.set(answered.key, answered);
    this.#expiring.push(answered);
  }

  #forgetFirst(): void {
    const first = this.#expiring.shift();
    if (first !== undefined && this.#byKey.get(first.key) === first) this.#byKey.delete(first.key);
  }
}
