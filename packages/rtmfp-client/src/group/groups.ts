/** The groups of one connection. */
import { RtmfpError, type Session } from "rtmfp-core";
import { GroupDoor, type Groupspec, GroupspecError, groupIdOf, parseGroupspec } from "rtmfp-core/group";
import { toHex } from "rtmfp-core/proto";
import type { TreeRecvFlow } from "rtmfp-core/tc";
import type { ConnectionCore } from "../connection-core.ts";
import { type GroupUser, JoinedGroup } from "./joined-group.ts";

/** Finds the group that a flow or a groupspec is for; a group is there as long as somebody uses it. */
export class Groups {
  readonly #core: ConnectionCore;
  readonly #door: GroupDoor;
  readonly #groups = new Map<string, JoinedGroup>();
  /** Set once the connection outlives its server: ends the connection. */
  #end: (() => void) | undefined;
  #cancelEnd: (() => void) | undefined;

  constructor(core: ConnectionCore) {
    this.#core = core;
    this.#door = new GroupDoor(core.clock);
  }

  /** Whether a group has a neighbour. */
  get hasNeighbours(): boolean {
    return [...this.#groups.values()].some(({ engine }) => engine.neighborCount > 0);
  }

  /**
   * Joins the group of a groupspec, or makes `user` one more user of it; it is told what comes of it later. Users that differ
   * in what follows the end marker are in the same group. Throws BAD_ARGUMENT for what is no groupspec.
   */
  join(groupspec: string, user: GroupUser): JoinedGroup {
    const spec = readSpec(groupspec);
    const id = toHex(groupIdOf(groupspec, (bytes) => this.#core.endpoint.profile.provider.sha256(bytes)));
    let group = this.#groups.get(id);
    if (group === undefined) {
      group = new JoinedGroup(this.#core, groupspec, spec, id, () => this.#checkLonely());
      this.#groups.set(id, group);
      this.#door.add(group.engine);
      this.#core.peers.onGroupFlow = (session, flow) => this.#onFlow(session, flow);
      group.start();
    }
    for (const peerId of spec.bootstrapPeers) group.engine.addBootstrapPeer(peerId);
    group.add(user);
    return group;
  }

  /** `user` needs the group no longer; without users it is left. */
  leave(group: JoinedGroup, user: GroupUser): void {
    if (group.remove(user) || this.#groups.get(group.id) !== group) return;
    this.#groups.delete(group.id);
    this.#door.remove(group.engine);
    group.close();
    if (this.#groups.size === 0) this.#core.peers.onGroupFlow = undefined;
    this.#checkLonely();
  }

  /**
   * The server is gone. False if that ends the connection; true if there are neighbours for whose sake it goes on: then `end`
   * is called once there have been none for {@link LONELY_MS}.
   */
  outlive(end: () => void): boolean {
    if (!this.hasNeighbours) return false;
    this.#end = end;
    return true;
  }

  /** The server is there again: it is asked for members. */
  serverBack(): void {
    this.#end = undefined;
    this.#cancelEnd?.();
    for (const group of this.#groups.values()) group.askServer();
  }

  /** The connection ends: leaves all groups. */
  close(): void {
    this.#end = undefined;
    this.#cancelEnd?.();
    for (const group of this.#groups.values()) {
      this.#door.remove(group.engine);
      group.close();
    }
    this.#groups.clear();
    this.#core.peers.onGroupFlow = undefined;
  }

  /** A flow of the server's that carries no RTMP messages. */
  onServerFlow(flow: TreeRecvFlow): void {
    for (const group of this.#groups.values()) if (group.takeServerFlow(flow)) return;
    flow.reject(0);
  }

  #checkLonely(): void {
    if (this.#end === undefined) return;
    this.#cancelEnd?.();
    this.#cancelEnd = this.hasNeighbours ? undefined : this.#core.clock.after(LONELY_MS, this.#end);
  }

  #onFlow(session: Session, flow: TreeRecvFlow): void {
    if (!this.#door.flowOpened(session, flow)) flow.reject(0);
  }
}

/** What a groupspec says. Throws BAD_ARGUMENT for what is none. */
export function readSpec(groupspec: string): Groupspec {
  try {
    return parseGroupspec(groupspec);
  } catch (error) {
    if (error instanceof GroupspecError) throw new RtmfpError("BAD_ARGUMENT", error.message);
    throw error;
  }
}

/** How long a connection without a server waits for another neighbour; ms. */
const LONELY_MS = 30_000;
