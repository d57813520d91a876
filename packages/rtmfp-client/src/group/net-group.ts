/** NetGroup with Adobe's names (ActionScript's flash.net): who is in a group, as one of its members sees it. */
import { RtmfpError } from "rtmfp-core";
import { type GroupEvent, type GroupStats, groupAddressOf } from "rtmfp-core/group";
import { toHex } from "rtmfp-core/proto";
import type { ConnectionCore } from "../connection-core.ts";
import { Emitter } from "../emitter.ts";
import type { NetConnection, StatusEvent } from "../net-connection.ts";
import { makeStatus } from "../status-error.ts";
import { parseAddress } from "../stream-options.ts";
import type { GroupUser, JoinedGroup } from "./joined-group.ts";

/** Events of a NetGroup. */
export interface NetGroupEvents {
  /** Adobe's netStatus. The events of NetGroup.Connect go to the NetConnection, with `group`. */
  status: [event: StatusEvent];
}

/** A member that we have a session with. */
export interface NetGroupNeighbor {
  /** 64 lower-case hex digits. */
  readonly peerID: string;
  /** Its group address: 64 lower-case hex digits. */
  readonly neighbor: string;
  /** Bytes of the fragments of streams that it has sent us. */
  readonly bytesIn: number;
  /** Bytes of those that we have sent it. */
  readonly bytesOut: number;
}

/** Settings that ActionScript does not have. */
export interface NetGroupOptions {
  /** Leaves the group. Default: none. */
  readonly signal?: AbortSignal;
}

/**
 * A membership in a group, shared with the NetStreams of the same groupspec on the same NetConnection, with which it ends. Wait
 * for NetGroup.Connect.Success: before it, and after {@link close}, methods throw BAD_ARGUMENT.
 */
