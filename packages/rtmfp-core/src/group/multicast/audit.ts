/** Compares what neighbours bring with what others have: nothing in a fragment says whether it is the publisher's. */
import { equalBytes } from "../../proto/bytes.ts";
import { Anchor } from "./anchor.ts";
import type { FragmentStore } from "./fragment-store.ts";
import type { MediaLink } from "./link.ts";
import {
  ALARM_AUDIT_PART,
  ALARM_MS,
  AUDIT_AFTER_MS,
  AUDIT_PART,
  CAREFUL_COPIES,
  DOUBT_PENALTY_MS,
  MAX_AUDITS,
  MAX_WITNESSES,
  PULL_RETRY_MS,
  STRIPES,
  VOTE_MS,
  VOTES,
  VOTES_WITH_ANCHOR,
} from "./params.ts";
import type { MulticastStats } from "./stats.ts";

/** What comparing needs of its stream. */
export interface AuditHost {
  readonly store: FragmentStore;
  readonly stats: MulticastStats;
  /** From 0 up to, not including, 1. */
  chance(): number;
  /** A neighbour was found wrong, and is barred: nothing of it is to be taken or kept. */
  struck(link: MediaLink, now: number): void;
}

/**
 * A neighbour is believed once a copy of it was that of another; to see that, and now and then later, a fragment that is here
 * is asked for again. Where two copies differ, more neighbours are asked; whoever had something else than the {@link Anchor}
 * or, without it, most of them, is barred for a while. Whoever only passed on what it was sent is back soon; whoever goes on is
 * barred for longer and longer. Times in ms.
 */
export class Audit {
  readonly #host: AuditHost;
  readonly #anchor = new Anchor();
  readonly #cases = new Map<number, Case>();
  /** Fragments to be compared, and when. */
  #due: { readonly id: number; readonly at: number }[] = [];
  #alarmUntil: number = Number.NEGATIVE_INFINITY;
  #isAlarmed = false;
  /** Whether any neighbour is believed. */
  #hasProven = false;
  #turn = 0;

  constructor(host: AuditHost) {
    this.#host = host;
  }

  /** Fragments that are being compared. */
  get pending(): number {
    return this.#cases.size;
  }

  /** How many copies a new neighbour must have that agree: more after copies differed. */
  get neededCopies(): number {
    return this.#isAlarmed ? CAREFUL_COPIES : 1;
  }

  /**
   * How reluctantly a neighbour is asked for anything, as if it had it so much later, ms: one that is not believed yet. Infinite
   * while there is cause for alarm, and somebody who is believed.
   */
  doubtMs(link: MediaLink): number {
    if (link.standing.isProven) return 0;
    return this.#isAlarmed && this.#hasProven ? Number.POSITIVE_INFINITY : DOUBT_PENALTY_MS;
  }

