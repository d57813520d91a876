/**
 * Members of a group in memory and virtual time: sessions with latency and loss, and for each member an uplink that sends one
 * message after another. Flows copy nothing: what is written arrives as the same array.
 */
import type { Multicast } from "../../../src/group/multicast/multicast.ts";
import type { MediaMessage } from "../../../src/group/multicast/reassembler.ts";
import type { MulticastSettings } from "../../../src/group/multicast/settings.ts";
import type { Neighbour } from "../../../src/group/neighbour.ts";
import type {
  GroupFlowOptions,
  GroupRecvFlow,
  GroupSendFlow,
  GroupSession,
  GroupWriteOptions,
} from "../../../src/group/session.ts";
import { SimClock } from "../../../src/testing/clock.ts";
import { Prng } from "../../../src/testing/prng.ts";
import { makeMulticast } from "./make-multicast.ts";

/** What paths are like. */
export interface MeshOptions {
  readonly seed: number;
  /** Part of the packets that are lost and sent again. Default 0. */
  readonly loss?: number;
  /** One way, ms. Default 10 to 75. */
  readonly latencyMs?: readonly [least: number, most: number];
  /** Uplinks, bits/s. Default 2,000,000. */
  readonly uplink?: number;
}

/** All members. */
export class Mesh {
  readonly clock = new SimClock();
  readonly prng: Prng;
  readonly members: Member[] = [];
  readonly options: Required<MeshOptions>;

  constructor(options: MeshOptions) {
    this.options = { loss: 0, latencyMs: [10, 75], uplink: 2_000_000, ...options };
    this.prng = new Prng(options.seed);
  }

  /** A new member without neighbours. */
  add(uplink: number = this.options.uplink): Member {
    const member = new Member(this, this.members.length, uplink);
    this.members.push(member);
    return member;
  }

  /** Makes two members neighbours. */
  connect(a: Member, b: Member): void {
    if (a === b || a.neighbours.has(b)) return;
    const { latencyMs, seed } = this.options;
    const path = new Prng(`${seed}/${Math.min(a.index, b.index)}/${Math.max(a.index, b.index)}`);
    const oneWay = latencyMs[0] + path.next() * (latencyMs[1] - latencyMs[0]);
    const [ab, ba] = [new MeshSession(a, b, oneWay), new MeshSession(b, a, oneWay)];
    ab.far = ba;
    ba.far = ab;
    a.meet(b, ab);
    b.meet(a, ba);
  }

  /** Gives a member random neighbours until it has `count`. */
  mingle(member: Member, count: number): void {
    const others = this.members.filter((other) => other !== member && other.isAlive);
    while (member.neighbours.size < Math.min(count, others.length)) {
      const other = others[this.prng.int(others.length)];
      if (other !== undefined) this.connect(member, other);
    }
  }

  /** Lets time pass. */
  run(ms: number): void {
    this.clock.run(ms);
  }
}

/** A member. */
export class Member {
  readonly mesh: Mesh;
  readonly index: number;
  readonly peerId: string;
  readonly multicast: Multicast;
  readonly neighbours = new Map<Member, { neighbour: Neighbour; session: MeshSession }>();
  readonly notified: string[] = [];
  isAlive = true;
  /** What waits until the process goes on; undefined while it runs. */
  #held: Held | undefined;
  /** bits/s. */
  uplink: number;
  /** When the uplink has sent everything, ms. */
  busyUntil = 0;
  /** Bytes on the wire, headers included. */
  sentBytes = 0;

  constructor(mesh: Mesh, index: number, uplink: number) {
    this.mesh = mesh;
    this.index = index;
    this.uplink = uplink;
    this.peerId = index.toString(16).padStart(64, "0");
    const clock = {
      get now() {
        return mesh.clock.now;
      },
      after: (ms: number, run: () => void) => this.#after(ms, run),
    };
    this.multicast = makeMulticast(clock, mesh.prng.fork(`member ${index}`), this.notified);
  }

  /** Plays a stream into a {@link Viewer}. */
  play(name: string, settings?: Partial<MulticastSettings>): Viewer {
    const viewer = new Viewer(this.mesh);
    viewer.subscription = this.multicast.play(name, viewer, settings);
    return viewer;
  }

  meet(other: Member, session: MeshSession): void {
    const neighbour: Neighbour = {
      peerId: other.peerId,
      address: other.peerId,
      session,
      control: new MeshRecvFlow(session, new Uint8Array([0x47, 0x52, 0x1c]), undefined),
    };
    session.neighbour = neighbour;
    this.neighbours.set(other, { neighbour, session });
    this.mesh.clock.after(0, () => {
      if (session.isOpen) this.multicast.connected(neighbour);
    });
  }

