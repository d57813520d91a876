/** A client's place in a group: its flow, and the one by which it is told of other members. */
import { RtmfpError } from "rtmfp-core";
import { encodeMember, MEMBERSHIP_METADATA } from "rtmfp-core/group";
import type { TreeRecvFlow, TreeSendFlow, TreeSession } from "rtmfp-core/tc";
import type { RingMember } from "./group-ring.ts";

/** A client as its groups see it. */
export interface GroupClient {
  readonly farID: string;
  /** True while it is connected to an application. */
  readonly isAccepted: boolean;
  /** What carries its flows. */
  readonly session: TreeSession;
  /** Told of each group that it has joined or left; the identity is 64 lower-case hex digits. */
  onGroup(event: "onGroupJoin" | "onGroupLeave", groupId: string): void;
}

/** From the join to the end of the client's flow. */
export class GroupMember implements RingMember {
  readonly groupId: string;
  readonly address: string;
  readonly client: GroupClient;
  readonly #flow: TreeRecvFlow;
  #answer: TreeSendFlow | undefined;

  constructor(client: GroupClient, flow: TreeRecvFlow, groupId: string, address: string) {
    this.client = client;
    this.#flow = flow;
    this.groupId = groupId;
    this.address = address;
  }

  /** Tells of another member, to which the client may then connect; false if it cannot be told, or is too slow. */
  tell(other: GroupMember): boolean {
    try {
      this.#answer ??= this.client.session.openFlow(MEMBERSHIP_METADATA, { answers: this.#flow });
      if (!this.#answer.isOpen || this.#answer.bufferedBytes > MAX_WAITING_BYTES) return false;
      this.#answer.write(encodeMember(other.client.farID));
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
