/** A client's place in a group: its flow, and the one by which it is told of other members. */
import { RtmfpError } from "rtmfp-core";
import { encodeMember, MEMBERSHIP_METADATA } from "rtmfp-core/group";
import type { TreeRecvFlow, TreeSendFlow, TreeSession } from "rtmfp-core/tc";
import { GroupControl, type GroupLink } from "./group-control.ts";
import type { RingMember } from "./group-ring.ts";
import { TokenBucket } from "./token-buckets.ts";

/** A client as its groups see it. */
export interface GroupClient {
  readonly farID: string;
  /** True while it is connected to an application. */
  readonly isAccepted: boolean;
  /** What carries its flows. */
  readonly session: TreeSession;
  /** Told of each group that it has joined or left. */
  onGroup(event: "onGroupJoin" | "onGroupLeave", group: GroupControl): void;
}

/** How often the members of a group were told of one another. */
export interface Telling {
  told: number;
  untold: number;
}

/** From the join to the end of the client's flow. */
export class GroupMember implements RingMember, GroupLink {
  readonly groupId: string;
  readonly address: string;
  readonly client: GroupClient;
  /** What applications get. */
  readonly control: GroupControl = new GroupControl(this);
  readonly #flow: TreeRecvFlow;
  readonly #counts: Telling;
  #rate: TokenBucket | undefined;
  #answer: TreeSendFlow | undefined;
  #hasLeft = false;

  /** `counts` are the group's. */
  constructor(client: GroupClient, flow: TreeRecvFlow, groupId: string, address: string, counts: Telling) {
    this.client = client;
    this.#flow = flow;
    this.groupId = groupId;
    this.address = address;
    this.#counts = counts;
  }

  get peerID(): string {
    return this.client.farID;
  }

  get isJoined(): boolean {
    return !this.#hasLeft;
  }

  /**
   * Tells of another member beside it in the ring, to which the client may then connect, unless it was told of too many
   * lately. `now` is monotonic ms.
   */
  introduce(other: GroupMember, now: number): void {
    this.#rate ??= new TokenBucket(TELL_RATE, now);
    if (this.#rate.allow(now, TELL_RATE)) this.tell(other.peerID);
    else this.#counts.untold++;
  }

  tell(peerId: string): boolean {
    if (this.#hasLeft) return false;
    const isTold = this.#write(encodeMember(peerId));
    if (isTold) this.#counts.told++;
    else this.#counts.untold++;
    return isTold;
  }

  /** It is no member any more. */
  close(): void {
    this.#hasLeft = true;
    void this.#answer?.close();
  }

  /** Ends the client's flow, which ends the membership. */
  end(): void {
    this.#flow.reject(0);
  }

  /** False if the client takes nothing, or is too slow. */
  #write(message: Uint8Array): boolean {
    try {
      this.#answer ??= this.client.session.openFlow(MEMBERSHIP_METADATA, { answers: this.#flow });
      if (!this.#answer.isOpen || this.#answer.bufferedBytes > MAX_WAITING_BYTES) return false;
      this.#answer.write(message);
      return true;
    } catch (error) {
      if (error instanceof RtmfpError) return false;
      throw error;
    }
  }
}

/** Members of which a client may be told and has not acknowledged; each takes 33 bytes. */
const MAX_WAITING_BYTES = 16_384;
/** Members of which one member is told because they came, or came nearer: it connects to each of them. */
const TELL_RATE = { perSecond: 10, burst: 100 } as const;
