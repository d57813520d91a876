/** One group of one connection, shared by all that use it: the membership, its sessions with members, and the server's word. */
import { type Address, RtmfpError, type Session } from "rtmfp-core";
import {
  canonicalPart,
  Group,
  type GroupEvent,
  type GroupHost,
  type Groupspec,
  Multicast,
  type MulticastHost,
} from "rtmfp-core/group";
import { fromHex } from "rtmfp-core/proto";
import type { TreeRecvFlow } from "rtmfp-core/tc";
import type { ConnectionCore } from "../connection-core.ts";
import { tellListener } from "../emitter.ts";
import { ServerChannel } from "./server-channel.ts";

/** What a group tells whoever uses it; never within a call of theirs. */
export interface GroupUser {
  /** The group can be used: the server has let us in, there is none to ask, or a member is our neighbour. */
  joined(): void;
  /** It cannot; nothing follows. `why` is for people. */
  failed(code: "NetGroup.Connect.Rejected" | "NetGroup.Connect.Failed", why: string): void;
  /** The connection has ended, and the group with it; nothing follows. */
  ended(): void;
  /** News of neighbours; who comes later is told of those that are there. */
  event?(event: GroupEvent): void;
  /** A stream of that name is in the group; who comes later is told of those that are. */
  streamPublished?(name: string): void;
  /** No longer. */
  streamUnpublished?(name: string): void;
}

/** See the head of the file. */
export class JoinedGroup {
  /** The group's identity: 64 lower-case hex digits. */
  readonly id: string;
  /** What the groupspec that was given first says. */
  readonly spec: Groupspec;
  readonly engine: Group;
  readonly multicast: Multicast;
  /** Names of the streams that this connection publishes to the group. */
  readonly publishing: Set<string> = new Set();
  readonly #core: ConnectionCore;
  readonly #groupspec: string;
  /** Whether they have been told how the join went. */
  readonly #users = new Map<GroupUser, boolean>();
  readonly #neighbours = new Map<string, GroupEvent & { type: "neighbourConnected" }>();
  /** Names of the streams that are in the group. */
  readonly streams: Set<string> = new Set();
  /** Where members are, as far as we were told beforehand. */
  readonly #addresses = new Map<string, readonly Address[]>();
  readonly #leaving = new AbortController();
  readonly #onNeighbours: () => void;
  #channel: ServerChannel | undefined;
  #outcome: ((user: GroupUser) => void) | undefined;

