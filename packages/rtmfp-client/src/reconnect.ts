/** When to connect anew after a connection has ended by itself. */
import { RtmfpError } from "rtmfp-core";
import type { Clock } from "./clock.ts";

/** See `reconnect` of NetConnectionOptions. */
export interface ReconnectOptions {
  /** Wait before the first attempt; twice as long before each further one. ms, default 1000. */
  readonly firstMs?: number;
  /** The longest wait; ms, default 30000. */
  readonly mostMs?: number;
  /** Attempts in a row that may fail. Default: any number. */
  readonly attempts?: number;
}

/** Waits and tries again until an attempt succeeds, or there is no use in it. */
export class Reconnect {
  readonly #options: ReconnectOptions;
  readonly #clock: Clock;
  readonly #random: () => number;
  #cancel: (() => void) | undefined;
  /** Stands for the attempts that are planned or under way. */
  #run: object | undefined;

  /** `random` gives numbers from 0 to below 1. Throws BAD_ARGUMENT for times or attempts below 0. */
  constructor(options: ReconnectOptions, clock: Clock, random: () => number) {
    for (const [name, value] of Object.entries(options)) {
      if (value !== undefined && !(typeof value === "number" && value >= 0))
        throw new RtmfpError("BAD_ARGUMENT", `reconnect.${name}: expected a number of 0 or more, got ${value}`);
    }
    this.#options = options;
    this.#clock = clock;
    this.#random = random;
  }

  /**
   * What it returns starts to run `attempt` after each wait, until one resolves. {@link stop} ends that, also before it has
   * started.
   */
  plan(attempt: () => Promise<unknown>): () => void {
    this.stop();
    const run = {};
    this.#run = run;
    return () => this.#wait(1, attempt, run);
  }

  /** No attempt follows; one under way is not repeated. */
  stop(): void {
    this.#run = undefined;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #wait(count: number, attempt: () => Promise<unknown>, run: object): void {
    const { firstMs = FIRST_MS, mostMs = MOST_MS, attempts = Number.POSITIVE_INFINITY } = this.#options;
    if (run !== this.#run || count > attempts) return;
    const most = Math.min(mostMs, firstMs * 2 ** Math.min(count - 1, MAX_DOUBLINGS));
    // All clients of a server that went away come back, and not all at once.
    const ms = most * (1 + this.#random()) * 0.5;
    this.#cancel = this.#clock.after(ms, () => {
      this.#cancel = undefined;
      attempt().catch((error: unknown) => {
        if (isWorthTrying(error)) this.#wait(count + 1, attempt, run);
      });
    });
  }
}

/**
 * A server that cannot be reached, or is about to end, may be there later; one that refuses, and an attempt that was ended
 * here, are final.
 */
function isWorthTrying(error: unknown): boolean {
  return error instanceof RtmfpError && PASSING.has(error.code);
}

const PASSING: ReadonlySet<string> = new Set(["NetConnection.Connect.Failed", "NetConnection.Connect.AppShutdown"]);

const FIRST_MS = 1_000;
const MOST_MS = 30_000;
/** Doublings beyond this are more than any timer can wait for. */
const MAX_DOUBLINGS = 31;
