import { expect } from "vitest";
import type { Session } from "../../src/index.ts";
import type { Session as ProtoSession } from "../../src/proto/session.ts";
import type { LinkOptions, SimWorld } from "../../src/testing/index.ts";
import { connect, makePair, numbered, numberOf, type Pair } from "./support.ts";

/** Each scenario runs once for each. */
export const SEEDS: readonly number[] = [1, 2, 3, 4, 5];

/** Messages under way from one end to the other in one reliable flow. */
export interface Stream {
  /** Numbers of the messages received, in order of arrival. */
  readonly got: number[];
  /** Virtual times of their arrival. */
  readonly at: number[];
  /** Resolves when all are acknowledged, rejects when the session ends before all are written. */
  readonly done: Promise<void>;
}

/** A client and a server with an open session, watched from then on. */
export interface Scene extends Pair {
  readonly near: Session;
  readonly far: Session;
}

/** Opens a session; every 10 ms from then on, both ends must agree with themselves on what is in flight. */
export async function openScene(
  seed: number,
  link: Partial<LinkOptions> = {},
  options: Parameters<typeof makePair>[2] = {},
  place: Parameters<typeof makePair>[3] = {},
): Promise<Scene> {
  const { crypto, ...rest } = options;
  const pair = makePair(seed, link, { crypto: { groups: [31], ...crypto }, ...rest }, place);
  const { near, far } = await connect(pair);
  watch(pair.world, [near, far]);
  return { ...pair, near, far };
}

/** Sends `count` messages of `size` bytes, one each `paceMs`, in a flow with a name that no other of the scene has. */
export function stream(
  world: SimWorld,
  from: Session,
  to: Session,
  { count, size, paceMs = 0, name = "stream" }: { count: number; size: number; paceMs?: number; name?: string },
): Stream {
  const got: number[] = [];
  const at: number[] = [];
  const others = to.onFlow;
  to.onFlow = (flow) => {
    if (flow.name !== name) return others?.(flow);
    flow.onMessage = (message) => {
      got.push(numberOf(message));
      at.push(world.now);
    };
    return undefined;
  };
  const flow = from.openFlow(name);
  const send = async (): Promise<void> => {
    for (let i = 0; i < count; i++) {
      await flow.ready;
      flow.write(numbered(i, size));
      if (paceMs > 0) await world.sleep(paceMs);
    }
    await flow.close();
  };
  return { got, at, done: send() };
}

/** 0 to `count` - 1. */
export function ordered(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

/** The longest time without an arrival between two times. */
export function longestPause({ at }: Stream, from: number, to: number): number {
  const times = [from, ...at.filter((time) => time > from && time < to), to];
  return Math.max(...times.slice(1).map((time, i) => time - (times[i] as number)));
}

/** Closes the session: then neither end keeps a session, a timer or anything else to do. */
export async function endsClean({ world, near, client, server }: Scene): Promise<void> {
  await world.settle(near.close(), 90_100);
  await world.runAsync(200_000);
  expect([client.sessions.size, server.sessions.size]).toEqual([0, 0]);
  expect(world.step()).toBe(false);
}

/** Throws unless what a session counts as in flight is what it has in flight, with a timeout to look after it. */
export function checkInFlight({ sends, nearId }: ProtoSession): void {
  const perFlow = new Map([...sends.flows].map((flow) => [flow, 0]));
  let total = 0;
  for (const { flow, transmitSize } of sends.inFlight) {
    total += transmitSize;
    perFlow.set(flow, (perFlow.get(flow) ?? Number.NaN) + transmitSize);
  }
  const agrees = [...perFlow].every(([flow, bytes]) => flow.outstandingBytes === bytes);
  if (total !== sends.outstandingBytes || !agrees) throw new Error(`session ${nearId} miscounts what is in flight`);
  if (total > 0 && sends.timeoutAt === Number.POSITIVE_INFINITY) throw new Error(`session ${nearId} has no timeout`);
  if (!(sends.congestion.window >= LEAST_WINDOW)) throw new Error(`session ${nearId} has no congestion window`);
}

function watch(world: SimWorld, sessions: readonly Session[]): void {
  const look = (): void => {
    for (const { inner } of sessions) checkInFlight(inner);
    // Nothing of the endpoints' runs in it, so no promise need settle.
    if (sessions.some(({ isOpen }) => isOpen)) world.schedule(world.now + 10, look, 0);
  };
  look();
}

/** CWND after a timeout (§A.2). */
const LEAST_WINDOW = 1_460;
