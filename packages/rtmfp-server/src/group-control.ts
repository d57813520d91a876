/** A client's membership of a NetGroup, as applications see it: AMS's GroupControl. */
import { RtmfpError } from "rtmfp-core";

/** What a {@link GroupControl} needs of the membership. */
export interface GroupLink {
  /** The group's identity, 64 lower-case hex digits. */
  readonly groupId: string;
  /** The member, 64 lower-case hex digits. */
  readonly peerID: string;
  /** Its place in the ring of the group, 64 lower-case hex digits. */
  readonly address: string;
  /** False once it has left. */
  readonly isJoined: boolean;
  /** Tells the member of another one; false if it has left, takes nothing, or is too slow. */
  tell(peerId: string): boolean;
}

/** From `onGroupJoin` to `onGroupLeave`, which get the same object. */
export class GroupControl {
  readonly #link: GroupLink;

  /** Made by the server when the client joins. */
  constructor(link: GroupLink) {
    this.#link = link;
  }

  /** The group's identity, 64 lower-case hex digits: what `groupIdOf` of rtmfp-core/group makes of its groupspec. */
  get groupspecDigest(): string {
    return this.#link.groupId;
  }

  /** The client that is the member, 64 lower-case hex digits: its `farID`. */
  get peerID(): string {
    return this.#link.peerID;
  }

  /** Where it stands in the ring of the group, 64 lower-case hex digits: Flash's `convertPeerIDToGroupAddress`. */
  get groupAddress(): string {
    return this.#link.address;
  }

  /** False once the client has left the group. */
  get isJoined(): boolean {
    return this.#link.isJoined;
  }

  /**
   * Has the client connect to another member, by an introduction of this server. `peerID` is 64 hex digits. False if the
   * client has left, takes nothing, or has not acknowledged 16 KiB of such words. Throws RtmfpError BAD_ARGUMENT for what is
   * no peer ID.
   */
  addNeighbor(peerID: string): boolean {
    return this.#tell("addNeighbor", peerID);
  }

  /**
   * Tells the client that somebody is a member: AMS's weaker word, which leaves it to the client whether it connects. There is
   * one message for both, and clients that hear it connect; so this does what {@link addNeighbor} does. Throws
   * RtmfpError BAD_ARGUMENT for what is no peer ID.
   */
  addMemberHint(peerID: string): boolean {
    return this.#tell("addMemberHint", peerID);
  }

  #tell(what: string, peerID: string): boolean {
    if (typeof peerID !== "string" || !/^[0-9a-fA-F]{64}$/.test(peerID))
      throw new RtmfpError("BAD_ARGUMENT", `${what}: expected a peer ID of 64 hex digits, got "${peerID}"`);
    return this.#link.tell(peerID);
  }
}
