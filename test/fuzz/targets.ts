/** What is attacked, by turns. */
import { clientRound } from "./client-round.ts";
import { makePairs, type Pair } from "./pairs.ts";
import { fuzzRound, type RoundResult } from "./round.ts";
import { serverRound } from "./server-round.ts";

/** `core` is an endpoint and its application; the others are rtmfp-server and rtmfp-client in virtual time. */
export const TARGETS = ["core", "server", "client"] as const;
export type TargetName = (typeof TARGETS)[number];

/** The target of a round. */
export function targetOf(round: number): TargetName {
  return TARGETS[round % TARGETS.length] as TargetName;
}

/** The rounds of one seed. */
export class Rounds {
  readonly #seed: string;
  readonly #pairs: readonly Pair[];

  constructor(seed: string) {
    this.#seed = seed;
    this.#pairs = makePairs(seed);
  }

  /** Runs one round; the same seed and round do the same again. */
  async run(round: number): Promise<RoundResult> {
    const number = Math.floor(round / TARGETS.length);
    const target = targetOf(round);
    if (target === "server") return serverRound(this.#seed, number);
    if (target === "client") return clientRound(this.#seed, number);
    return fuzzRound(this.#seed, number, this.#pairs[number % this.#pairs.length] as Pair);
  }
}