  /** A neighbour brought a fragment that was not here: it may be one of those that are compared. */
  onNew(id: number, link: MediaLink, now: number): void {
    const part = (this.#isAlarmed ? ALARM_AUDIT_PART : AUDIT_PART) / (link === this.#anchor.link ? ANCHOR_LESS : 1);
    if (this.#due.length >= MAX_AUDITS || this.#host.chance() >= part) return;
    this.#due.push({ id, at: now + AUDIT_AFTER_MS });
  }

  /** Whether the neighbour was asked for a copy; it owes it no longer. */
  takes(id: number, link: MediaLink): boolean {
    return this.#cases.get(id)?.asked.delete(link) ?? false;
  }

  /** A copy has come of a fragment that is here, or is being compared; keeps `bytes`. */
  onCopy(id: number, link: MediaLink, bytes: Uint8Array, now: number): void {
    const here = this.#host.store.get(id);
    if (here !== undefined && !equalBytes(here, bytes)) this.#host.stats.contradicting++;
    const known = this.#cases.get(id) ?? this.#compare(id, link, bytes);
    if (known === undefined || known.copies.length > MAX_WITNESSES) return;
    if (known.copies.some((copy) => copy.link === link)) return;
    known.copies.push({ link, bytes });
    const [first] = known.copies;
    if (first === undefined || equalBytes(first.bytes, bytes)) return;
    known.contestedAt ??= now;
    this.#alarmUntil = now + ALARM_MS;
  }

  /** Asks for copies, and judges those that came. */
  tick(links: readonly MediaLink[], now: number): void {
    this.#isAlarmed = now < this.#alarmUntil;
    this.#hasProven = links.some((link) => link.isUp && link.newest > 0 && link.standing.isProven);
    this.#anchor.find(links);
    for (const each of this.#cases.values()) this.#follow(each, links, now);
    this.#due = this.#due.filter(({ id, at }) => {
      if (now < at) return true;
      return !this.#audit(id, links, now) && now - at < AUDIT_WITHIN_MS && this.#host.store.has(id);
    });
    this.#examine(links, now);
  }

  /** Awaits nothing of a neighbour that is gone. */
  drop(link: MediaLink): void {
    for (const { asked } of this.#cases.values()) asked.delete(link);
  }

  /** The stream is not got any more. */
  stop(): void {
    this.#cases.clear();
    this.#due = [];
  }

  /** What a copy that nobody was asked for says: a case if it differs from the one that is here. */
  #compare(id: number, link: MediaLink, bytes: Uint8Array): Case | undefined {
    const { store } = this.#host;
    const here = store.get(id);
    const from = store.fromOf(id);
    if (here === undefined || from === undefined || from === link) return undefined;
    if (!equalBytes(here, bytes)) return this.#open(id, from, here);
    from.standing.agree();
    link.standing.agree();
    return undefined;
  }

  #open(id: number, link: MediaLink, bytes: Uint8Array): Case | undefined {
    if (this.#cases.size >= MAX_AUDITS) return undefined;
    const opened: Case = { id, copies: [{ link, bytes }], asked: new Map(), contestedAt: undefined };
    this.#cases.set(id, opened);
    return opened;
  }

  #follow(each: Case, links: readonly MediaLink[], now: number): void {
    const { id, copies, asked, contestedAt } = each;
    for (const [link, at] of asked) {
      if (now - at <= PULL_RETRY_MS + 4 * link.rttMs) continue;
      asked.delete(link);
      link.examineAt = now + UNANSWERED_MS;
    }
    if (contestedAt === undefined) {
      if (asked.size > 0) return;
      this.#cases.delete(id);
      if (copies.length > 1) for (const { link } of copies) link.standing.agree();
      return;
    }
    const witnesses = links.filter((link) => this.#isWitness(link, id) && !link.standing.isBarred(now));
    if (this.#anchor.link !== undefined) this.#ask(each, this.#anchor.link, now);
    for (const link of witnesses) if (copies.length + asked.size < MAX_WITNESSES) this.#ask(each, link, now);
    const others = witnesses.filter((link) => !copies.some((copy) => copy.link === link)).length;
    const enough = copies.some(({ link }) => link === this.#anchor.link) ? VOTES_WITH_ANCHOR : VOTES;
    if (now - contestedAt < VOTE_MS && others > 0 && copies.length < enough) return;
    this.#cases.delete(id);
    this.#judge(each, links, now);
  }

  /** Whoever has the fragment from us tells us nothing. */
  #isWitness(link: MediaLink, id: number): boolean {
    return link.isUp && (link.granted & (1 << (id % STRIPES))) === 0;
  }

  /** Asks a neighbour for a copy, if it has one. */
  #ask({ id, copies, asked }: Case, link: MediaLink, now: number): boolean {
    if (asked.has(link) || !link.has(id) || copies.some((copy) => copy.link === link)) return false;
    if (!link.send({ type: "pull", id })) return false;
    asked.set(link, now);
    this.#host.stats.audits++;
    return true;
  }

  /** What the anchor has is true; where it has said nothing, what most have, of whom those who are believed count twice. */
  #judge({ id, copies }: Case, all: readonly MediaLink[], now: number): void {
    const sides: Side[] = [];
    for (const copy of copies) {
      let side = sides.find(({ bytes }) => equalBytes(bytes, copy.bytes));
      if (side === undefined) {
        side = { bytes: copy.bytes, links: [], weight: 0 };
        sides.push(side);
      }
      side.links.push(copy.link);
      if (!copy.link.standing.isBarred(now)) side.weight += copy.link.standing.isProven ? 2 : 1;
    }
    const { link: anchor } = this.#anchor;
    const anchored = sides.find(({ links }) => links.some((link) => link === anchor));
    if (anchored !== undefined) {
      const against = sides.reduce((most, side) => (side === anchored ? most : Math.max(most, side.links.length)), 0);
      if (this.#anchor.prevails(anchored.links.length - 1, against, now)) anchored.weight = Number.POSITIVE_INFINITY;
      else {
        anchored.weight = 0;
        for (const link of all) link.standing.pardon();
      }
    }
    sides.sort((a, b) => b.weight - a.weight);
    const [truth, ...rest] = sides;
    if (truth === undefined || truth.weight === 0) return;
    this.#host.store.replace(id, truth.bytes, truth.links[0]);
    for (const link of truth.links) link.standing.agree();
    for (const link of rest.flatMap(({ links }) => links)) if (link.standing.strike(now)) this.#host.struck(link, now);
  }

  /** Compares a fragment with the copy of the anchor, or else of another, rather one that is believed. False if there is none. */
  #audit(id: number, links: readonly MediaLink[], now: number): boolean {
    const { store } = this.#host;
    const [bytes, from] = [store.get(id), store.fromOf(id)];
    if (bytes === undefined || from === undefined) return false;
    let best: MediaLink | undefined;
    const turn = this.#turn++;
    for (let i = 0; i < links.length; i++) {
      const link = links[(i + turn) % links.length]!;
      if (link === from || !link.has(id) || !this.#isWitness(link, id)) continue;
      if (best === undefined || (link.standing.isProven && !best.standing.isProven)) best = link;
    }
    const { link: anchor } = this.#anchor;
    if (anchor !== undefined && anchor !== from && anchor.has(id) && this.#isWitness(anchor, id)) best = anchor;
    const opened = best === undefined ? undefined : (this.#cases.get(id) ?? this.#open(id, from, bytes));
    return opened !== undefined && best !== undefined && this.#ask(opened, best, now);
  }

  /** Asks those who are not believed yet for fragments that are here from others. */
  #examine(links: readonly MediaLink[], now: number): void {
    const { store } = this.#host;
    let left = EXAMS_PER_TICK;
    for (const link of links) {
      if (left === 0) return;
      if (link.standing.isProven || !link.isUp || link.newest === 0 || now < link.examineAt) continue;
      const end = Math.max(store.oldest, link.examined + 1, store.newestHere - LOOK_BACK);
      for (let id = Math.min(link.newest, store.newestHere); id >= end; id--) {
        const [bytes, from] = [store.get(id), store.fromOf(id)];
        if (bytes === undefined || from === undefined || from === link) continue;
        if (!link.has(id) || !this.#isWitness(link, id)) continue;
        const opened = this.#cases.get(id) ?? this.#open(id, from, bytes);
        if (opened === undefined) return;
        if (!this.#ask(opened, link, now)) continue;
        link.examined = id;
        link.examineAt = now + EXAM_MS;
        left--;
        break;
      }
    }
  }
}

/** Copies of one fragment. */
interface Case {
  readonly id: number;
  readonly copies: { readonly link: MediaLink; readonly bytes: Uint8Array }[];
  /** Who were asked for theirs, and when. */
  readonly asked: Map<MediaLink, number>;
  /** When two of them were seen to differ. */
  contestedAt: number | undefined;
}

/** Those whose copies agree. */
interface Side {
  readonly bytes: Uint8Array;
  readonly links: MediaLink[];
  weight: number;
}

/** What the anchor brings is compared so many times less: there is nobody better to ask. */
const ANCHOR_LESS = 4;
/** Neighbours that are examined at a time, one of them so often, and the next time after one that was not answered. */
const EXAMS_PER_TICK = 2;
const EXAM_MS = 300;
const UNANSWERED_MS = 2_000;
/** How far back fragments for that are looked for. */
const LOOK_BACK = 64;
/** A fragment that nobody else has after so long is not compared. */
const AUDIT_WITHIN_MS = 3_000;
