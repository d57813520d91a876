/** Everything about introductions put together: policy, what the server can find out, and what is told of it. */
import type { Introduction, Session } from "rtmfp-core";
import type { Counters, IntroductionAnswer, Traffic } from "./counters.ts";
import type { IntroductionRow } from "./introduction-row.ts";
import { type IntroductionReport, Introductions } from "./introductions.ts";
import { type Logger, shortId } from "./log.ts";
import { decide, type HandlersOf, locate } from "./lookup-policy.ts";
import { natKind } from "./nat.ts";
import type { Peer, PeerEntry, Peers } from "./peers.ts";
import type { Prober } from "./prober.ts";
import { type IntroductionRates, Rendezvous } from "./rendezvous.ts";

/** What a matchmaker needs of the server. */
export interface MatchmakerHost {
  readonly peers: Peers;
  readonly counters: Counters;
  readonly log: Logger;
  readonly handlersOf: HandlersOf;
  /** What the sockets have carried. */
  readonly traffic: () => Traffic;
  /** Monotonic ms. */
  now(): number;
  after(ms: number, run: () => void): () => void;
  /** Open sessions with that identity, oldest first. */
  sessionsWith(peerId: string): readonly Session[];
  /** Public IP addresses of the server's own network. */
  publicHosts(): readonly string[];
  onHandlerError(error: unknown): void;
}

/** See the file's head. */
export class Matchmaker {
  /** Looks at NATs; none: nothing is known of them but what peers report. */
  prober: Prober | undefined;
  readonly #host: MatchmakerHost;
  readonly #introductions: Introductions;
  readonly #rendezvous: Rendezvous;

  constructor(host: MatchmakerHost, rates?: IntroductionRates) {
    this.#host = host;
    this.#introductions = new Introductions({
      now: () => host.now(),
      after: (ms, run) => host.after(ms, run),
      examine: (peer) => this.#examine(peer),
      onEnd: (row) => this.#onEnd(row),
    });
    this.#rendezvous = new Rendezvous(
      {
        peers: host.peers,
        introductions: this.#introductions,
        now: () => host.now(),
        sessionsWith: (peerId) => host.sessionsWith(peerId),
        publicHosts: () => host.publicHosts(),
        decide: (asker, target, lookup) => decide(host.handlersOf, asker, target, lookup),
        locate: (asker, lookup) => locate(host.handlersOf, asker, lookup),
        answered: (answer, asker, targetId) => this.#onAnswered(answer, asker, targetId),
        onHandlerError: (error) => host.onHandlerError(error),
      },
      rates,
    );
  }

  /** Introductions that have ended, the newest first. */
  get rows(): readonly IntroductionRow[] {
    return this.#introductions.rows;
  }

  /** Takes other rates from now on; without them, the default ones. */
  setRates(rates: IntroductionRates = {}): void {
    this.#rendezvous.setRates(rates);
  }

  onIntroduction(introduction: Introduction): void {
    this.#rendezvous.onIntroduction(introduction);
  }

  onReport(reporter: PeerEntry, otherId: string, report: IntroductionReport): void {
    this.#introductions.report(reporter, otherId, report);
  }

  /** Tells what is known of the introductions under way. */
  async close(): Promise<void> {
    this.#introductions.close();
    await this.prober?.close();
  }

  #onAnswered(answer: IntroductionAnswer, asker: Peer, targetId: string): void {
    this.#host.counters.introduction(answer, shortId(asker.farID), shortId(targetId), this.#host.traffic());
  }

  #onEnd({ asker, target, outcome, reason, requests, next }: IntroductionRow): void {
    this.#host.counters.introductionEnded(outcome);
    const fields = {
      client: shortId(asker.id),
      target: shortId(target.id),
      outcome,
      ...(reason === undefined ? {} : { reason }),
      clientNat: natKind(asker),
      targetNat: natKind(target),
      requests,
      ...(next === undefined ? {} : { next }),
    };
    // Addresses without a session can ask without end.
    this.#host.log({ level: asker.id === "" ? "debug" : "info", event: "introduction", fields });
  }

  /** Asks for a sign of life, and for what other sockets of ours can see; the latter once for each address. */
  #examine(peer: PeerEntry): void {
    const now = this.#host.now();
    if (now - peer.pingedAt >= PING_MS) {
      peer.pingedAt = now;
      // Not before somebody asks for it: most peers are never introduced, and there are many.
      peer.session.onPong ??= () => {
        peer.heardAt = this.#host.now();
      };
      peer.session.ping();
    }
    if (peer.examined !== undefined || this.prober === undefined) return;
    const looking = {};
    peer.examined = looking;
    void this.prober.examine(peer).then((found) => {
      // Unless it has moved meanwhile.
      if (peer.examined === looking) peer.examined = found;
    });
  }
}

/** A peer that many ask for is not pinged for each of them: it may take that for abuse. */
const PING_MS = 1_000;
