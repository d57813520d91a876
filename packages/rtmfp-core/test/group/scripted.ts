/** One member with its streams, and others who say what a test has them say, byte by byte. */
import { defaultProvider, hmacSha256 } from "../../src/crypto/index.ts";
import {
  Group,
  GroupDoor,
  type GroupEvent,
  type GroupFlowOptions,
  type GroupRecvFlow,
  type GroupSendFlow,
  type GroupService,
  type GroupSession,
  groupFlowKind,
  groupFlowMetadata,
} from "../../src/group/index.ts";
import { type Address, RtmfpError } from "../../src/proto/index.ts";
import { Prng, SimClock } from "../../src/testing/index.ts";

const provider = defaultProvider();
export const sha256 = (bytes: Uint8Array): Uint8Array => provider.sha256(bytes);
export const hmac = (key: Uint8Array, data: Uint8Array): Uint8Array => hmacSha256(provider, key, data);

/** The member, in virtual time. */
export class Scripted {
  readonly clock: SimClock = new SimClock();
  readonly door: GroupDoor;
  readonly group: Group;
  readonly events: GroupEvent[] = [];
  /** Sessions that the group asked for and waits for. */
  readonly dialing = new Map<string, (session: GroupSession) => void>();
  /** Sessions that the group has given back. */
  readonly released = new Set<GroupSession>();

  /** Joins the group of `groupspec` as `nearId`; `services` gets the clock and chance by `seed`. */
  constructor(
    groupspec: string,
    nearId: string,
    seed: string,
    services: (scripted: ServiceParts) => readonly GroupService[],
  ) {
    const prng = new Prng(seed);
    const clock = { now: () => this.clock.now, after: (ms: number, run: () => void) => this.clock.after(ms, run) };
    const random = (length: number) => prng.bytes(length);
    this.door = new GroupDoor(clock);
    this.group = new Group({
      groupspec,
      nearId,
      crypto: { sha256, hmac, random },
      clock,
      host: {
        connect: (peerId) => new Promise((resolve) => this.dialing.set(peerId, resolve)),
        hold: () => {},
        release: (session) => this.released.add(session),
        introducers: () => [{ host: "127.0.0.1", port: 11935 }],
        event: (event) => this.events.push(event),
      },
      services: services({ clock, random }),
    });
    this.door.add(this.group);
    this.group.start();
  }
}

/** What services are made of. */
export interface ServiceParts {
  readonly clock: { now(): number; after(ms: number, run: () => void): () => void };
  readonly random: (length: number) => Uint8Array;
}

/** The member's end of a session with another, whose end is the test. */
export class ScriptedSession implements GroupSession {
  isOpen = true;
  keepaliveMs = 30_000;
  readonly peerId: string;
  readonly address: Address;
  readonly nearNonce: Uint8Array;
  readonly farNonce: Uint8Array;
  readonly srtt: number = 1;
  /** What the member has written, in order. */
  readonly sent: { readonly at: number; readonly kind: number; readonly bytes: Uint8Array }[] = [];
  /** Flows that the member has opened, the last of each kind. */
  readonly opened = new Map<number, ScriptedSendFlow>();
  /** Flows of the other that the member has refused. */
  refused = 0;
  /** The other acknowledges nothing. */
  isDeaf = false;
  readonly #scripted: Scripted;

  constructor(scripted: Scripted, peerId: string, address: Address, nearNonce: Uint8Array, farNonce: Uint8Array) {
    this.#scripted = scripted;
    this.peerId = peerId;
    this.address = address;
    this.nearNonce = nearNonce;
    this.farNonce = farNonce;
  }

  openFlow(metadata: Uint8Array, { answers }: GroupFlowOptions = {}): ScriptedSendFlow {
    if (!this.isOpen) throw new RtmfpError("SESSION_CLOSED", "the session is not open");
    const kind = groupFlowKind(metadata) ?? 0;
    const flow = new ScriptedSendFlow((bytes) => {
      this.sent.push({ at: this.#scripted.clock.now, kind, bytes });
      return this.isDeaf ? bytes.length : 0;
    }, answers);
    this.opened.set(kind, flow);
    return flow;
  }

  /** The other opens a flow, which exists for the member from its first message on. */
  flow(kind: number, answers?: ScriptedSendFlow): ScriptedRecvFlow {
    const flow = new ScriptedRecvFlow(groupFlowMetadata(kind), answers, () => {
      if (!this.#scripted.door.flowOpened(this, flow) || !flow.isTaken) flow.reject();
    });
    flow.onRefused = () => this.refused++;
    return flow;
  }

  /** Messages of a kind of flow that the member has written. */
  sentOn(kind: number): Uint8Array[] {
    return this.sent.filter((message) => message.kind === kind).map(({ bytes }) => bytes);
  }
}

/** A sending flow of the member. */
export class ScriptedSendFlow implements GroupSendFlow {
  context: unknown = undefined;
  isOpen = true;
  bufferedBytes = 0;
  deliveredBytes = 0;
  onException: ((code: number) => void) | undefined = undefined;
  onClosed: (() => void) | undefined = undefined;
  readonly answers: GroupRecvFlow | undefined;
  readonly #take: (bytes: Uint8Array) => number;

  constructor(take: (bytes: Uint8Array) => number, answers: GroupRecvFlow | undefined) {
    this.#take = take;
    this.answers = answers;
  }

  write(data: Uint8Array): void {
    if (!this.isOpen) throw new RtmfpError("FLOW_CLOSED", "the flow has ended");
    const held = this.#take(data);
    this.bufferedBytes += held;
    this.deliveredBytes += data.length - held;
  }

  close(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.onClosed?.();
  }
}

/** A flow of the other, as the member has it. */
export class ScriptedRecvFlow implements GroupRecvFlow {
  context: unknown = undefined;
  onMessage: ((data: Uint8Array, missing: number) => void) | undefined = undefined;
  onEnd: (() => void) | undefined = undefined;
  onRefused: () => void = () => {};
  isTaken = false;
  isOver = false;
  readonly metadata: Uint8Array;
  readonly answers: ScriptedSendFlow | undefined;
  readonly #arrive: () => void;
  #hasArrived = false;

  constructor(metadata: Uint8Array, answers: ScriptedSendFlow | undefined, arrive: () => void) {
    this.metadata = metadata;
    this.answers = answers;
    this.#arrive = arrive;
  }

  accept(): void {
    this.isTaken = true;
  }

  reject(): void {
    this.isTaken = true;
    this.onRefused();
    this.end();
  }

  /** The other says something. */
  say(bytes: Uint8Array): void {
    if (!this.#hasArrived) {
      this.#hasArrived = true;
      this.#arrive();
    }
    if (!this.isOver) this.onMessage?.(bytes.slice(), 0);
  }

  /** The other ends the flow. */
  end(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.onEnd?.();
  }
}
