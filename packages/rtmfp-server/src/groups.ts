/**
 * The server channel of NetGroup: clients join by a flow of their own, and newcomers and those next to them in the ring of
 * the group are told of each other. The server keeps no more than who is where; the group is made among the peers.
 */
import { decodeJoin, GroupspecError, groupAddressOf, groupIdOf, isMembership, type Sha256 } from "rtmfp-core/group";
import { toHex } from "rtmfp-core/proto";
import type { TreeRecvFlow } from "rtmfp-core/tc";
import { GroupMember } from "./group-member.ts";
import { GroupRing } from "./group-ring.ts";
import { type Logger, shortId } from "./log.ts";
import type { PeerEntry } from "./peers.ts";
import { TokenBuckets } from "./token-buckets.ts";

/** Counts of one group since its first member came. */
export interface GroupStats {
  /** Members now. */
  readonly members: number;
  /** Joins so far. */
  readonly joins: number;
  /** Members that have left, or were lost. */
  readonly leaves: number;
  /** Times that one member was told of another. */
  readonly told: number;
  /** Times that it could not be told, because it was too slow or took nothing. */
  readonly untold: number;
}

/** Groups that have members, and what became of joins that made no member; counted since the server was made. */
export interface GroupsStats {
  /** By the group's identity, 64 lower-case hex digits. */
  readonly groups: ReadonlyMap<string, GroupStats>;
  /** Members of all groups now. */
  readonly members: number;
  /** Joins beyond a cap or rate, or of who is no client. */
  readonly refused: number;
  /** Messages that are no joins, or came after one. */
  readonly malformed: number;
}

/** What the groups need of the server. */
export interface GroupsHost {
  readonly log: Logger;
  readonly sha256: Sha256;
  /** Monotonic ms. */
  now(): number;
}

/** All groups of a server. */
export class Groups {
  readonly #host: GroupsHost;
  readonly #maxMembers: number;
  readonly #groups = new Map<string, Group>();
  /** Flows of memberships, joined or about to, by client. */
  readonly #flows = new Map<PeerEntry, Set<TreeRecvFlow>>();
  readonly #joins = new TokenBuckets(JOIN_RATE);
  #members = 0;
  #refused = 0;
  #malformed = 0;

  constructor(host: GroupsHost, maxMembers: number = MAX_MEMBERS) {
    this.#host = host;
    this.#maxMembers = maxMembers;
  }

  /** See {@link GroupsStats}. */
  get stats(): GroupsStats {
    const groups = [...this.#groups].map(([id, { ring, counts }]) => [id, { members: ring.size, ...counts }] as const);
    return { groups: new Map(groups), members: this.#members, refused: this.#refused, malformed: this.#malformed };
  }

  /** Takes a flow that carries no RTMP messages, or rejects it. */
  onFlow(peer: PeerEntry, flow: TreeRecvFlow): void {
    if (!isMembership(flow.metadata)) {
      flow.reject(0);
      return;
    }
    const flows = this.#flows.get(peer) ?? new Set();
    if (peer.client === undefined || flows.size >= MAX_GROUPS) {
      this.#refuse(flow);
      return;
    }
    this.#flows.set(peer, flows.add(flow));
    let leave: (() => void) | undefined;
    flow.onEnd = () => {
      flows.delete(flow);
      if (flows.size === 0) this.#flows.delete(peer);
      leave?.();
    };
    flow.onMessage = (data) => {
      // What is read together with a message for which the flow was rejected.
      if (!flows.has(flow)) return;
      if (leave === undefined) leave = this.#join(peer, flow, data);
      else this.#malformed++;
    };
  }

  /** The client is gone: it leaves all groups. */
  leaveAll(peer: PeerEntry): void {
    for (const flow of this.#flows.get(peer) ?? []) flow.reject(0);
  }

  /** How to leave again; undefined if nothing came of it. */
  #join(peer: PeerEntry, flow: TreeRecvFlow, message: Uint8Array): (() => void) | undefined {
    if (!this.#joins.allow(this.#host.now(), peer.farID) || this.#members >= this.#maxMembers) {
      this.#refuse(flow);
      return undefined;
    }
    const id = this.#groupId(message);
    if (id === undefined) {
      this.#malformed++;
      flow.reject(0);
      return undefined;
    }
    const group = this.#groups.get(id) ?? {
      ring: new GroupRing(),
      counts: { joins: 0, leaves: 0, told: 0, untold: 0 },
    };
    this.#groups.set(id, group);
    const member = new GroupMember(peer, flow, toHex(groupAddressOf(peer.farID, this.#host.sha256)));
    this.#add(group, member);
    this.#tell("join", member, id, group);
    return () => this.#leave(id, group, member);
  }

  #add({ ring, counts }: Group, member: GroupMember): void {
    for (const neighbour of ring.neighbours(member.address, REACH)) {
      for (const told of [member.tell(neighbour), neighbour.tell(member)]) {
        if (told) counts.told++;
        else counts.untold++;
      }
    }
    const replaced = ring.add(member);
    counts.joins++;
    this.#members++;
    if (replaced === undefined) return;
    counts.leaves++;
    this.#members--;
    replaced.end();
  }

  #leave(id: string, group: Group, member: GroupMember): void {
    member.close();
    if (!group.ring.remove(member)) return;
    group.counts.leaves++;
    this.#members--;
    if (group.ring.size === 0) this.#groups.delete(id);
    this.#tell("leave", member, id, group);
  }

  #groupId(message: Uint8Array): string | undefined {
    const join = message.length > MAX_JOIN_BYTES ? undefined : decodeJoin(message);
    if (join === undefined) return undefined;
    if ("groupId" in join) return toHex(join.groupId);
    try {
      return toHex(groupIdOf(join.groupspec, this.#host.sha256));
    } catch (error) {
      if (error instanceof GroupspecError) return undefined;
      throw error;
    }
  }

  #refuse(flow: TreeRecvFlow): void {
    this.#refused++;
    flow.reject(0);
  }

  #tell(what: "join" | "leave", { peer }: GroupMember, id: string, { ring }: Group): void {
    const fields = { client: shortId(peer.farID), group: shortId(id), what, members: ring.size };
    this.#host.log({ level: "debug", event: "group", fields });
  }
}

interface Group {
  readonly ring: GroupRing<GroupMember>;
  readonly counts: { joins: number; leaves: number; told: number; untold: number };
}

/** Groups that one client may be in at a time. */
export const MAX_GROUPS = 64;
/** Members of all groups together. */
const MAX_MEMBERS = 1_000_000;
/** Members on each side in the ring that a newcomer and they are told of, as many as old servers tell. */
export const REACH = 3;
/** Joins of one client: each makes the server tell up to twelve times. */
const JOIN_RATE = { perSecond: 10, burst: 100 } as const;
/** A groupspec in clear may have a long name. */
const MAX_JOIN_BYTES = 4_096;
