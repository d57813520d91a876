/** Sessions, flows and a server in memory, in virtual time: just enough for groups to live on. */
import { createHash, createHmac } from "node:crypto";
import { GroupDoor } from "../../src/group/door.ts";
import { Group } from "../../src/group/group.ts";
import { groupAddressOf } from "../../src/group/group-id.ts";
import type { GroupEvent } from "../../src/group/group-options.ts";
import { buildGroupspec } from "../../src/group/groupspec.ts";
import type { GroupService } from "../../src/group/neighbour.ts";
import type {
  GroupClock,
  GroupRecvFlow,
  GroupSendFlow,
  GroupSession,
  GroupWriteOptions,
} from "../../src/group/session.ts";
import { type Address, RtmfpError, toHex, type WireAddress } from "../../src/proto/index.ts";
import { Prng, SimClock } from "../../src/testing/index.ts";

export const SPEC: string = buildGroupspec({
  version: 2,
  name: "ring",
  multicastEnabled: true,
  serverChannelEnabled: true,
});

export const sha256 = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash("sha256").update(bytes).digest());
export const hmac = (key: Uint8Array, data: Uint8Array): Uint8Array =>
  new Uint8Array(createHmac("sha256", key).update(data).digest());

/** Whom the server tells of a newcomer, and the newcomer of. */
export type Telling = "both" | "members" | "newcomer's last six" | "nobody";

/** All peers, the paths between them, and the server. */
export class FakeNet {
  readonly clock = new SimClock();
  readonly prng: Prng;
  readonly peers = new Map<string, FakePeer>();
  /** How long silence lasts at most until a session is given up, and two thirds of it at least; ms. */
  detectMs: number;
  telling: Telling = "both";
  /** Pairs that cannot open sessions: their NATs do not let them. */
  isBlocked: (a: FakePeer, b: FakePeer) => boolean = () => false;
  messages = 0;
  bytes = 0;
  /** A promise may have been settled: its takers are due. */
  hasSettled = false;

  constructor(seed: string | number, detectMs = 15_000) {
    this.prng = new Prng(seed);
    this.detectMs = detectMs;
  }

  get groupClock(): GroupClock {
    return { now: () => this.clock.now, after: (ms, run) => this.clock.after(ms, run) };
  }

  /** Lets time pass; promises settle as soon as they can. */
  async run(ms: number): Promise<void> {
    const end = this.clock.now + ms;
    for (;;) {
      do {
        this.hasSettled = false;
        await new Promise((resolve) => setImmediate(resolve));
      } while (this.hasSettled);
      if (this.clock.now >= end) return;
      this.clock.runUntil(() => this.hasSettled, end - this.clock.now);
    }
  }

  /** A peer without groups. */
  peer(): FakePeer {
    const peer = new FakePeer(this, this.peers.size + 1);
    this.peers.set(peer.peerId, peer);
    return peer;
  }

  /** A peer that joins a group by the server. */
  member(spec: string = SPEC, services: readonly GroupService[] = []): FakePeer {
    const peer = this.peer();
    peer.join(spec, services);
    return peer;
  }

  /** Live members of a group in the order of the ring. */
  ring(spec: string = SPEC): FakePeer[] {
    return [...this.peers.values()]
      .filter((peer) => peer.isAlive && peer.groups.has(spec))
      .sort((a, b) => (a.group(spec).address < b.group(spec).address ? -1 : 1));
  }

  /** Share of members that have those `reach` places up as neighbours. */
  ringCorrectness(reach = 1, spec: string = SPEC): number {
    const ring = this.ring(spec);
    const right = ring.filter((peer, i) => {
      for (let step = 1; step <= Math.min(reach, ring.length - 1); step++) {
        const next = ring[(i + step) % ring.length] as FakePeer;
        if (!peer.hasNeighbour(next, spec)) return false;
      }
      return true;
    });
    return right.length / ring.length;
  }

