/** How much of what it should not have sent a session bears from its far end (§5, AMB-32). § means RFC 7016. */
import { USELESS_PACKETS_BURST, USELESS_PACKETS_PER_SECOND } from "./params.ts";
import type { Session } from "./session.ts";
import type { SessionHost } from "./session-host.ts";
import { TokenBucket } from "./token-bucket.ts";

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

  constructor(session: Session, host: SessionHost) {
    this.#session = session;
    this.#host = host;
  }

  /** Before the chunks of a packet. */
  beginPacket(): void {
    this.#before = this.#refusals;
  }

  /** After its chunks: ends the session once patience is at its end. */
  endPacket(now: number): void {
    if (this.#refusals === this.#before || !this.#session.isOpen) return;
    if (this.#session.keys?.farSequence !== true) return;
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
