/** What the network does at random. */
import type { LinkOptions, Prng, SimWorld } from "../../packages/rtmfp-core/src/testing/index.ts";
import { pick } from "./actions.ts";
import type { Peer, WalkContext } from "./peer.ts";

/** Does something to the network. */
export type Fault = (context: WalkContext, peers: readonly Peer[], world: SimWorld) => void;

/** Settings of a link, most of them harmless. */
export function randomLink(prng: Prng): Partial<LinkOptions> {
  return {
    latencyMs: prng.int(prng.chance(0.2) ? 300 : 40),
    jitterMs: prng.chance(0.3) ? prng.int(60) : 0,
    loss: prng.chance(0.4) ? prng.next() * 0.3 : 0,
    burst: prng.chance(0.15) ? { enter: 0.02, leave: 0.2 } : undefined,
    reorder: prng.chance(0.3) ? prng.next() * 0.3 : 0,
    reorderMs: prng.int(80),
    duplicate: prng.chance(0.3) ? prng.next() * 0.2 : 0,
    mtu: prng.chance(0.2) ? 576 + prng.int(924) : 1500,
    bitsPerSecond: prng.chance(0.3) ? 300_000 + prng.int(5_000_000) : Number.POSITIVE_INFINITY,
    queueBytes: 20_000 + prng.int(150_000),
  };
}

const weather: Fault = ({ prng, log }, peers) => {
  const peer = pick(prng, peers) as Peer;
  const link = randomLink(prng);
  log(`link of ${peer.name}: ${JSON.stringify(link)}`);
  peer.host.link.set(link);
};

const outage: Fault = ({ prng, log }, peers, world) => {
  const from = pick(prng, peers) as Peer;
  const to = pick(prng, peers) as Peer;
  const ms = prng.int(prng.chance(0.2) ? 70_000 : 8_000);
  const both = prng.chance(0.5);
  log(`outage of ${ms} ms from ${from.name} to ${to.name}${both ? ", both ways" : ""}`);
  if (both) world.partition([from.host], [to.host], ms);
  else world.block([from.host], [to.host], ms);
};

const move: Fault = ({ prng, log }, peers) => {
  const peer = pick(prng, peers) as Peer;
  if (peer.nat !== undefined && prng.chance(0.7)) {
    log(`NAT of ${peer.name} forgets its mappings`);
    peer.nat.rebind();
    return;
  }
  peer.host.move({});
  log(`${peer.name} moves to ${peer.host.addresses[0]}`);
};

const clear: Fault = (_context, peers) => {
  for (const peer of peers) peer.host.link.set(CLEAN);
};

/** Faults with their weights. */
export const faults: readonly (readonly [number, Fault])[] = [
  [4, weather],
  [2, outage],
  [1, move],
  [1, clear],
];

/** A link without faults. */
export const CLEAN: Partial<LinkOptions> = {
  latencyMs: 10,
  jitterMs: 0,
  loss: 0,
  burst: undefined,
  reorder: 0,
  duplicate: 0,
  mtu: 1500,
  bitsPerSecond: Number.POSITIVE_INFINITY,
};
