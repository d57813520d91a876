/** What a group is made of, and what it tells. */
import type { Address, WireAddress } from "../proto/address.ts";
import type { Sha256 } from "./group-id.ts";
import type { GroupService } from "./neighbour.ts";
import type { GroupClock, GroupSession } from "./session.ts";
import type { Hmac } from "./wire/group-proof.ts";

/** Primitives, and a source of chance. */
export interface GroupCrypto {
  /** Hashes identities and places in the ring. */
  readonly sha256: Sha256;
  /** Makes proofs. */
  readonly hmac: Hmac;
  /** `length` bytes that nobody can foresee, the caller's own. */
  readonly random: (length: number) => Uint8Array;
}

/** What a group is made of. */
export interface GroupOptions {
  /** The groupspec with its end marker; opaque but for its identity, its bootstrap peers, and whether peers meet at all. */
  readonly groupspec: string;
  /** Our own peer ID: 64 lower-case hex digits. */
  readonly nearId: string;
  /** Primitives, and a source of chance. */
  readonly crypto: GroupCrypto;
  /** Time and timers. */
  readonly clock: GroupClock;
  /** The endpoint under the group. */
  readonly host: GroupHost;
  /** What neighbours do for each other; no two take the same kind of flow. */
  readonly services: readonly GroupService[];
}

/** What a group needs of the endpoint under it. */
export interface GroupHost {
  /**
   * Gives the open session with that peer, or opens one: at its addresses, of which those of origin `relay` are servers that can
   * introduce it, and by our own server. Rejects where there is none within `timeoutMs`.
   */
  connect(peerId: string, addresses: readonly WireAddress[], timeoutMs: number): Promise<GroupSession>;
  /** This group uses the session, by whomever it was opened, until {@link release}. */
  hold(session: GroupSession): void;
  /** This group needs the session no longer; others may. */
  release(session: GroupSession): void;
  /** Addresses of servers that can introduce others to us. */
  introducers(): readonly Address[];
  /** News of the group, in the middle of its work: the handler must neither throw nor call the group. */
  event(event: GroupEvent): void;
}

/** News of a group. */
export type GroupEvent = NeighbourConnectedEvent | NeighbourDisconnectedEvent | LocalCoverageEvent;

/** A member has become our neighbour. */
export interface NeighbourConnectedEvent extends NeighbourEvent {
  /** Which event it is. */
  readonly type: "neighbourConnected";
}

/** A member is our neighbour no longer. */
export interface NeighbourDisconnectedEvent extends NeighbourEvent {
  /** Which event it is. */
  readonly type: "neighbourDisconnected";
}

/** Something about a neighbour. */
export interface NeighbourEvent {
  /** 64 lower-case hex digits. */
  readonly peerId: string;
  /** Its group address: 64 lower-case hex digits. */
  readonly address: string;
}

/** The range of group addresses has changed of which we are the nearest of ourselves and our neighbours. */
export interface LocalCoverageEvent {
  /** Which event it is. */
  readonly type: "localCoverage";
  /** As `localCoverageFrom` of the group. */
  readonly from: string;
  /** As `localCoverageTo` of the group. */
  readonly to: string;
}
