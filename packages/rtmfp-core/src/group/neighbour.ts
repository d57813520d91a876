/** What the services of a group, such as multicast, see of its members next to us. */
import type { GroupRecvFlow, GroupSession } from "./session.ts";

/** A member that we have a session with and that has proved to be one. */
export interface Neighbour {
  /** 64 lower-case hex digits. */
  readonly peerId: string;
  /** Its place in the ring: 64 lower-case hex digits. */
  readonly address: string;
  /** What carries its flows. */
  readonly session: GroupSession;
  /** The far end's control flow: flows that we open for a service of the group are associated with it. */
  readonly control: GroupRecvFlow;
}

/**
 * What the `context` of a sending flow of a group says: whose it is. The group sets it for its control flows; a service sets
 * one for a flow that the neighbour shall answer, or the answer finds no neighbour and is rejected.
 */
export interface GroupFlowContext {
  /** At the other end of the flow. */
  readonly neighbour: Neighbour;
}

/** Something that the members of a group do for each other over flows of its own. */
export interface GroupService {
  /** Kinds of flows that it takes: the byte behind `GR` in their metadata. */
  readonly kinds: readonly number[];
  /** A member has become our neighbour, and reports have been exchanged. */
  connected(neighbour: Neighbour): void;
  /** It is one no longer: left, lost or dropped. Its flows have ended, or are about to. */
  disconnected(neighbour: Neighbour): void;
  /** A neighbour opened a flow of one of the {@link kinds}; false leaves it to be rejected. */
  flowOpened(neighbour: Neighbour, kind: number, flow: GroupRecvFlow): boolean;
  /** How much runs between a neighbour and us, in a unit of the service's own: links with none are given up first. */
  load(neighbour: Neighbour): number;
  /** We leave the group. */
  close(): void;
}
