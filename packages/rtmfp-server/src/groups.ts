/**
 * The server channel of NetGroup: clients join by a flow of their own, and whoever come within reach of each other in the ring
 * of the group are told of each other: newcomers and those around them, and those around a member that has left. The server
 * keeps no more than who is where; the group is made among the peers.
 */
import { decodeJoin, GroupspecError, groupAddressOf, groupIdOf, isMembership, type Sha256 } from "rtmfp-core/group";
import { toHex } from "rtmfp-core/proto";
import type { TreeRecvFlow } from "rtmfp-core/tc";
import type { GroupControl } from "./group-control.ts";
import { type GroupClient, GroupMember, type Telling } from "./group-member.ts";
import { GroupRing } from "./group-ring.ts";
import { type Logger, shortId } from "./log.ts";
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
  /** Times that it was not, because it was too slow, took nothing, or had been told of too many lately. */
  readonly untold: number;
}

/** Groups that have members, and the counts of all that there have been since the server was made. */
export interface GroupsStats extends GroupStats {
  /** By the group's identity, 64 lower-case hex digits. */
  readonly groups: ReadonlyMap<string, GroupStats>;
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
  /** True once every client is told to go: nobody need be told of anybody. */
  isClosed(): boolean;
}

/** All groups of a server. */
export class Groups {
  readonly #host: GroupsHost;
  readonly #maxMembers: number;
  readonly #groups = new Map<string, Group>();
  /** Flows of memberships, joined or about to, by client. */
  readonly #flows = new Map<GroupClient, Set<TreeRecvFlow>>();
  readonly #joins = new TokenBuckets(JOIN_RATE);
  /** Of groups that are no more. */
  readonly #past: Counts = newCounts();
  #members = 0;
  #refused = 0;
  #malformed = 0;

  constructor(host: GroupsHost, maxMembers: number = MAX_MEMBERS) {
    this.#host = host;
    this.#maxMembers = maxMembers;
  }

  /** See {@link GroupsStats}. */
  get stats(): GroupsStats {
    const groups = new Map<string, GroupStats>();
    const total = { ...this.#past };
    for (const [id, { ring, counts }] of this.#groups) {
      groups.set(id, { members: ring.size, ...counts });
      addCounts(total, counts);
    }
    return { groups, members: this.#members, ...total, refused: this.#refused, malformed: this.#malformed };
  }

  /** Members of a group in the order of its ring; none for a group that is not there. */
  membersOf(groupId: string): readonly GroupControl[] {
    return this.#groups.get(groupId)?.ring.members.map(({ control }) => control) ?? [];
  }

  /** Takes a flow that carries no RTMP messages, or rejects it; `client` is undefined if the session has none. */
  onFlow(client: GroupClient | undefined, flow: TreeRecvFlow): void {
    if (!isMembership(flow.metadata)) {
      flow.reject(0);
      return;
    }
    if (client?.isAccepted !== true) {
      this.#refuse(flow);
      return;
    }
    const flows = this.#flows.get(client) ?? new Set();
    if (flows.size >= MAX_GROUPS) {
      this.#refuse(flow);
      return;
    }
    this.#flows.set(client, flows.add(flow));
    let member: GroupMember | undefined;
    flow.onEnd = () => {
      flows.delete(flow);
      if (flows.size === 0) this.#flows.delete(client);
      if (member !== undefined) this.#leave(member);
    };
    flow.onMessage = (data) => {
      // What is read together with a message for which the flow was rejected.
      if (!flows.has(flow)) return;
      if (member !== undefined) {
        this.#malformed++;
        return;
      }
      member = this.#join(client, flow, data);
      if (member !== undefined) this.#tell("join", member);
    };
  }

  /** The client is gone: it leaves all groups. */
  leaveAll(client: GroupClient): void {
    for (const flow of this.#flows.get(client) ?? []) flow.reject(0);
  }

  /** Undefined if nothing came of it. */
  #join(client: GroupClient, flow: TreeRecvFlow, message: Uint8Array): GroupMember | undefined {
    if (!this.#joins.allow(this.#host.now(), client.farID) || this.#members >= this.#maxMembers) {
      this.#refuse(flow);
      return undefined;
    }
    const groupId = this.#groupId(message);
    if (groupId === undefined) {
      this.#malformed++;
      flow.reject(0);
      return undefined;
    }
    const address = toHex(groupAddressOf(client.farID, this.#host.sha256));
    // Who joins again leaves first, and a group may end by that.
    this.#groups.get(groupId)?.ring.at(address)?.end();
    const group = this.#groups.get(groupId) ?? { ring: new GroupRing(), counts: newCounts() };
    this.#groups.set(groupId, group);
    const member = new GroupMember(client, flow, groupId, address, group.counts);
    for (const neighbour of group.ring.neighbours(address, REACH)) this.#introduce(member, neighbour);
    group.ring.add(member);
    group.counts.joins++;
    this.#members++;
    return member;
  }

  #leave(member: GroupMember): void {
    member.close();
    const { ring, counts } = this.#groups.get(member.groupId) as Group;
    ring.remove(member);
    counts.leaves++;
    this.#members--;
    if (ring.size === 0) {
      this.#groups.delete(member.groupId);
      addCounts(this.#past, counts);
    } else if (!this.#host.isClosed()) {
      for (const [one, other] of ring.broughtTogether(member.address, REACH)) this.#introduce(one, other);
    }
    this.#tell("leave", member);
  }

  #introduce(one: GroupMember, other: GroupMember): void {
    const now = this.#host.now();
    one.introduce(other, now);
    other.introduce(one, now);
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

  #tell(what: "join" | "leave", { client, groupId, control }: GroupMember): void {
    const members = this.#groups.get(groupId)?.ring.size ?? 0;
    const fields = { client: shortId(client.farID), group: shortId(groupId), what, members };
    this.#host.log({ level: "debug", event: "group", fields });
    client.onGroup(what === "join" ? "onGroupJoin" : "onGroupLeave", control);
  }
}

interface Group {
  readonly ring: GroupRing<GroupMember>;
  readonly counts: Counts;
}

interface Counts extends Telling {
  joins: number;
  leaves: number;
}

function newCounts(): Counts {
  return { joins: 0, leaves: 0, told: 0, untold: 0 };
}

function addCounts(sum: Counts, more: Counts): void {
  for (const name of ["joins", "leaves", "told", "untold"] as const) sum[name] += more[name];
}

/** Groups that one client may be in at a time. */
export const MAX_GROUPS = 64;
/** Members of all groups together. */
const MAX_MEMBERS = 1_000_000;
/** Places in the ring within which members are told of each other, as many as old servers tell newcomers of. */
const REACH = 3;
/** Joins of one client: each makes the server tell up to twelve times. */
const JOIN_RATE = { perSecond: 10, burst: 100 } as const;
/** A groupspec in clear may have a long name. */
const MAX_JOIN_BYTES = 4_096;
