/**
 * A deterministic network in virtual time, for tests of anything that runs on a carrier of datagrams.
 * @module
 */

/** Carriers on simulated hosts. */
export { SimCarrier, type SimSocket, type SocketOptions } from "./carrier.ts";
/** Virtual time. */
export { type Cancel, SimClock } from "./clock.ts";
/** Settings of access links. */
export type { AccessOptions } from "./context.ts";
/** Hosts. */
export { type HostOptions, SimHost } from "./host.ts";
/** Links: latency, loss, reordering, rate, MTU. */
export { type BurstLoss, type LinkOptions, SimLink, SimPipe } from "./link.ts";
/** NAT boxes. */
export { type NatKind, type NatMapping, type NatOptions, SimNat } from "./nat.ts";
/** A host or a NAT; and memory for datagrams. */
export { copyDatagram, type SimNode } from "./packet.ts";
/** The seeded random source. */
export { Prng } from "./prng.ts";
/** Counters, captures, filters. */
export type { Capture, CaptureRecord, DropReason, Filter, FilterView, SimStats } from "./traffic.ts";
/** The world that holds it all. */
export { type Block, type ForeignDatagram, SimWorld, type WorldOptions } from "./world.ts";
