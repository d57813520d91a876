/** Sessions with peers, and who uses them: streams (RFC 7425 §5.4) and groups. § means RFC 7425. */
import { type Address, formatAddress, RtmfpError, type Session } from "rtmfp-core";
import { decodeCommand, type MessageTree, MessageTrees, MessageType, type TreeRecvFlow } from "rtmfp-core/tc";
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
  /** Groups that use the session. */
  readonly groups: Set<object>;
  cancelIdle: () => void;
}

/** A subscription to a stream that nobody publishes here yet. */
interface Waiting {
  readonly tree: MessageTree;
  readonly session: Session;
  readonly name: string;
}

export class PeerLinks {
  /**
   * Takes the flows of groups, and accepts or rejects them. While it is set, peers of whom nobody can know yet whether a group
   * will use their session are let in beyond maxPeerConnections.
   */
  onGroupFlow: ((session: Session, flow: TreeRecvFlow) => void) | undefined;
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

  /** Idle time before a keepalive Ping, for sessions with peers (§5.3.4); groups choose that of theirs. ms. */
  set keepaliveMs(ms: number) {
    this.#keepaliveMs = ms;
    for (const { session, groups } of this.#links.values()) if (groups.size === 0) session.keepaliveMs = ms;
  }

  /** Sessions with peers that count against maxPeerConnections: all but those that only groups use. */
  get count(): number {
    let count = 0;
    for (const link of this.#links.values()) if (isCounted(link)) count++;
    return count;
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
    if (this.#isBeyondLimit(link)) throw this.#refused(peerId);
    // IDs need not differ from the far end's: association tells streams apart (§5.4.2).
    const tree = link.trees.open(this.#nextStreamId++);
    this.#watch(link, tree);
    return { tree, session: link.session };
  }

  /**
   * A session with a member of a group: the one there is, or a new one, for which the server, if there is one, and all
   * `addresses` are asked at the same time. {@link hold} it at once. Rejects with the errors of PeerEndpoint.connect.
   */
  async reach(peerId: string, addresses: readonly Address[], timeoutMs: number, signal: AbortSignal): Promise<Session> {
    const known = this.#linkTo(peerId);
    if (known !== undefined) return known.session;
    const { endpoint, session: server } = this.#core;
    const via = server?.isOpen === true ? [server] : [];
    try {
      const session = await endpoint.connect({ peerId, via, addresses }, { timeoutMs, signal });
      if (via.length > 0) this.#core.reportIntroduction(peerId, "connected");
      this.#adopt(session, true);
      return session;
    } catch (error) {
      const isFailure = error instanceof RtmfpError && error.code === "CONNECT_TIMEOUT";
      if (isFailure && via.length > 0) this.#core.reportIntroduction(peerId, "failed");
      throw error;
    }
  }

  /** Keeps a session open for `group`. */
  hold(session: Session, group: object): void {
    const link = this.#links.get(session);
    if (link === undefined) return;
    link.groups.add(group);
    link.cancelIdle();
  }

  /** `group` needs a session no longer; without another use it is closed after a while. */
  release(session: Session, group: object): void {
    const link = this.#links.get(session);
    if (link?.groups.delete(group) === true) this.#checkIdle(link);
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
    if (this.count >= host.maxPeerConnections()) throw this.#refused(peerId);
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
    const strangers = this.onGroupFlow === undefined ? 0 : MAX_STRANGERS;
    if (!isOurs && this.count >= this.#core.host.maxPeerConnections() + strangers) {
      this.#refuse(session);
      return undefined;
    }
    const trees = new MessageTrees(session, this.#core.clock);
    const link: PeerLink = { session, trees, groups: new Set(), cancelIdle: () => {} };
    this.#links.set(session, link);
    if (!this.#core.host.bufferProbe) session.bufferProbe = false;
    if (this.#keepaliveMs !== undefined) session.keepaliveMs = this.#keepaliveMs;
    link.trees.onOther = (flow) => {
      if (this.onGroupFlow === undefined) flow.reject(0);
      else this.onGroupFlow(session, flow);
    };
    link.trees.onControl = (flow, streamId) => {
      if (streamId === 0) return;
      if (this.#isBeyondLimit(link)) {
        this.#core.reportIntroduction(session.peerId, "refused", "limit");
        return;
      }
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

  /** Whether a stream in it would make the session one too many. */
  #isBeyondLimit(link: PeerLink): boolean {
    if (link.trees.all.size > 0) return false;
    const others = isCounted(link) ? this.count - 1 : this.count;
    return others >= this.#core.host.maxPeerConnections();
  }

  #refused(peerId: string): RtmfpError {
    this.#core.reportIntroduction(peerId, "refused", "limit");
    const limit = this.#core.host.maxPeerConnections();
    return fail(`peer ${peerId.slice(0, 12)}… would exceed the ${limit} connections of maxPeerConnections`);
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

  #watch(link: PeerLink, tree: MessageTree): void {
    link.cancelIdle();
    void tree.whenEnded.then(() => this.#checkIdle(link));
  }

  /** A session that nobody uses is closed after a while. */
  #checkIdle(link: PeerLink): void {
    if (isUnused(link)) this.#startIdle(link);
  }

  #startIdle(link: PeerLink): void {
    link.cancelIdle();
    link.cancelIdle = this.#core.clock.after(IDLE_MS, () => {
      if (isUnused(link)) void link.session.close();
    });
  }
}

function isUnused({ session, trees, groups }: PeerLink): boolean {
  return trees.all.size === 0 && groups.size === 0 && session.isOpen;
}

function isCounted({ trees, groups }: PeerLink): boolean {
  return groups.size === 0 || trees.all.size > 0;
}

function fail(description: string): RtmfpError {
  return statusError(makeStatus("NetStream.Connect.Failed", description));
}

/** Subscriptions that wait for a stream of that name; more are refused. */
const MAX_WAITING = 64;
/** Of these, one peer's: eight peers can wait, whatever one of them does. */
const MAX_WAITING_OF_PEER = 8;
/** Sessions beyond maxPeerConnections that a group may yet come to use. */
const MAX_STRANGERS = 64;
/** How long a session with a peer outlives its last use; ms. */
const IDLE_MS = 5_000;
