/** One random walk: a world, peers, random steps, and an orderly end. All of it follows from the seed. */
import { RECEIVE_CAPACITY_BYTES } from "../../packages/rtmfp-core/src/proto/params.ts";
import { type NatKind, Prng, SimWorld } from "../../packages/rtmfp-core/src/testing/index.ts";
import { actions, overrun } from "./actions.ts";
import { CLEAN, faults, randomLink } from "./faults.ts";
import { checkFlowsGone, checkReleased, checkSettled, checkStep } from "./invariants.ts";
import { Ledger } from "./ledger.ts";
import { Peer, type WalkContext } from "./peer.ts";
import { Wire } from "./wire.ts";

/** How a walk went. */
export interface WalkResult {
  readonly seed: number;
  readonly steps: number;
  readonly messages: number;
  readonly datagrams: number;
  /** What went wrong, if anything. */
  readonly failure: Error | undefined;
}

/** Runs the walk of that seed; `log` gets a line for each thing that happens. */
export function walk(seed: number, log: (line: string) => void = () => {}): WalkResult {
  const world = new SimWorld(`walk ${seed}`);
  const ledger = new Ledger();
  const prng = new Prng(`walk ${seed}`);
  const context: WalkContext = {
    prng,
    ledger,
    wire: new Wire(ledger),
    log: (text) => log(`${(world.now / 1000).toFixed(3)} s  ${text}`),
    random: true,
  };
  let steps = 0;
  let failure: Error | undefined;
  try {
    const peers = makePeers(context, world);
    const count = 40 + prng.int(prng.chance(0.2) ? 600 : 200);
    for (; steps < count; steps++) {
      if (seed % OVERRUN_EVERY === 1 && prng.chance(0.1)) overrun(context, peers);
      step(context, peers, world);
      world.run(prng.int(weighted(prng, PAUSES)));
      checkStep(peers, ledger);
    }
    windDown(context, peers, world);
  } catch (error) {
    failure = error instanceof Error ? error : new Error(String(error));
    context.log(`FAILED: ${failure.message}`);
  }
  const messages = ledger.flows.reduce((sum, { messages }) => sum + messages.length, 0);
  return { seed, steps, messages, datagrams: world.stats.sent, failure };
}

function makePeers(context: WalkContext, world: SimWorld): Peer[] {
  const { prng } = context;
  const real = prng.chance(0.1);
  const count = 2 + prng.int(real ? 3 : 7);
  context.log(`${count} peers${real ? " with real cryptography" : ""}`);
  return Array.from({ length: count }, (_, i) => {
    const name = `peer${i}`;
    const hidden = i > 0 && prng.chance(0.25);
    const nat = hidden ? world.nat(`nat${i}`, { kind: NATS[prng.int(NATS.length)] as NatKind }) : undefined;
    const host = world.host(name, {
      link: randomLink(prng),
      clockOffsetMs: prng.int(1_000_000),
      clockRate: prng.chance(0.3) ? 0.95 + prng.next() * 0.1 : 1,
      ...(nat === undefined ? {} : { behind: nat }),
    });
    return new Peer(context, name, host, nat, real);
  });
}

function step(context: WalkContext, peers: readonly Peer[], world: SimWorld): void {
  const { prng } = context;
  if (prng.chance(0.12)) weighted(prng, faults)(context, peers, world);
  else if (!weighted(prng, actions)(context, peers)) actions[0]?.[1](context, peers);
}

/** Heals the network, lets everything arrive, then closes flows, sessions and endpoints, checking after each. */
function windDown(context: WalkContext, peers: readonly Peer[], world: SimWorld): void {
  const { ledger, log } = context;
  log("the network heals, applications read everything");
  context.random = false;
  for (const peer of peers) peer.host.link.set(CLEAN);
  for (const record of ledger.flows) {
    const { receiver } = record;
    if (receiver === undefined || receiver.rejected) continue;
    receiver.eager = true;
    const order = record.tiny || receiver.inSequence ? "sequence" : "network";
    receiver.capacityBytes = RECEIVE_CAPACITY_BYTES;
    receiver.flow.accept({ order, capacityBytes: RECEIVE_CAPACITY_BYTES });
    peers.find(({ name }) => name === receiver.peer)?.drain(receiver.flow);
  }
  const undecided = (): boolean =>
    ledger.flows.some(({ messages }) => messages.some(({ receipt }) => receipt.state === "queued"));
  for (let i = 0; i < 90 && (i < 20 || undecided()); i++) {
    world.run(10_000);
    checkStep(peers, ledger);
  }
  checkSettled(ledger);

  log("flows close");
  for (const { flow } of ledger.flows) flow.close();
  world.run(60_000);
  checkStep(peers, ledger);
  world.run(LINGER_MS);
  checkFlowsGone(peers, ledger);

  log("sessions close");
  for (const peer of peers) for (const session of peer.sessions) session.close(peer.now);
  world.run(CLOSE_MS);
  checkReleased(peers);
}

/** One of the items, by weight; numbers weigh alike. */
function weighted<T>(prng: Prng, items: readonly (readonly [number, T])[]): T {
  let at = prng.next() * items.reduce((sum, [weight]) => sum + weight, 0);
  for (const [weight, item] of items) {
    at -= weight;
    if (at < 0) return item;
  }
  return (items[0] as readonly [number, T])[1];
}

/** One walk of so many has senders that ignore windows. */
const OVERRUN_EVERY = 4;
/** Upper bounds of the time between two steps, ms. */
const PAUSES: readonly (readonly [number, number])[] = [
  [3, 1],
  [4, 30],
  [4, 300],
  [2, 2_000],
  [0.5, 15_000],
];
const NATS: readonly NatKind[] = ["full-cone", "restricted-cone", "port-restricted-cone", "symmetric"];
/** Both lingers of a flow, and clocks that run slow. */
const LINGER_MS = 160_000;
/** S_NEARCLOSE and S_FARCLOSE_LINGER, by slow clocks. */
const CLOSE_MS = 130_000;