  /** Members that the first one reaches over neighbours, as a share of all. */
  reachable(spec: string = SPEC): number {
    const ring = this.ring(spec);
    const seen = new Set<FakePeer>();
    const open = ring.slice(0, 1);
    for (let peer = open.pop(); peer !== undefined; peer = open.pop()) {
      if (seen.has(peer)) continue;
      seen.add(peer);
      for (const { peerId } of peer.group(spec).neighbours) {
        const other = this.peers.get(peerId);
        if (other?.isAlive === true && other.groups.has(spec)) open.push(other);
      }
    }
    return seen.size / ring.length;
  }

  /** One-way ms between two peers: they live on a map. */
  latency(a: FakePeer, b: FakePeer): number {
    return 5 + Math.hypot(a.x - b.x, a.y - b.y) * 60;
  }
}

/** An endpoint with its door, and the groups it is in. */
export class FakePeer {
  readonly net: FakeNet;
  readonly peerId: string;
  readonly address: Address;
  readonly x: number;
  readonly y: number;
  readonly door: GroupDoor;
  readonly groups = new Map<string, Group>();
  readonly events: GroupEvent[] = [];
  /** Takes the flows of other peers; by default the door. */
  onFlow: (session: FakeSession, flow: FakeRecvFlow) => boolean = (session, flow) =>
    this.door.flowOpened(session, flow);
  readonly sessions = new Set<FakeSession>();
  readonly prng: Prng;
  isAlive = true;
  /** Groups that use a session. */
  readonly #holds = new Map<FakeSession, number>();

  constructor(net: FakeNet, number: number) {
    this.net = net;
    this.prng = net.prng.fork(`peer ${number}`);
    this.peerId = toHex(this.prng.bytes(32));
    this.address = { host: `10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`, port: 1935 };
    [this.x, this.y] = [this.prng.next(), this.prng.next()];
    this.door = new GroupDoor(net.groupClock);
  }

  group(spec: string = SPEC): Group {
    return this.groups.get(spec) as Group;
  }

  hasNeighbour(other: FakePeer, spec: string = SPEC): boolean {
    return this.group(spec).neighbours.some(({ peerId }) => peerId === other.peerId);
  }

  /** Makes a group and lets it start; the server tells as it does. */
  join(spec: string = SPEC, services: readonly GroupService[] = []): Group {
    const group = new Group({
      groupspec: spec,
      nearId: this.peerId,
      crypto: { sha256, hmac, random: (length) => this.prng.bytes(length) },
      clock: { ...this.net.groupClock, after: (ms, run) => this.net.clock.after(ms, () => this.isAlive && run()) },
      host: {
        connect: (peerId, addresses, timeoutMs) => this.#watched(this.connect(peerId, addresses, timeoutMs)),
        hold: (session) => this.#holds.set(session as FakeSession, (this.#holds.get(session as FakeSession) ?? 0) + 1),
        release: (session) => this.#release(session as FakeSession),
        introducers: () => [{ host: "192.0.2.1", port: 1935 }],
        event: (event) => this.events.push(event),
      },
      services,
    });
    const ring = this.net.ring(spec);
    this.groups.set(spec, group);
    this.door.add(group);
    group.start();
    this.#announce(ring, spec, group);
    return group;
  }

  /** Leaves a group in good order. */
  leave(spec: string = SPEC): void {
    const group = this.group(spec);
    group.close();
    this.door.remove(group);
    this.groups.delete(spec);
  }

  /** Is gone without a word. */
  kill(): void {
    this.isAlive = false;
    for (const { twin } of this.sessions)
      this.net.clock.after((this.net.detectMs * (2 + twin.owner.prng.next())) / 3, () => twin.end());
  }

  connect(peerId: string, _addresses: readonly WireAddress[], timeoutMs: number): Promise<GroupSession> {
    const { net } = this;
    const known = [...this.sessions].find((session) => session.peerId === peerId && session.isOpen);
    if (known !== undefined) return Promise.resolve(known);
    return new Promise((resolve, reject) => {
      const other = net.peers.get(peerId);
      if (other === undefined || !other.isAlive || net.isBlocked(this, other)) {
        net.clock.after(timeoutMs, () => {
          net.hasSettled = true;
          reject(new RtmfpError("CONNECT_TIMEOUT", "nobody is there"));
        });
        return;
      }
      net.clock.after(4 * net.latency(this, other), () => {
        net.hasSettled = true;
        // Both ends that open one at a time get one.
        const glare = [...this.sessions].find((session) => session.peerId === peerId && session.isOpen);
        if (glare !== undefined) resolve(glare);
        else if (!other.isAlive || !this.isAlive) reject(new RtmfpError("CONNECT_TIMEOUT", "gone meanwhile"));
        else resolve(openPair(this, other));
      });
    });
  }

