/** What became of each introduction: one row and one line of the log, with the reason where it failed. */
import { type Address, formatAddress } from "rtmfp-core";
import type { IntroductionAnswer } from "./counters.ts";
import {
  explain,
  type IntroductionEnding,
  type IntroductionReason,
  type IntroductionRow,
  REASON_OF,
} from "./introduction-row.ts";
import { type NatVerdict, UNKNOWN_NAT } from "./nat.ts";
import type { PeerEntry } from "./peers.ts";
import { type Rate, TokenBuckets } from "./token-buckets.ts";

/** Who asked: a peer with a session here, or an address without one. */
export interface Asker {
  readonly farID: string;
  readonly address: Address;
  readonly entry: PeerEntry | undefined;
}

/** What the record of introductions needs. */
export interface IntroductionsHost {
  /** Monotonic ms. */
  now(): number;
  after(ms: number, run: () => void): () => void;
  /** Learns what it can of the NAT in front of a peer, and whether the peer is there. */
  examine(peer: PeerEntry): void;
  /** Told once per introduction, when it has ended. */
  onEnd(row: IntroductionRow): void;
}

/** What the client at one end says of it. */
export type IntroductionReport =
  | { readonly outcome: "connected" }
  | { readonly outcome: "failed" }
  | { readonly outcome: "refused"; readonly reason: "consent" | "limit" };

/** Follows introductions from the first request to their end, and keeps the last {@link MAX_ROWS}. */
export class Introductions {
  readonly #host: IntroductionsHost;
  readonly #ofClients = new Share(MAX_PENDING, MAX_ENDED);
  /** Asked for by addresses without a session, which are many and cost nothing: they drive out only each other. */
  readonly #ofStrangers = new Share(MAX_STRANGER_PENDING, MAX_STRANGER_ENDED);
  readonly #rows: IntroductionRow[] = [];
  /** Of these, the ones whose asker has no session here. */
  #strangers = 0;
  readonly #reports = new TokenBuckets(REPORT_RATE);

  constructor(host: IntroductionsHost) {
    this.#host = host;
  }

  /** Those that have ended, the newest first. */
  get rows(): readonly IntroductionRow[] {
    return this.#rows.toReversed();
  }

  /** What the server answered to a request. */
  answered(
    tag: string,
    asker: Asker,
    targetId: string,
    target: PeerEntry | undefined,
    answer: IntroductionAnswer,
  ): void {
    const { pending: underWay, ended } = this.#shareOf(asker.farID);
    const known = underWay.get(tag);
    if (known !== undefined) {
      known.requests++;
      if (answer === "introduced") this.#forwarded(known);
      return;
    }
    const mayBegin = ended.get(tag);
    if (mayBegin === false || (mayBegin === true && answer !== "introduced")) return;
    const pending = this.#begin(tag, asker, targetId, target);
    pending.requests++;
    if (answer === "introduced") this.#forwarded(pending);
    else if (answer === "redirected") this.#end(pending, { outcome: "forwarded" });
    else this.#end(pending, { outcome: "failed", reason: REASON_OF[answer] });
  }

  /** What a client says of an introduction to or by `otherId`. */
  report(reporter: PeerEntry, otherId: string, report: IntroductionReport): void {
    if (!this.#reports.allow(this.#host.now(), reporter.farID)) return;
    const [askerId, targetId] = endsOf(reporter.farID, otherId, report);
    const reverse = this.#underWay(targetId, askerId);
    const pending = this.#underWay(askerId, targetId) ?? reverse;
    if (pending === undefined) {
      this.#reportLate(reporter, otherId, report);
      return;
    }
    if (report.outcome === "failed") this.#end(pending, this.#judge(pending, true));
    else if (report.outcome === "refused") this.#end(pending, report);
    else {
      this.#connected(pending);
      // The session serves both ends, whichever of them asked.
      if (reverse !== undefined) this.#connected(reverse);
    }
  }

  /** Ends what is under way, as far as it is known. */
  close(): void {
    for (const { pending: underWay } of [this.#ofClients, this.#ofStrangers])
      for (const pending of [...underWay.values()]) this.#end(pending, this.#judge(pending, false));
  }

  #shareOf(askerId: string): Share {
    return askerId === "" ? this.#ofStrangers : this.#ofClients;
  }

  #underWay(askerId: string, target: string): Pending | undefined {
    return [...this.#ofClients.pending.values()].findLast(
      ({ asker, targetId }) => asker.farID === askerId && targetId === target,
    );
  }

  /** The far end may still refuse the stream. */
  #connected(pending: Pending): void {
    if (pending.isConnected) return;
    pending.isConnected = true;
    pending.connectedAt = this.#host.now();
    pending.cancel();
    pending.cancel = this.#host.after(SETTLE_MS, () => this.#end(pending, { outcome: "connected" }));
  }

