import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import type { Session } from "../../src/proto/session.ts";
import type { SessionState } from "../../src/proto/session-options.ts";
import { SimWorld } from "../../src/testing/index.ts";
import { nameOf, type RawNode, rawNode } from "./raw.ts";
import { SEEDS } from "./scenario.ts";

/** How one end lets go. */
type Way = "close" | "abort" | "vanish";

interface Ends {
  readonly world: SimWorld;
  readonly near: RawNode;
  readonly far: RawNode;
  readonly session: Session;
}

/** A session on its way to be open, 40 ms of round trip, with a keepalive of 10 s. */
function opening(seed: number, loss = 0): Ends {
  const world = new SimWorld(seed);
  const [near, far] = ["near", "far"].map((name) =>
    rawNode(world.host(name, { link: { latencyMs: 10, jitterMs: 2, loss } }), name, { keepaliveMs: 10_000 }),
  ) as [RawNode, RawNode];
  far.onEvent = (event) => {
    if (event.type === "readable") while (event.flow.read() !== undefined) {}
  };
  const session = near.endpoint.open(0, nameOf("far"), { candidates: [{ address: far.address, via: 0 }] });
  return { world, near, far, session };
}

/** Brings the session to a state, with data in flight both ways if it has been open. */
function bring(ends: Ends, state: SessionState): void {
  const { world, near, far, session } = ends;
  if (state === "S_IHELLO_SENT") return;
  expect(world.runUntil(() => session.state === "S_KEYING_SENT" || session.isOpen, 60_000)).toBe(true);
  if (state === "S_KEYING_SENT") return;
  expect(world.runUntil(() => session.isOpen && far.open().length > 0, 60_000)).toBe(true);
  const other = far.open()[0] as Session;
  for (const [node, end] of [
    [near, session],
    [far, other],
  ] as const) {
    const flow = end.openFlow(nameOf("data"));
    for (let i = 0; i < 20; i++) flow.write(new Uint8Array(5_000));
    node.driver.wake();
  }
  world.run(50);
  if (state === "S_OPEN") return;
  if (state === "S_NEARCLOSE") end(ends, "close");
  else if (state === "S_FARCLOSE_LINGER") {
    other.close(far.driver.now());
    far.driver.wake();
    // Its repetitions and acknowledgements are lost, lest the far end's acknowledgement end the linger.
    world.filter(({ sender }) => (sender === "near" ? "drop" : undefined));
  } else end(ends, "abort");
  expect(world.runUntil(() => session.state === state, 60_000)).toBe(true);
}

function end({ world, near, far, session }: Ends, way: Way): void {
  if (way === "vanish") world.partition([near.host], [far.host]);
  else if (way === "close") session.close(near.driver.now());
  else session.abort();
  near.driver.wake();
}

/** Both ends are rid of everything within `ms`; each was told of each session's end once. */
function bothEndWithin({ world, near, far, session }: Ends, ms: number): void {
  // What is under way may still open the far end.
  world.run(100);
  const over = (): boolean => near.endpoint.sessions.size + far.endpoint.sessions.size === 0;
  expect(world.runUntil(over, ms)).toBe(true);
  world.run(10_000);
  expect(["S_CLOSED", "S_OPEN_FAILED"]).toContain(session.state);
  expect([...session.sends.flows, ...session.receives.flows]).toEqual([]);
  expect(session.sends.outstandingBytes).toBe(0);
  for (const { endpoint } of [near, far]) {
    expect([endpoint.timers.size, endpoint.pollTimeout()]).toEqual([0, undefined]);
    expect([...endpoint.sessions.opening]).toEqual([]);
  }
  expect(near.told("closed").length).toBe(1);
  expect(far.told("closed").length).toBe(far.told("incoming").length);
}

/** How long both ends may take at most, from §3.5.1.1.1, §3.5.5, and three Pings after 10 s of silence. */
const LIMIT_MS: Readonly<Record<Way, Partial<Record<SessionState, number>>>> = {
  close: {
    S_IHELLO_SENT: 100,
    S_KEYING_SENT: 45_000,
    S_OPEN: 19_500,
    S_NEARCLOSE: 19_500,
    S_FARCLOSE_LINGER: 91_000,
    S_CLOSED: 45_000,
  },
  abort: {
    S_IHELLO_SENT: 100,
    S_KEYING_SENT: 45_000,
    S_OPEN: 1_000,
    S_NEARCLOSE: 19_500,
    S_FARCLOSE_LINGER: 91_000,
    S_CLOSED: 45_000,
  },
  vanish: {
    S_IHELLO_SENT: 95_100,
    S_KEYING_SENT: 95_100,
    S_OPEN: 45_000,
    S_NEARCLOSE: 91_000,
    S_FARCLOSE_LINGER: 91_000,
    S_CLOSED: 45_000,
  },
};

function endsInEachState(way: Way): void {
  for (const seed of SEEDS) {
    for (const [state, limitMs] of Object.entries(LIMIT_MS[way]) as [SessionState, number][]) {
      const ends = opening(seed);
      bring(ends, state);
      end(ends, way);
      bothEndWithin(ends, limitMs);
    }
  }
}

describe("a session", () => {
  it(...rfc("R7016-3.5-02"), "closed in each state ends at both ends in time and leaves nothing behind", () => {
    endsInEachState("close");
  });

  it(...rfc("R7016-3.5-02"), "aborted in each state ends at both ends in time and leaves nothing behind", () => {
    endsInEachState("abort");
  });

  it(
    ...rfc("R7016-3.5-02"),
    "whose peer vanishes in each state ends at both ends in time and leaves nothing behind",
    () => {
      endsInEachState("vanish");
    },
  );

  it(
    ...rfc("R7016-3.5.5-03"),
    "closed over links that lose half of all datagrams ends at both ends within 90 s",
    () => {
      for (let seed = 1; seed <= 20; seed++) {
        const ends = opening(seed);
        bring(ends, "S_OPEN");
        for (const { host } of [ends.near, ends.far]) host.link.set({ loss: 0.3 });
        end(ends, "close");
        bothEndWithin(ends, 90_100);
      }
    },
  );

  it("closed from both ends within a round trip of each other ends at once at both", () => {
    for (const seed of SEEDS) {
      for (let ms = 0; ms <= 40; ms += 2) {
        const ends = opening(seed);
        bring(ends, "S_OPEN");
        const other = ends.far.open()[0] as Session;
        end(ends, "close");
        ends.world.after(ms, () => {
          other.close(ends.far.driver.now());
          ends.far.driver.wake();
        });
        bothEndWithin(ends, 19_100);
      }
    }
  });
});
