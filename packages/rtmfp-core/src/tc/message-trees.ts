/** All trees of message flows in one session, and which flow belongs to which (§5.3, §5.4). § means RFC 7425. */
import { RtmfpError } from "../proto/errors.ts";
import { MessageTree, type TreeOwner } from "./message-tree.ts";
import { decodeMetadata, type FlowMetadata } from "./metadata.ts";
import type { TreeClock, TreeRecvFlow, TreeSession } from "./tree-session.ts";

/**
 * Takes the flows of a session: one that answers a flow of a tree belongs to that tree, whatever its stream ID
 * (§5.4.2); one that answers none may begin a tree. Flows with other metadata than §5.1.1's go to {@link onOther}.
 * Whatever nobody takes is rejected with code 0.
 */
export class MessageTrees implements TreeOwner {
  /**
   * A flow that may begin a tree: stream 0 for a NetConnection, another for a peer's subscription. Take it by
   * {@link answer} before returning; otherwise it is rejected.
   */
  onControl: ((flow: TreeRecvFlow, streamId: number) => void) | undefined;
  /** A flow that carries no RTMP messages. Its taker accepts it; without a callback it is rejected. */
  onOther: ((flow: TreeRecvFlow) => void) | undefined;
  /** The session that carries the trees. */
  readonly session: TreeSession;
  /** Times flow synchronization and closing. */
  readonly clock: TreeClock;
  readonly #trees = new Set<MessageTree>();
  /** The flow that is being told to {@link onControl}. */
  #offered: { flow: TreeRecvFlow; metadata: FlowMetadata } | undefined;

  /** Sets the session's `context`, `onFlow` and `onEnded`. `clock` times flow synchronization and closing. */
  constructor(session: TreeSession, clock: TreeClock) {
    this.session = session;
    this.clock = clock;
    session.context = this;
    session.onFlow = MessageTrees.#tellFlow;
    session.onEnded = MessageTrees.#tellEnded;
  }

  /** Trees that have not ended. */
  get all(): ReadonlySet<MessageTree> {
    return this.#trees;
  }

  /**
   * Begins a tree with a new control flow: 0 as a client of the far end, another stream ID as its subscriber. Throws
   * SESSION_CLOSED.
   */
  open(streamId: number): MessageTree {
    if (!this.session.isOpen) throw new RtmfpError("SESSION_CLOSED", "the session is closed");
    const tree = new MessageTree(this, streamId, undefined);
    this.#trees.add(tree);
    return tree;
  }

  /**
   * Begins a tree with the flow that {@link onControl} was called with. Only within that call. Throws BAD_ARGUMENT for
   * any other flow.
   */
  answer(flow: TreeRecvFlow): MessageTree {
    const offered = this.#offered;
    if (offered?.flow !== flow) throw new RtmfpError("BAD_ARGUMENT", "a tree answers the flow that is being offered");
    this.#offered = undefined;
    const tree = new MessageTree(this, offered.metadata.streamId, flow);
    this.#trees.add(tree);
    tree.adoptControl(flow, offered.metadata);
    return tree;
  }

  /** Called by its trees: one has ended. */
  ended(tree: MessageTree): void {
    this.#trees.delete(tree);
  }

  #take(flow: TreeRecvFlow): void {
    const metadata = decodeMetadata(flow.metadata);
    if (metadata === undefined) {
      if (this.onOther === undefined) flow.reject(0);
      else this.onOther(flow);
      return;
    }
    if (flow.answers !== undefined) {
      const { answers } = flow;
      const tree = [...this.#trees].find((each) => each.owns(answers));
      if (tree === undefined) flow.reject(0);
      else tree.accept(flow, metadata);
      return;
    }
    this.#offered = { flow, metadata };
    this.onControl?.(flow, metadata.streamId);
    if (this.#offered === undefined) return;
    this.#offered = undefined;
    flow.reject(0);
  }

  // What sessions call, as their methods: there may be very many sessions.

  static readonly #tellFlow = function (this: TreeSession, flow: TreeRecvFlow): void {
    (this.context as MessageTrees).#take(flow);
  };

  static readonly #tellEnded = function (this: TreeSession): void {
    for (const tree of [...(this.context as MessageTrees).#trees]) tree.sessionEnded();
  };
}