  #begin(tag: string, asker: Asker, targetId: string, target: PeerEntry | undefined): Pending {
    const { pending: underWay, maxPending } = this.#shareOf(asker.farID);
    const oldest = underWay.values().next().value;
    if (underWay.size >= maxPending && oldest !== undefined) this.#end(oldest, this.#judge(oldest, false));
    const pending: Pending = {
      tag,
      asker,
      targetId,
      target,
      startedAt: this.#host.now(),
      requests: 0,
      forwards: 0,
      forwardedAt: Number.POSITIVE_INFINITY,
      isConnected: false,
      connectedAt: undefined,
      cancel: () => {},
    };
    underWay.set(tag, pending);
    return pending;
  }

  #forwarded(pending: Pending): void {
    const { asker, target } = pending;
    if (pending.forwards++ === 0) {
      pending.forwardedAt = this.#host.now();
      pending.cancel = this.#host.after(JUDGE_MS, () => this.#end(pending, this.#judge(pending, false)));
      if (asker.entry !== undefined) this.#host.examine(asker.entry);
    }
    if (target !== undefined) this.#host.examine(target);
  }

  /**
   * What can be said without word of a client. Who asks again and again has had no RHello; who stopped has met the target,
   * or given up.
   */
  #judge({ asker, target, forwards, forwardedAt, isConnected }: Pending, hasFailed: boolean): IntroductionEnding {
    if (isConnected && !hasFailed) return { outcome: "connected" };
    if (!hasFailed && forwards < FORWARDS_OF_A_FAILURE) return { outcome: "forwarded" };
    return { outcome: "failed", reason: reasonOf(asker, target, forwards > 1 ? forwardedAt : undefined) };
  }

  #end(pending: Pending, ending: IntroductionEnding): void {
    const share = this.#shareOf(pending.asker.farID);
    if (!share.pending.delete(pending.tag)) return;
    pending.cancel();
    share.remember(pending.tag, pending.forwards === 0);
    const { asker, targetId, target, requests, startedAt, connectedAt } = pending;
    this.#add({
      endedAt: Date.now(),
      tookMs: Math.round((connectedAt ?? this.#host.now()) - startedAt),
      requests,
      asker: { id: asker.farID, address: formatAddress(asker.address), ...natOf(asker.entry) },
      target: {
        id: targetId,
        address: target === undefined ? undefined : formatAddress(target.address),
        ...natOf(target),
      },
      ...explain(ending),
    });
  }

  /** After its end, a refusal corrects what seemed to go well; a client at its own limit has never asked. */
  #reportLate(reporter: PeerEntry, otherId: string, report: IntroductionReport): void {
    const [askerId, targetId] = endsOf(reporter.farID, otherId, report);
    const last = (one: string, other: string): number =>
      this.#rows.findLastIndex(({ asker, target }) => asker.id === one && target.id === other);
    const straight = last(askerId, targetId);
    const at = straight < 0 ? last(targetId, askerId) : straight;
    const row = this.#rows[at];
    if (row !== undefined && (row.outcome === "forwarded" || row.outcome === "connected")) {
      if (report.outcome !== "failed" || row.outcome === "forwarded") {
        const ending = report.outcome === "failed" ? { ...report, reason: "no-udp" as const } : report;
        this.#rows[at] = { ...row, ...explain(ending) };
      }
      return;
    }
    if (report.outcome !== "refused" || report.reason !== "limit") return;
    const pending = this.#begin(`${reporter.farID} ${otherId}`, asAsker(reporter), otherId, undefined);
    this.#end(pending, report);
  }

  #add(row: IntroductionRow): void {
    this.#rows.push(row);
    if (isStranger(row) && ++this.#strangers > MAX_STRANGER_ROWS) this.#drop(this.#rows.findIndex(isStranger));
    if (this.#rows.length > MAX_ROWS) this.#drop(0);
    this.#host.onEnd(row);
  }

  #drop(at: number): void {
    const [row] = this.#rows.splice(at, 1);
    if (row !== undefined && isStranger(row)) this.#strangers--;
  }
}