  /** Stops the process for so long, unless it is stopped: then timers ring, and after them messages are read. */
  pause(ms: number): void {
    if (this.#held !== undefined) return;
    const held: Held = { timers: [], messages: [] };
    this.#held = held;
    this.mesh.clock.after(ms, () => {
      this.#held = undefined;
      for (const run of [...held.timers, ...held.messages]) run();
    });
  }

  /** Takes a message now, or when the process goes on. */
  receive(take: () => void): void {
    if (this.#held === undefined) take();
    else this.#held.messages.push(take);
  }

  /** Leaves: neighbours know after one latency. */
  leave(): void {
    this.isAlive = false;
    this.multicast.close();
    for (const [other] of this.neighbours) this.mesh.clock.after(50, () => this.#end(other));
  }

  /** Is gone without a word: neighbours know after `detectMs`. */
  kill(detectMs: number): void {
    this.isAlive = false;
    this.mesh.clock.after(0, () => this.multicast.close());
    for (const [other] of this.neighbours) this.mesh.clock.after(detectMs, () => this.#end(other));
  }

  /** Ends the session with a neighbour. */
  part(other: Member): void {
    this.#end(other);
    other.#end(this);
  }

  #after(ms: number, run: () => void): () => void {
    let isCancelled = false;
    const ring = (): void => {
      if (isCancelled) return;
      if (this.#held === undefined) run();
      else this.#held.timers.push(ring);
    };
    const cancel = this.mesh.clock.after(ms, ring);
    return () => {
      isCancelled = true;
      cancel();
    };
  }

  #end(other: Member): void {
    const there = other.neighbours.get(this);
    if (there === undefined) return;
    other.neighbours.delete(this);
    there.session.end();
    other.multicast.disconnected(there.neighbour);
  }
}

/** Timers and messages of a process that stands still. */
interface Held {
  readonly timers: (() => void)[];
  readonly messages: (() => void)[];
}

/** Who plays, and what came. */
export class Viewer {
  readonly #mesh: Mesh;
  readonly events: string[] = [];
  readonly messages: { message: MediaMessage; at: number; missing: number }[] = [];
  subscription!: ReturnType<Multicast["play"]>;
  /** Not to keep the messages. */
  onMessage: ((message: MediaMessage, at: number, missing: number) => void) | undefined;

  constructor(mesh: Mesh) {
    this.#mesh = mesh;
  }

  message(message: MediaMessage, missing: number): void {
    const at = this.#mesh.clock.now;
    if (this.onMessage !== undefined) this.onMessage(message, at, missing);
    else this.messages.push({ message, at, missing });
  }

  reset(): void {
    this.events.push("reset");
  }

  published(): void {
    this.events.push("published");
  }

  unpublished(isOver: boolean): void {
    this.events.push(isOver ? "unpublished" : "lost");
  }
}

/** One end of a session. */
export class MeshSession implements GroupSession {
  readonly near: Member;
  readonly farMember: Member;
  readonly oneWay: number;
  far!: MeshSession;
  neighbour!: Neighbour;
  isOpen = true;
  readonly address = { host: "192.0.2.1", port: 1935 };
  readonly nearNonce = new Uint8Array(0);
  readonly farNonce = new Uint8Array(0);
  readonly srtt: number;
  readonly sending = new Set<MeshSendFlow>();
  readonly receiving = new Set<MeshRecvFlow>();

  constructor(near: Member, far: Member, oneWay: number) {
    this.near = near;
    this.farMember = far;
    this.oneWay = oneWay;
    this.srtt = 2 * oneWay;
  }

  get peerId(): string {
    return this.farMember.peerId;
  }

  openFlow(metadata: Uint8Array, options: GroupFlowOptions = {}): GroupSendFlow {
    if (!this.isOpen) throw new Error("SESSION_CLOSED");
    const flow = new MeshSendFlow(this, metadata, options.answers as MeshRecvFlow | undefined);
    this.sending.add(flow);
    return flow;
  }

  end(): void {
    this.isOpen = false;
    for (const flow of this.sending) flow.isOpen = false;
    for (const flow of [...this.receiving]) flow.finish();
  }
}

const RELIABLE: GroupWriteOptions = {};
const HEADER_BYTES = 70;

class MeshSendFlow implements GroupSendFlow {
  context: unknown;
  isOpen = true;
  bufferedBytes = 0;
  deliveredBytes = 0;
  onException: ((code: number) => void) | undefined;
  onClosed: (() => void) | undefined;
  readonly #session: MeshSession;
  readonly metadata: Uint8Array;
  readonly answers: MeshRecvFlow | undefined;
  #receiver: MeshRecvFlow | undefined;
  #lastArrival = 0;

  constructor(session: MeshSession, metadata: Uint8Array, answers: MeshRecvFlow | undefined) {
    this.#session = session;
    this.metadata = metadata;
    this.answers = answers;
  }

  write(data: Uint8Array, options: GroupWriteOptions = RELIABLE): unknown {
    if (!this.isOpen) throw new Error("FLOW_CLOSED");
    const { near, oneWay } = this.#session;
    const { mesh } = near;
    const now = mesh.clock.now;
    const deadline = now + (options.finishWithinMs ?? Number.POSITIVE_INFINITY);
    this.bufferedBytes += data.length;
    // What controls goes before what waits, as its flows have the higher priority.
    let sentAt = this.#isOrdered ? now : Math.max(now, near.busyUntil);
    const spend = (): void => {
      const bytes = data.length + HEADER_BYTES;
      const ms = (bytes * 8_000) / near.uplink;
      sentAt += ms;
      near.busyUntil = Math.max(now, near.busyUntil) + ms;
      near.sentBytes += bytes;
    };
    let arrival = sentAt + oneWay;
    if (arrival <= deadline) {
      spend();
      arrival = sentAt + oneWay;
      while (mesh.prng.next() < mesh.options.loss) {
        arrival += 3 * oneWay + 20;
        near.sentBytes += data.length + HEADER_BYTES;
      }
    }
    if (arrival > deadline) {
      mesh.clock.at(deadline, () => {
        this.bufferedBytes -= data.length;
      });
      return undefined;
    }
    if (this.#isOrdered) arrival = this.#lastArrival = Math.max(this.#lastArrival, arrival);
    const arrive = (): void => {
      this.bufferedBytes -= data.length;
      this.deliveredBytes += data.length;
      this.#deliver(data);
    };
    mesh.clock.schedule(arrival, () => this.#session.farMember.receive(arrive), 0);
    return undefined;
  }

  close(): unknown {
    if (!this.isOpen) return undefined;
    this.isOpen = false;
    const { near, oneWay } = this.#session;
    near.mesh.clock.at(Math.max(this.#lastArrival, near.busyUntil + oneWay), () => this.#receiver?.finish());
    return undefined;
  }

  reject(code: number): void {
    const { near, oneWay } = this.#session;
    near.mesh.clock.after(oneWay, () => {
      if (!this.isOpen) return;
      this.isOpen = false;
      this.onException?.(code);
    });
  }

  get #isOrdered(): boolean {
    return this.metadata[2] !== 0x12;
  }

  #deliver(data: Uint8Array): void {
    const { far, farMember } = this.#session;
    if (!far.isOpen || !farMember.isAlive || !this.#session.near.isAlive) return;
    if (this.#receiver === undefined) {
      this.#receiver = new MeshRecvFlow(far, this.metadata, this);
      far.receiving.add(this.#receiver);
      const kind = this.metadata[2] ?? 0;
      if (!farMember.multicast.flowOpened(far.neighbour, kind, this.#receiver)) this.#receiver.reject(0);
    }
    this.#receiver.take(data);
  }
}

/** The answering flow of `answers` is known to the far end: the sending flow that its receiving flow belongs to. */
class MeshRecvFlow implements GroupRecvFlow {
  context: unknown;
  readonly metadata: Uint8Array;
  readonly sender: MeshSendFlow | undefined;
  onMessage: ((data: Uint8Array, missing: number) => void) | undefined;
  onEnd: (() => void) | undefined;
  readonly #session: MeshSession;
  #over = false;

  constructor(session: MeshSession, metadata: Uint8Array, sender: MeshSendFlow | undefined) {
    this.#session = session;
    this.metadata = metadata;
    this.sender = sender;
  }

  get answers(): GroupSendFlow | undefined {
    return this.sender?.answers?.sender;
  }

  accept(): unknown {
    return undefined;
  }

  reject(code = 0): void {
    if (this.#over) return;
    this.finish();
    this.sender?.reject(code);
  }

  take(data: Uint8Array): void {
    if (!this.#over) this.onMessage?.(data, 0);
  }

  finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.#session.receiving.delete(this);
    this.onEnd?.();
  }
}