  /** `onNeighbours` is called when there are more or fewer. */
  constructor(core: ConnectionCore, groupspec: string, spec: Groupspec, id: string, onNeighbours: () => void) {
    this.#core = core;
    this.#groupspec = groupspec;
    this.spec = spec;
    this.id = id;
    this.#onNeighbours = onNeighbours;
    const { provider } = core.endpoint.profile;
    const random = (length: number): Uint8Array => core.host.random(length);
    this.multicast = new Multicast({ clock: core.clock, random, host: this.#multicastHost() });
    this.engine = new Group({
      groupspec,
      nearId: core.endpoint.peerId,
      crypto: {
        sha256: (bytes) => provider.sha256(bytes),
        hmac: (key, data) => provider.createHmacKey(key).digest(data),
        random,
      },
      clock: core.clock,
      host: this.#groupHost(),
      services: [this.multicast],
    });
  }

  /** Looks for members, at the server too if the groupspec says so. */
  start(): void {
    if (this.spec.peerToPeerDisabled) {
      this.#fail("NetGroup.Connect.Failed", "the group is one of IP multicast alone, which is not there yet");
      return;
    }
    this.engine.start();
    if (!this.askServer()) this.#join();
  }

  /** Asks the server for members from now on. False if there is none, or the groupspec does not want it. */
  askServer(): boolean {
    const { spec } = this;
    if (!spec.serverChannelEnabled || spec.peerToPeerDisabled) return false;
    if (!this.#core.isOpen || this.#core.session === undefined) return false;
    const join = spec.version >= 2 ? { groupId: fromHex(this.id) } : { groupspec: canonicalPart(this.#groupspec) };
    this.#channel?.close();
    try {
      this.#channel = new ServerChannel(this.#core.tree, join, {
        joined: () => this.#join(),
        failed: (why) => this.#onServerFailed(why),
        member: (peerId) => void this.engine.memberTold(peerId),
      });
    } catch (error) {
      // The session has ended, and the connection does not know yet.
      if (!(error instanceof RtmfpError)) throw error;
      this.#onServerFailed("lost");
    }
    return true;
  }

  /** One more user; it is told later. */
  add(user: GroupUser): void {
    this.#users.set(user, false);
    this.#later(() => this.#tellOutcome(user));
  }

  /** False if nobody uses the group any more. */
  remove(user: GroupUser): boolean {
    this.#users.delete(user);
    return this.#users.size > 0;
  }

  /** Whether a flow of the server's is for this group; then it is read. */
  takeServerFlow(flow: TreeRecvFlow): boolean {
    return this.#channel?.take(flow) === true;
  }

  /** Where a member is, for whom no server is to be asked. */
  addAddresses(peerId: string, addresses: readonly Address[]): void {
    this.#addresses.set(peerId, addresses);
  }

  /** Leaves: the members and the server learn it, and the users that are left. */
  close(): void {
    for (const user of this.#users.keys()) tellListener(() => user.ended());
    this.#users.clear();
    this.#leaving.abort();
    this.#channel?.close();
    this.engine.close();
  }

  #onServerFailed(why: "refused" | "lost"): void {
    if (this.engine.neighborCount > 0 || this.spec.bootstrapPeers.length > 0) this.#join();
    else if (why === "refused")
      this.#fail("NetGroup.Connect.Rejected", "the server does not let this client into the group");
    else this.#fail("NetGroup.Connect.Failed", "the server connection ended before the group was joined");
  }

  #join(): void {
    this.#settle((user) => user.joined());
  }

  #fail(code: "NetGroup.Connect.Rejected" | "NetGroup.Connect.Failed", why: string): void {
    this.#settle((user) => user.failed(code, why));
  }

  /** The first outcome holds. */
  #settle(outcome: (user: GroupUser) => void): void {
    if (this.#outcome !== undefined) return;
    this.#outcome = outcome;
    this.#later(() => {
      for (const user of [...this.#users.keys()]) this.#tellOutcome(user);
    });
  }

  /** Once, when there is one; then who is there already. */
  #tellOutcome(user: GroupUser): void {
    if (this.#outcome === undefined || this.#users.get(user) !== false) return;
    this.#users.set(user, true);
    tellListener(this.#outcome, user);
    for (const event of [...this.#neighbours.values()]) this.#tell(user, event);
    for (const name of [...this.streams]) if (this.#users.has(user)) tellListener(() => user.streamPublished?.(name));
  }

  #onEvent(event: GroupEvent): void {
    if (event.type === "neighbourConnected") this.#join();
    this.#later(() => {
      if (event.type === "neighbourConnected") this.#neighbours.set(event.peerId, event);
      else if (event.type === "neighbourDisconnected") this.#neighbours.delete(event.peerId);
      for (const [user, isTold] of [...this.#users]) if (isTold) this.#tell(user, event);
      if (event.type !== "localCoverage") this.#onNeighbours();
    });
  }

  #tell(user: GroupUser, event: GroupEvent): void {
    if (this.#users.has(user)) tellListener((news) => user.event?.(news), event);
  }

  /** The engine must not be called in the middle of its work, nor applications in the middle of their calls. */
  #later(run: () => void): void {
    queueMicrotask(() => {
      if (!this.#leaving.signal.aborted) run();
    });
  }

  #multicastHost(): MulticastHost {
    const tell = (run: (user: GroupUser) => void): void => {
      for (const [user, isTold] of [...this.#users]) if (isTold) tellListener(run, user);
    };
    return {
      publishNotify: (name) =>
        this.#later(() => {
          this.streams.add(name);
          tell((user) => user.streamPublished?.(name));
        }),
      unpublishNotify: (name) =>
        this.#later(() => {
          this.streams.delete(name);
          tell((user) => user.streamUnpublished?.(name));
        }),
    };
  }

  #groupHost(): GroupHost {
    const core = this.#core;
    const { peers } = core;
    const known = (peerId: string): readonly Address[] => this.#addresses.get(peerId) ?? [];
    return {
      connect: (peerId, addresses, timeoutMs) =>
        peers.reach(peerId, [...known(peerId), ...addresses], timeoutMs, this.#leaving.signal),
      hold: (held) => peers.hold(held as Session, this),
      release: (held) => peers.release(held as Session, this),
      introducers: () => (core.session?.isOpen === true ? [core.session.address] : []),
      event: (event) => this.#onEvent(event),
    };
  }
}