export class NetGroup extends Emitter<NetGroupEvents> {
  readonly #connection: NetConnection;
  readonly #core: ConnectionCore;
  readonly #group: JoinedGroup;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort = (): void => this.close();
  #state: "joining" | "joined" | "closed" = "joining";
  readonly #user: GroupUser = {
    joined: () => {
      this.#state = "joined";
      this.#tellConnection("NetGroup.Connect.Success");
    },
    failed: (code, why) => {
      this.#release();
      this.#tellConnection(code, why);
    },
    ended: () => this.close(),
    event: (event) => this.#onEvent(event),
    streamPublished: (name) => this.#tell("NetGroup.MulticastStream.PublishNotify", { name }),
    streamUnpublished: (name) => this.#tell("NetGroup.MulticastStream.UnpublishNotify", { name }),
  };

  /**
   * Joins a group; NetGroup.Connect.Success, Rejected or Failed follows on the NetConnection. Throws BAD_ARGUMENT for a
   * NetConnection that is not connected, and for what is no groupspec.
   */
  constructor(connection: NetConnection, groupspec: string, { signal }: NetGroupOptions = {}) {
    super();
    this.#connection = connection;
    this.#core = coreOf(connection);
    this.#group = this.#core.groups.join(groupspec, this.#user);
    this.#signal = signal;
    signal?.addEventListener("abort", this.#onAbort, { once: true });
    if (signal?.aborted === true) this.close();
  }

  /** Leaves the group, unless a NetStream still uses it; NetGroup.Connect.Closed follows on the NetConnection. */
  close(): void {
    if (this.#state === "closed") return;
    this.#release();
    this.#tellConnection("NetGroup.Connect.Closed");
  }

  /**
   * Connects to a member now, 64 hex digits; the group may drop it again. `addresses` says where it is, `host:port` each, such
   * as its `nearAddresses`, which is needed where no server knows it; default none. False if the peer is ourselves. Throws
   * BAD_ARGUMENT for what is no peer ID or address.
   */
  addNeighbor(peerID: string, addresses: readonly string[] = []): boolean {
    return this.#engine.addNeighbor(this.#known(peerID, addresses));
  }

  /**
   * Remembers a member, to connect to it when its place in the group asks for that; `addresses`, default none, as of
   * {@link addNeighbor}. False if the peer is ourselves. Throws BAD_ARGUMENT.
   */
  addMemberHint(peerID: string, addresses: readonly string[] = []): boolean {
    return this.#engine.addMemberHint(this.#known(peerID, addresses));
  }

  /** The place of a peer in the ring of the group: 64 lower-case hex digits. Throws BAD_ARGUMENT for what is no peer ID. */
  convertPeerIDToGroupAddress(peerID: string): string {
    const { provider } = this.#core.endpoint.profile;
    return toHex(groupAddressOf(checkedId(peerID), (bytes) => provider.sha256(bytes)));
  }

  /** Members as far as can be told from those next to us, ourselves included. */
  get estimatedMemberCount(): number {
    return this.#group.engine.estimatedMemberCount;
  }

  /** Members that we have a session with. */
  get neighborCount(): number {
    return this.#group.engine.neighborCount;
  }

  /** The group addresses to which we are nearest begin here: 64 lower-case hex digits. */
  get localCoverageFrom(): string {
    return this.#group.engine.localCoverageFrom;
  }

  /** The group addresses to which we are nearest end here. */
  get localCoverageTo(): string {
    return this.#group.engine.localCoverageTo;
  }

  /** The members that we have a session with; a new array. */
  get neighbors(): NetGroupNeighbor[] {
    const traffic = new Map(this.#group.multicast.traffic.map((each) => [each.peerId, each]));
    return this.#group.engine.neighbours.map(({ peerId, address }) => {
      const { bytesIn = 0, bytesOut = 0 } = traffic.get(peerId) ?? {};
      return { peerID: peerId, neighbor: address, bytesIn, bytesOut };
    });
  }

  /** Names of the streams that are in the group now. */
  get streams(): readonly string[] {
    return [...this.#group.streams];
  }

  /** Counters since the group was joined. */
  get stats(): Readonly<GroupStats> {
    return this.#group.engine.stats;
  }

  get #engine(): JoinedGroup["engine"] {
    if (this.#state === "joined") return this.#group.engine;
    const what =
      this.#state === "closed" ? "is closed: make another" : "is not joined yet: wait for its Connect.Success";
    throw new RtmfpError("BAD_ARGUMENT", `this NetGroup ${what}`);
  }

  #known(peerID: string, addresses: readonly string[]): string {
    const peerId = checkedId(peerID);
    if (addresses.length > 0) this.#group.addAddresses(peerId, addresses.map(parseAddress));
    return peerId;
  }

  #onEvent(event: GroupEvent): void {
    if (event.type === "localCoverage") this.#tell("NetGroup.LocalCoverage.Notify");
    else {
      const payload = { neighbor: event.address, peerID: event.peerId };
      const isThere = event.type === "neighbourConnected";
      this.#tell(isThere ? "NetGroup.Neighbor.Connect" : "NetGroup.Neighbor.Disconnect", payload);
    }
  }

  #release(): void {
    this.#state = "closed";
    this.#signal?.removeEventListener("abort", this.#onAbort);
    this.#core.groups.leave(this.#group, this.#user);
  }

  #tell(code: StatusEvent["code"], payload: object = {}): void {
    this.emit("status", makeStatus(code, undefined, payload) as StatusEvent);
  }

  #tellConnection(code: StatusEvent["code"], description?: string): void {
    this.#connection.tellStatus(makeStatus(code, description, { group: this }) as StatusEvent);
  }
}

/** What stands behind a connection; where ActionScript has an ArgumentError, BAD_ARGUMENT. */
export function coreOf(connection: NetConnection): ConnectionCore {
  if (connection.connected) return connection.core;
  throw new RtmfpError("BAD_ARGUMENT", "the NetConnection is not connected: await connect first");
}

function checkedId(peerID: string): string {
  if (typeof peerID === "string" && /^[0-9a-fA-F]{64}$/.test(peerID)) return peerID.toLowerCase();
  throw new RtmfpError("BAD_ARGUMENT", `expected a peer ID of 64 hex digits, got "${String(peerID)}"`);
}
