/** What a server counts beyond its endpoint's datagrams. */
import type { EndpointStats } from "rtmfp-core";
import type { IntroductionOutcome } from "./introduction-row.ts";

/** Counts since the server began to listen. */
export interface ServerStats {
  /** Datagrams received, good or bad. */
  readonly datagramsIn: number;
  /** Bytes of these. */
  readonly bytesIn: number;
  /** Datagrams sent. */
  readonly datagramsOut: number;
  /** Bytes of these. */
  readonly bytesOut: number;
  /** Sessions open now, connected or not. */
  readonly sessions: number;
  /** Clients accepted now. */
  readonly clients: number;
  /** Audio and video messages taken from publishers. */
  readonly mediaMessages: number;
  /** Their payloads. */
  readonly mediaBytes: number;
  /** Media and data messages not written to a subscriber that was too slow. */
  readonly droppedMessages: number;
  /** Messages that made no sense. */
  readonly malformedMessages: number;
  /** What became of requests for other peers. */
  readonly introductions: IntroductionStats;
}

/** Requests for other peers by answer, introductions by outcome, and the newest ones. */
export interface IntroductionStats {
  /** Requests passed on to the peer asked for. */
  readonly introduced: number;
  /** Requests answered with the addresses that `onPeerLookup` or `onPeerUnknown` gave. */
  readonly redirected: number;
  /** Nobody has that identity. */
  readonly unknown: number;
  /** `onPeerLookup` said no. */
  readonly denied: number;
  /** Beyond the rate of the source or the target. */
  readonly limited: number;
  /** No address of one that the other could use. */
  readonly unreachable: number;
  /** Introductions that have ended, each counted once however often it was asked for. */
  readonly ended: Readonly<Record<IntroductionOutcome, number>>;
  /** The last {@link MAX_RECENT} that were made, oldest first. */
  readonly recent: readonly RecentIntroduction[];
}

/** What the server made of one request for another peer. */
export type IntroductionAnswer = "introduced" | "redirected" | "unknown" | "denied" | "limited" | "unreachable";

/** An introduction made, and what the server's sockets have carried since. */
export interface RecentIntroduction {
  /** Who asked: the first digits of its peer ID, or "nobody" if it has no session. */
  readonly asker: string;
  /** Whom it asked for, likewise. */
  readonly target: string;
  /** Bytes that the server's sockets have received since. */
  readonly bytesInSince: number;
  /** Bytes that they have sent since. */
  readonly bytesOutSince: number;
}

/** What sockets have carried. */
export type Traffic = Pick<EndpointStats, "datagramsIn" | "bytesIn" | "datagramsOut" | "bytesOut">;

/** See {@link ServerStats}. */
export class Counters {
  mediaMessages = 0;
  mediaBytes = 0;
  droppedMessages = 0;
  malformedMessages = 0;
  readonly #answers: Record<IntroductionAnswer, number> = {
    introduced: 0,
    redirected: 0,
    unknown: 0,
    denied: 0,
    limited: 0,
    unreachable: 0,
  };
  readonly #ended: Record<IntroductionOutcome, number> = { connected: 0, refused: 0, failed: 0, forwarded: 0 };
  readonly #recent: { asker: string; target: string; bytesIn: number; bytesOut: number }[] = [];

  /** Counts a request; one that was passed on is remembered with the bytes so far. */
  introduction(answer: IntroductionAnswer, asker: string, target: string, endpoint: Traffic): void {
    this.#answers[answer]++;
    if (answer !== "introduced") return;
    this.#recent.push({ asker, target, bytesIn: endpoint.bytesIn, bytesOut: endpoint.bytesOut });
    if (this.#recent.length > MAX_RECENT) this.#recent.shift();
  }

  /** Counts an introduction that has ended. */
  introductionEnded(outcome: IntroductionOutcome): void {
    this.#ended[outcome]++;
  }

  /** All counts at this moment. */
  snapshot(endpoint: Traffic, sessions: number, clients: number): ServerStats {
    const { datagramsIn, bytesIn, datagramsOut, bytesOut } = endpoint;
    return {
      datagramsIn,
      bytesIn,
      datagramsOut,
      bytesOut,
      sessions,
      clients,
      mediaMessages: this.mediaMessages,
      mediaBytes: this.mediaBytes,
      droppedMessages: this.droppedMessages,
      malformedMessages: this.malformedMessages,
      introductions: {
        ...this.#answers,
        ended: { ...this.#ended },
        recent: this.#recent.map((made) => ({
          asker: made.asker,
          target: made.target,
          bytesInSince: bytesIn - made.bytesIn,
          bytesOutSince: bytesOut - made.bytesOut,
        })),
      },
    };
  }
}

/** Introductions remembered with the bytes since. */
export const MAX_RECENT = 32;
