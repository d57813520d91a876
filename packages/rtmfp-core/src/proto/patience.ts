/** How much of what it should not have sent a session bears from its far end (§5, AMB-32). § means RFC 7016. */
import {
  SUSPECT_MS,
  USELESS_PACKETS_BURST,
  USELESS_PACKETS_PER_SECOND,
  USELESS_TOTAL_BURST,
  USELESS_TOTAL_PER_SECOND,
} from "./params.ts";
import type { Session } from "./session.ts";
import type { SessionHost } from "./session-host.ts";
import { TokenBucket } from "./token-bucket.ts";

/**
 * What all sessions of an endpoint are borne with together: many far ends that each keep below what one may send would
 * cost as much as one that does not. Beyond it, the packets of those that lately sent something useless are not opened,
 * but for so many a second; all others are.
 */
export class EndpointPatience {
  /** Made with the first refusal. */
  #bucket: TokenBucket | undefined;

  /** True if no more packets may be in vain just now. */
  isOut(now: number): boolean {
    return this.#bucket?.isEmpty(now) === true;
  }

  /** A packet was in vain. */
  use(now: number): void {
    this.#bucket ??= new TokenBucket(USELESS_TOTAL_PER_SECOND, USELESS_TOTAL_BURST, now);
    this.#bucket.take(now);
  }
}

/**
 * Counts the verified packets of one session in which something was refused. A far end that keeps to windows and rates
 * sends a few after a window has shrunk; one that goes on uses the patience up. Where packets have no sequence numbers,
 * anybody who saw one can repeat it, so that there patience has no end: refusing and counting must do.
 */
export class Patience {
  readonly #session: Session;
  readonly #host: SessionHost;
  #before = 0;
  /** Made with the first refusal. */
  #bucket: TokenBucket | undefined;
  /** Until then the far end counts among those that send what they should not. */
  #suspectUntil = 0;

  constructor(session: Session, host: SessionHost) {
    this.#session = session;
    this.#host = host;
  }

  /** True if its next packet is not worth opening: something was just refused here, and too much is in all sessions. */
  isUnread(now: number): boolean {
    return now < this.#suspectUntil && this.#host.patience.isOut(now);
  }

  /** Before the chunks of a packet. */
  beginPacket(): void {
    this.#before = this.#refusals;
  }

  /** After its chunks: ends the session once patience is at its end. */
  endPacket(now: number): void {
    if (this.#refusals === this.#before || !this.#session.isOpen) return;
    if (this.#session.keys?.farSequence !== true) return;
    this.#suspectUntil = now + SUSPECT_MS;
    this.#host.patience.use(now);
    this.#bucket ??= new TokenBucket(USELESS_PACKETS_PER_SECOND, USELESS_PACKETS_BURST, now);
    if (this.#bucket.take(now)) return;
    this.#host.sessionAbused(this.#session, now);
    this.#session.abort("abusive");
  }

  /**
   * What has been refused so far: nothing that a third party can bring about, so no forgeries, no replays and no hellos
   * that an introducer passes on.
   */
  get #refusals(): number {
    const { pingsRefused, forwardedHellosRefused, malformed } = this.#host.stats;
    const { beyondWindow, flowsRefused, malformed: malformedData } = this.#session.receives.stats;
    const hellos = this.#session.introductions === "ignore" ? forwardedHellosRefused : 0;
    return pingsRefused + hellos + malformed + beyondWindow + flowsRefused + malformedData;
  }
}