/** What is under way and what has ended, by the tag of the request, of one kind of askers. */
class Share {
  readonly pending = new Map<string, Pending>();
  /** What is asked again after its end needs no second row. True if it may yet begin. */
  readonly ended = new Map<string, boolean>();
  readonly maxPending: number;
  readonly #maxEnded: number;

  constructor(maxPending: number, maxEnded: number) {
    this.maxPending = maxPending;
    this.#maxEnded = maxEnded;
  }

  remember(tag: string, mayBegin: boolean): void {
    this.ended.set(tag, mayBegin);
    if (this.ended.size > this.#maxEnded) this.ended.delete(this.ended.keys().next().value as string);
  }
}

/** A peer that asks. */
export function asAsker(entry: PeerEntry): Asker {
  return { farID: entry.farID, address: entry.address, entry };
}

interface Pending {
  readonly tag: string;
  readonly asker: Asker;
  readonly targetId: string;
  readonly target: PeerEntry | undefined;
  readonly startedAt: number;
  requests: number;
  /** Requests passed on. */
  forwards: number;
  forwardedAt: number;
  /** A client said so. */
  isConnected: boolean;
  connectedAt: number | undefined;
  cancel: () => void;
}

/** Why no packet of one reaches the other. `since` is when the target was first asked for a sign of life, if ever twice. */
function reasonOf(asker: Asker, target: PeerEntry | undefined, since: number | undefined): IntroductionReason {
  if (target === undefined || !target.session.isOpen) return "target-gone";
  if (since !== undefined && target.heardAt < since) return "target-silent";
  const [a, b] = [natOf(asker.entry), natOf(target)];
  if (a.symmetric === true && b.symmetric === true) return "symmetric-both";
  if ((a.symmetric === true && b.filtersPorts === true) || (b.symmetric === true && a.filtersPorts === true))
    return "symmetric-and-filter";
  const isBehindOne = a.behindNat === true && asker.address.host === target.address.host;
  return isBehindOne ? "same-nat" : "no-udp";
}

function natOf(entry: PeerEntry | undefined): NatVerdict {
  return entry?.nat ?? UNKNOWN_NAT;
}

function isStranger({ asker }: IntroductionRow): boolean {
  return asker.id === "";
}

/** Who asked for whom, as the report has it: who refuses was asked for, and any other report is the asker's. */
function endsOf(reporterId: string, otherId: string, { outcome }: IntroductionReport): readonly [string, string] {
  return outcome === "refused" ? [otherId, reporterId] : [reporterId, otherId];
}

/** Introductions that the list keeps. */
export const MAX_ROWS = 1_000;
/** Of these, those that an address without a session asked for. */
export const MAX_STRANGER_ROWS = 100;
/** Introductions under way that clients asked for; beyond them the oldest is judged early. */
export const MAX_PENDING = 1_024;
/** The same of addresses without a session. */
export const MAX_STRANGER_PENDING = 256;
/** Tags of introductions that have ended. */
const MAX_ENDED = 4_096;
const MAX_STRANGER_ENDED = 1_024;
/** Reports taken from one client. */
export const REPORT_RATE: Rate = { perSecond: 10, burst: 100 };
/** How long after the first answer an introduction is judged: four requests fit (RFC 7016 §3.5.1.1.1). */
const JUDGE_MS = 15_000;
/** How long a client may refuse what has just been connected. */
const SETTLE_MS = 2_000;
/** Requests passed on at 0, 1.5 and 4.5 s. */
const FORWARDS_OF_A_FAILURE = 3;
