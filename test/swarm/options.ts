/** What `pnpm sim swarm` is told, and what it says when it is told wrong. */
import { parseArgs } from "node:util";

/** One run. */
export interface SwarmOptions {
  /** Viewers up at a time; the publisher comes on top. */
  readonly members: number;
  readonly seed: number;
  /** Rate of the stream, sound and pictures together, in 1000 bits of FLV tag bodies per second. */
  readonly kbps: number;
  /** Random loss of each access link and direction, 0 to 1: a path has two of them. */
  readonly loss: number;
  /** Members that leave, and others that join, in a minute, as a share of all. */
  readonly churn: number;
  /** Share of the members that vanish at once; 0 for none. */
  readonly kill: number;
  /** When, in seconds of virtual time. */
  readonly killAt: number;
  /** Virtual time of the run, joining included. */
  readonly seconds: number;
  /** Virtual time over which the members come, seconds. */
  readonly joinSeconds: number;
  /** Whether packets are really encrypted and authenticated, and keys agreed on. */
  readonly crypto: "real" | "plain";
  /** Threads that share the members; the figures do not depend on them. */
  readonly threads: number;
  /** Where the figures go as JSON; undefined for nowhere. */
  readonly json: string | undefined;
  /** Tells on stderr how it goes. */
  readonly verbose: boolean;
}

/** The first line is shown with each complaint. */
export const USAGE = `usage: pnpm sim swarm [--members 10] [--seed 1] [--kbps 500] [--loss 1] [--churn 5] [--seconds 60]
  [--join SECONDS] [--kill PERCENT] [--kill-at SECOND] [--crypto real|plain] [--threads N]
  [--json FILE] [--verbose]

  --members   viewers; one publisher comes on top
  --kbps      rate of the stream, kbit/s
  --loss      percent lost on each access link and direction, of which a path has two
  --churn     percent of the members that leave in a minute, half of them without a word; others join
  --seconds   virtual time, joining included
  --join      seconds over which the members come; default a third of the run, at most 20
  --kill      percent of the members that vanish at once, at second --kill-at (default half of the run)
  --crypto    real keys, ciphers and HMACs, or none; default real up to 100 members
  --threads   to share the members among; default one for up to 100 members, else two
  --json      file for the figures`;

/** Undefined if only help is wanted. Throws RangeError or TypeError, in one line. */
export function parseOptions(argv: readonly string[]): SwarmOptions | undefined {
  const text = { type: "string" } as const;
  const { values } = parseArgs({
    args: [...argv],
    options: {
      members: text,
      seed: text,
      kbps: text,
      loss: text,
      churn: text,
      seconds: text,
      join: text,
      kill: text,
      "kill-at": text,
      crypto: text,
      threads: text,
      json: text,
      verbose: { type: "boolean", short: "v" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help === true) return undefined;
  const members = number("members", values.members ?? "10", 1, 10_000);
  const seconds = number("seconds", values.seconds ?? "60", 1, 3_600);
  const crypto = values.crypto ?? (members <= FEW ? "real" : "plain");
  if (crypto !== "real" && crypto !== "plain") throw new RangeError(`expected --crypto real or plain, got "${crypto}"`);
  return {
    members,
    seconds,
    crypto,
    seed: number("seed", values.seed ?? "1", 0, 1e9),
    kbps: number("kbps", values.kbps ?? "500", 8, 100_000),
    loss: percent("loss", values.loss ?? "1"),
    churn: percent("churn", values.churn ?? "5"),
    kill: percent("kill", values.kill ?? "0"),
    killAt: number("kill-at", values["kill-at"] ?? String(Math.round(seconds / 2)), 0, seconds),
    joinSeconds: number("join", values.join ?? String(Math.min(20, Math.round(seconds / 3))), 0, seconds),
    threads: number("threads", values.threads ?? (members <= FEW ? "1" : "2"), 1, 16),
    json: values.json,
    verbose: values.verbose ?? false,
  };
}

function number(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (/^[0-9]+$/.test(text) && value >= least && value <= most) return value;
  throw new RangeError(`expected --${name} from ${least} to ${most}, a whole number, got "${text}"`);
}

function percent(name: string, text: string): number {
  const value = Number(text);
  if (/^[0-9]+(\.[0-9]+)?$/.test(text) && value <= 100) return value / 100;
  throw new RangeError(`expected --${name} from 0 to 100 percent, got "${text}"`);
}

/** So many are simulated with real cryptography, and in one thread. */
const FEW = 100;
/** How often parts, and threads, exchange datagrams: half of the shortest way from the middle of the internet; ms of virtual time. */
export const STEP_MS = 5;
