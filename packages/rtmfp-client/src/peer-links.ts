/** Sessions with peers, and the streams in them (RFC 7425 §5.4). § means RFC 7425. */
import { type Address, formatAddress, RtmfpError, type Session } from "rtmfp-core";
import { decodeCommand, type MessageTree, MessageTrees, MessageType } from "rtmfp-core/tc";
import type { ConnectionCore } from "./connection-core.ts";
import { makeStatus, statusError } from "./status-error.ts";

/** A stream that is published to peers directly. */
export interface PeerPublication {
  /** A peer wants it; the taker owns the tree from now on. */
  offer(tree: MessageTree, session: Session): void;
}

/** A session with a peer. */
interface PeerLink {
  readonly session: Session;
  readonly trees: MessageTrees;
  cancelIdle: () => void;
}

/** A subscription to a stream that nobody publishes here yet. */
interface Waiting {
  readonly tree: MessageTree;
  readonly session: Session;
  readonly name: string;
}

export class PeerLinks {
  readonly #core: ConnectionCore;
  readonly #links = new Map<Session, PeerLink>();
  readonly #publications = new Map<string, PeerPublication>();
  readonly #waiting = new Set<Waiting>();
  #keepaliveMs: number | undefined;
  #nextStreamId = 1;

  constructor(core: ConnectionCore) {
    this.#core = core;
    core.endpoint.onSession = (session) => void this.#adopt(session);
  }