  /** Time stands still until whoever waits has been told. */
  #watched(session: Promise<GroupSession>): Promise<GroupSession> {
    this.net.hasSettled = true;
    return session;
  }

  #announce(ring: readonly FakePeer[], spec: string, group: Group): void {
    const { net } = this;
    const tell = (who: FakePeer, whom: FakePeer) =>
      net.clock.after(50, () => who.isAlive && who.groups.get(spec)?.memberTold(whom.peerId));
    if (net.telling === "newcomer's last six") for (const other of ring.slice(-6)) tell(this, other);
    if (net.telling !== "both" && net.telling !== "members") return;
    const at = ring.findIndex((other) => other.group(spec).address > group.address);
    const place = at < 0 ? ring.length : at;
    const near = new Set<FakePeer>();
    for (let step = 0; step < 3 && ring.length > 0; step++) {
      near.add(ring[(place + step) % ring.length] as FakePeer);
      near.add(ring[(place - 1 - step + 3 * ring.length) % ring.length] as FakePeer);
    }
    for (const other of near) {
      tell(other, this);
      if (net.telling === "both") tell(this, other);
    }
  }

  /** Sessions that no group uses are closed. */
  #release(session: FakeSession): void {
    const holds = (this.#holds.get(session) ?? 0) - 1;
    if (holds > 0) this.#holds.set(session, holds);
    else {
      this.#holds.delete(session);
      if (session.isOpen) this.net.clock.after(0, () => session.close());
    }
  }
}

/** Two sessions, one for each end. */
export function openPair(a: FakePeer, b: FakePeer): FakeSession {
  const nonces = [a.prng.bytes(32), b.prng.bytes(32)] as const;
  const near = new FakeSession(a, b, nonces[0], nonces[1], true);
  const far = new FakeSession(b, a, nonces[1], nonces[0], false);
  near.twin = far;
  far.twin = near;
  a.sessions.add(near);
  b.sessions.add(far);
  return near;
}

/** One end of a session. */
export class FakeSession implements GroupSession {
  twin!: FakeSession;
  readonly owner: FakePeer;
  readonly peerId: string;
  readonly address: Address;
  readonly nearNonce: Uint8Array;
  readonly farNonce: Uint8Array;
  readonly srtt: number;
  readonly isInitiator: boolean;
  keepaliveMs = 30_000;
  isOpen = true;
  readonly flows = new Set<FakeSendFlow>();
  readonly received = new Set<FakeRecvFlow>();

  constructor(owner: FakePeer, other: FakePeer, nearNonce: Uint8Array, farNonce: Uint8Array, isInitiator: boolean) {
    this.owner = owner;
    this.peerId = other.peerId;
    this.address = other.address;
    this.nearNonce = nearNonce;
    this.farNonce = farNonce;
    this.isInitiator = isInitiator;
    this.srtt = 2 * owner.net.latency(owner, other);
  }

  openFlow(metadata: Uint8Array, options: { answers?: GroupRecvFlow } = {}): FakeSendFlow {
    if (!this.isOpen) throw new RtmfpError("SESSION_CLOSED", "the session is not open");
    const flow = new FakeSendFlow(this, metadata, (options.answers as FakeRecvFlow | undefined)?.sender);
    this.flows.add(flow);
    return flow;
  }

  /** In good order: the other end learns it. */
  close(): void {
    this.later(() => this.twin.end());
    this.end();
  }

  /** This end is over. */
  end(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.owner.sessions.delete(this);
    for (const flow of [...this.flows]) flow.end();
    for (const flow of [...this.received]) flow.end();
  }

