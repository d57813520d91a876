/** A group's flow to the server, by which members are told of each other. */
import { decodeMember, encodeJoin, type GroupJoin, MEMBERSHIP_METADATA } from "rtmfp-core/group";
import type { MessageTree, TreeRecvFlow, TreeSendFlow } from "rtmfp-core/tc";

/** What a channel tells its group. */
export interface ServerChannelHost {
  /** The server has the join; the wire has no other answer to it. */
  joined(): void;
  /** The server does not let us in, or the connection with it ended before it could. */
  failed(why: "refused" | "lost"): void;
  /** Another member: 64 lower-case hex digits. */
  member(peerId: string): void;
}

/** From the join to the leave. */
export class ServerChannel {
  readonly #flow: TreeSendFlow;
  readonly #host: ServerChannelHost;
  #isSettled = false;
  #isClosed = false;

  /** `tree` is that of the server connection. Throws SESSION_CLOSED and FLOW_CLOSED. */
  constructor(tree: MessageTree, join: GroupJoin, host: ServerChannelHost) {
    this.#host = host;
    const { farControl } = tree;
    this.#flow = tree.session.openFlow(MEMBERSHIP_METADATA, farControl === undefined ? {} : { answers: farControl });
    this.#flow.onException = () => this.#settle(() => host.failed("refused"));
    void this.#flow.write(encodeJoin(join)).done.then((outcome) =>
      this.#settle(() => {
        if (outcome === "delivered") host.joined();
        else host.failed("lost");
      }),
    );
  }

  /** Whether the server answers this channel by `flow`, which then is read. */
  take(flow: TreeRecvFlow): boolean {
    if (flow.answers !== this.#flow) return false;
    flow.onEnd = () => {};
    flow.accept({ order: "sequence" });
    flow.onMessage = (message) => {
      const peerId = decodeMember(message);
      if (peerId !== undefined && !this.#isClosed) this.#host.member(peerId);
    };
    return true;
  }

  /** Leaves the group at the server. */
  close(): void {
    this.#isClosed = true;
    void this.#flow.close();
  }

  #settle(tell: () => void): void {
    if (this.#isSettled || this.#isClosed) return;
    this.#isSettled = true;
    tell();
  }
}