  /** Idle time before a keepalive Ping, for sessions with peers (§5.3.4); ms. */
  set keepaliveMs(ms: number) {
    this.#keepaliveMs = ms;
    for (const { session } of this.#links.values()) session.keepaliveMs = ms;
  }

  /** Sessions with peers. */
  get count(): number {
    return this.#links.size;
  }

  /** Names and peers of subscriptions that wait for their stream to be published here. */
  get waiting(): readonly { readonly name: string; readonly farID: string }[] {
    return [...this.#waiting].map(({ name, session }) => ({ name, farID: session.peerId }));
  }

  /** Publishes under a name; false if it is taken. Peers that have waited for it are offered at once. */
  publish(name: string, publication: PeerPublication): boolean {
    if (this.#publications.has(name)) return false;
    this.#publications.set(name, publication);
    for (const waiting of [...this.#waiting]) {
      if (waiting.name !== name) continue;
      this.#waiting.delete(waiting);
      if (waiting.tree.end === undefined) publication.offer(waiting.tree, waiting.session);
    }
    return true;
  }

  unpublish(name: string): void {
    this.#publications.delete(name);
  }

  /**
   * A new tree to subscribe to a peer. If there is no session with it, one is opened at its addresses, or without any
   * through the server (§5.4.1). Rejects with NetStream.Connect.Failed.
   */
  async subscribe(
    peerId: string,
    addresses: readonly Address[],
    signal: AbortSignal,
  ): Promise<{ tree: MessageTree; session: Session }> {
    const link = this.#linkTo(peerId) ?? (await this.#connect(peerId, addresses, signal));
    // IDs need not differ from the far end's: association tells streams apart (§5.4.2).
    const tree = link.trees.open(this.#nextStreamId++);
    this.#watch(link, tree);
    return { tree, session: link.session };
  }

  /** Ends what no stream has ended by itself. */
  async close(): Promise<void> {
    for (const { tree } of this.#waiting) tree.abort();
    this.#waiting.clear();
    const links = [...this.#links.values()];
    await Promise.all(links.flatMap((link) => [...link.trees.all].map((tree) => tree.close())));
  }

  #linkTo(peerId: string): PeerLink | undefined {
    for (const link of this.#links.values()) {
      if (link.session.peerId === peerId && link.session.isOpen) return link;
    }
    return undefined;
  }

  async #connect(peerId: string, addresses: readonly Address[], signal: AbortSignal): Promise<PeerLink> {
    const { endpoint, session: server, host } = this.#core;
    const who = `peer ${peerId.slice(0, 12)}…`;
    if (server === undefined && addresses.length === 0)
      throw fail(`${who} cannot be found without a server: say where it is, by the stream's "addresses"`);
    if (peerId === endpoint.peerId) throw fail(`${who} is this connection itself: subscribe from another one`);
    if (this.#links.size >= host.maxPeerConnections()) {
      this.#core.reportIntroduction(peerId, "refused", "limit");
      throw fail(`${who} would exceed the ${host.maxPeerConnections()} connections of maxPeerConnections`);
    }
    const timeoutMs = host.timeoutMs;
    try {
      const session = await (server === undefined || addresses.length > 0
        ? endpoint.connect(addresses, { peerId, timeoutMs, signal })
        : endpoint.connect({ peerId, via: [server] }, { timeoutMs, signal }));
      if (addresses.length === 0) this.#core.reportIntroduction(peerId, "connected");
      return this.#adopt(session, true) as PeerLink;
    } catch (error) {
      if (!(error instanceof RtmfpError) || error.code === "CONNECT_ABORTED" || error.code === "BAD_ARGUMENT")
        throw error;
      if (error.code !== "CONNECT_TIMEOUT") throw fail(error.message);
      if (addresses.length === 0) this.#core.reportIntroduction(peerId, "failed");
      const where =
        addresses.length > 0
          ? `nobody with that id is at ${addresses.map(formatAddress).join(", ")}`
          : "nobody with that id is connected to the server";
      throw fail(`no answer from ${who} within ${timeoutMs / 1000} s: ${where}, or no path leads there`);
    }
  }

  #adopt(session: Session, isOurs = false): PeerLink | undefined {
    const known = this.#links.get(session);
    if (known !== undefined) return known;
    if (!isOurs && this.#links.size >= this.#core.host.maxPeerConnections()) {
      this.#refuse(session);
      return undefined;
    }
    const link: PeerLink = { session, trees: new MessageTrees(session, this.#core.clock), cancelIdle: () => {} };
    this.#links.set(session, link);
    if (!this.#core.host.bufferProbe) session.bufferProbe = false;
    if (this.#keepaliveMs !== undefined) session.keepaliveMs = this.#keepaliveMs;
    link.trees.onControl = (flow, streamId) => {
      if (streamId === 0) return;
      const tree = link.trees.answer(flow);
      this.#watch(link, tree);
      tree.onMessage = (_streamId, message) => {
        if (message.type !== MessageType.commandAmf0 && message.type !== MessageType.commandAmf3) return;
        const { name, args } = decodeCommand(message);
        if (name === "play" && typeof args[0] === "string") this.#onPlay(tree, session, args[0]);
      };
    };
    void session.closed.then(() => {
      link.cancelIdle();
      this.#links.delete(session);
    });
    this.#startIdle(link);
    return link;
  }

  /** Beyond the limit: every flow is rejected, so that the peer learns it, and the session is closed. */
  #refuse(session: Session): void {
    this.#core.reportIntroduction(session.peerId, "refused", "limit");
    new MessageTrees(session, this.#core.clock).onControl = undefined;
    const cancel = this.#core.clock.after(IDLE_MS, () => void session.close());
    void session.closed.then(cancel);
  }

  #onPlay(tree: MessageTree, session: Session, name: string): void {
    // One play per control flow; the publication, or the end, takes over the tree's messages.
    tree.onMessage = () => {};
    const publication = this.#publications.get(name);
    if (publication !== undefined) publication.offer(tree, session);
    else if (this.#waiting.size >= MAX_WAITING || this.#waitingOf(session) >= MAX_WAITING_OF_PEER) tree.abort();
    else {
      const waiting = { tree, session, name };
      this.#waiting.add(waiting);
      void tree.whenEnded.then(() => this.#waiting.delete(waiting));
    }
  }

  #waitingOf(session: Session): number {
    let count = 0;
    for (const waiting of this.#waiting) if (waiting.session === session) count++;
    return count;
  }

  /** A session without streams is closed after a while. */
  #watch(link: PeerLink, tree: MessageTree): void {
    link.cancelIdle();
    void tree.whenEnded.then(() => {
      if (link.trees.all.size === 0 && link.session.isOpen) this.#startIdle(link);
    });
  }

  #startIdle(link: PeerLink): void {
    link.cancelIdle();
    link.cancelIdle = this.#core.clock.after(IDLE_MS, () => {
      if (link.trees.all.size === 0 && link.session.isOpen) void link.session.close();
    });
  }
}

function fail(description: string): RtmfpError {
  return statusError(makeStatus("NetStream.Connect.Failed", description));
}

/** Subscriptions that wait for a stream of that name; more are refused. */
const MAX_WAITING = 64;
/** Of these, one peer's: eight peers can wait, whatever one of them does. */
const MAX_WAITING_OF_PEER = 8;
/** How long a session with a peer outlives its last stream; ms. */
const IDLE_MS = 5_000;
