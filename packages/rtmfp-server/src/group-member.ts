/** A client's place in a group: its flow, and the one by which it is told of other members. */
import { RtmfpError } from "rtmfp-core";
import { encodeMember, MEMBERSHIP_METADATA } from "rtmfp-core/group";
import type { TreeRecvFlow, TreeSendFlow, TreeSession } from "rtmfp-core/tc";
import type { RingMember } from "./group-ring.ts";
import type { PeerEntry } from "./peers.ts";

/** From the join to the end of the client's flow. */
export class GroupMember implements RingMember {
  readonly address: string;
  readonly peer: PeerEntry;
  readonly #flow: TreeRecvFlow;
  #answer: TreeSendFlow | undefined;

  constructor(peer: PeerEntry, flow: TreeRecvFlow, address: string) {
    this.peer = peer;
    this.#flow = flow;
    this.address = address;
  }

  /** Tells of another member, to which the client may then connect; false if it cannot be told, or is too slow. */
  tell(other: GroupMember): boolean {
    try {
      const session: TreeSession = this.peer.session;
      this.#answer ??= session.openFlow(MEMBERSHIP_METADATA, { answers: this.#flow });
      if (!this.#answer.isOpen || this.#answer.bufferedBytes > MAX_WAITING_BYTES) return false;
      this.#answer.write(encodeMember(other.peer.farID));
      return true;
    } catch (error) {
      if (error instanceof RtmfpError) return false;
      throw error;
    }
  }

  /** Nothing more will be told. */
  close(): void {
    void this.#answer?.close();
  }

  /** Ends the client's flow, which ends the membership. */
  end(): void {
    this.#flow.reject(0);
  }
}

/** Members of which a client may be told and has not acknowledged; each takes 33 bytes. */
const MAX_WAITING_BYTES = 16_384;