  /** Runs at the other end, if it is alive. */
  later(run: () => void, extraMs = 0): void {
    const { net } = this.owner;
    net.clock.after(net.latency(this.owner, this.twin.owner) + extraMs, () => {
      if (this.twin.owner.isAlive) run();
    });
  }
}

/** A sending flow; its messages come in order, its first makes the other end's flow. */
export class FakeSendFlow implements GroupSendFlow {
  context: unknown = undefined;
  isOpen = true;
  bufferedBytes = 0;
  deliveredBytes = 0;
  onException: ((code: number) => void) | undefined = undefined;
  onClosed: (() => void) | undefined = undefined;
  readonly session: FakeSession;
  readonly metadata: Uint8Array;
  readonly answers: FakeSendFlow | undefined;
  #far: FakeRecvFlow | undefined;
  /** Flows overtake each other. */
  readonly #extraMs: number;

  constructor(session: FakeSession, metadata: Uint8Array, answers: FakeSendFlow | undefined) {
    this.session = session;
    this.metadata = metadata;
    this.answers = answers;
    this.#extraMs = session.owner.prng.next() * 20;
  }

  write(data: Uint8Array, _options?: GroupWriteOptions): void {
    if (!this.isOpen) throw new RtmfpError("FLOW_CLOSED", "the flow has ended");
    const { net } = this.session.owner;
    net.messages++;
    net.bytes += data.length;
    this.bufferedBytes += data.length;
    this.session.later(() => {
      if (!this.session.twin.isOpen) return;
      this.#announce().push(data);
      this.session.twin.later(() => {
        this.bufferedBytes -= data.length;
        this.deliveredBytes += data.length;
      });
    }, this.#extraMs);
  }

  close(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.session.later(() => {
      this.#far?.end();
      this.session.twin.later(() => this.end());
    }, this.#extraMs);
  }

  /** Nothing is left to deliver. */
  end(code?: number): void {
    if (!this.session.flows.delete(this)) return;
    this.isOpen = false;
    if (code !== undefined) this.onException?.(code);
    this.onClosed?.();
  }

  #announce(): FakeRecvFlow {
    if (this.#far !== undefined) return this.#far;
    const { twin } = this.session;
    const flow = new FakeRecvFlow(this, twin);
    this.#far = flow;
    twin.received.add(flow);
    if (!twin.owner.onFlow(twin, flow) || !flow.isTaken) flow.reject();
    return flow;
  }
}

/** The other end of a sending flow. */
export class FakeRecvFlow implements GroupRecvFlow {
  context: unknown = undefined;
  onEnd: (() => void) | undefined = undefined;
  isTaken = false;
  readonly metadata: Uint8Array;
  readonly sender: FakeSendFlow;
  readonly #session: FakeSession;
  readonly #waiting: Uint8Array[] = [];
  #onMessage: ((data: Uint8Array, missing: number) => void) | undefined;
  #isOver = false;

  constructor(sender: FakeSendFlow, session: FakeSession) {
    this.sender = sender;
    this.metadata = sender.metadata;
    this.#session = session;
  }

  get answers(): GroupSendFlow | undefined {
    return this.sender.answers;
  }

  get onMessage(): ((data: Uint8Array, missing: number) => void) | undefined {
    return this.#onMessage;
  }

  set onMessage(handler: ((data: Uint8Array, missing: number) => void) | undefined) {
    this.#onMessage = handler;
    this.isTaken = true;
    for (let data = this.#waiting.shift(); data !== undefined; data = this.#waiting.shift()) this.push(data);
  }

  accept(): void {
    this.isTaken = true;
  }

  reject(code = 0): void {
    if (this.#isOver) return;
    this.isTaken = true;
    this.#session.later(() => this.sender.end(code));
    this.end();
  }

  push(data: Uint8Array): void {
    if (this.#isOver) return;
    if (this.#onMessage === undefined) this.#waiting.push(data);
    else this.#onMessage(data.slice(), 0);
  }

  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#session.received.delete(this);
    this.onEnd?.();
  }
}

/** Where a peer of that ID stands in the ring. */
export function addressOf(peerId: string): string {
  return toHex(groupAddressOf(peerId, sha256));
}
