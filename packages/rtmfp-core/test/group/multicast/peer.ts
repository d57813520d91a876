/** A neighbour that a test speaks for: it sees the bytes that we write, and says what it likes. */
import type { Multicast } from "../../../src/group/multicast/multicast.ts";
import type { Neighbour } from "../../../src/group/neighbour.ts";
import type {
  GroupFlowOptions,
  GroupRecvFlow,
  GroupSendFlow,
  GroupSession,
  GroupWriteOptions,
} from "../../../src/group/session.ts";
import { fromHex, toHex } from "../../../src/proto/bytes.ts";
import { RtmfpError } from "../../../src/proto/errors.ts";
import { SimClock } from "../../../src/testing/clock.ts";
import { Prng } from "../../../src/testing/prng.ts";
import { makeMulticast } from "./make-multicast.ts";

/** Us, with neighbours that a test speaks for. */
export class Scene {
  readonly clock = new SimClock();
  readonly notified: string[] = [];
  readonly multicast: Multicast = makeMulticast(this.clock, new Prng(1), this.notified);
  #peers = 0;

  /** A new neighbour. */
  meet(): Peer {
    const peer = new Peer(this.multicast, (++this.#peers).toString(16).padStart(64, "0"));
    this.multicast.connected(peer);
    return peer;
  }
}

/** A neighbour. */
export class Peer implements Neighbour {
  readonly peerId: string;
  readonly address: string;
  readonly session: GroupSession;
  readonly control: PeerRecvFlow = new PeerRecvFlow(undefined);
  /** Flows that we have opened to it, in order. */
  readonly flows: PeerSendFlow[] = [];
  readonly #multicast: Multicast;

  constructor(multicast: Multicast, peerId: string) {
    this.#multicast = multicast;
    this.peerId = peerId;
    this.address = peerId;
    this.session = {
      isOpen: true,
      peerId,
      address: { host: "192.0.2.1", port: 1935 },
      nearNonce: new Uint8Array(0),
      farNonce: new Uint8Array(0),
      srtt: 50,
      openFlow: (metadata: Uint8Array, options: GroupFlowOptions = {}) => {
        if ((options.answers as PeerRecvFlow | undefined)?.hasEnded)
          throw new RtmfpError("FLOW_CLOSED", "it has ended");
        const flow = new PeerSendFlow(toHex(metadata), options);
        this.flows.push(flow);
        return flow;
      },
    };
  }

  /** The last flow of a kind ("11" or "12") that we have opened to it. */
  flow(kind: string): PeerSendFlow | undefined {
    return this.flows.findLast(({ metadata }) => metadata === `4752${kind}`);
  }

  /** What we have written on it since this was last asked. */
  heard(kind: string): string[] {
    return this.flow(kind)?.written.splice(0) ?? [];
  }

  /** Opens a flow to us and says these messages. */
  open(kind: number, messages: readonly string[], answers?: GroupSendFlow): PeerRecvFlow {
    const flow = new PeerRecvFlow(answers);
    if (!this.#multicast.flowOpened(this, kind, flow)) flow.reject();
    for (const message of messages) flow.say(message);
    return flow;
  }
}

/** A flow from us. */
export class PeerSendFlow implements GroupSendFlow {
  context: unknown;
  isOpen = true;
  bufferedBytes = 0;
  deliveredBytes = 0;
  onException: ((code: number) => void) | undefined;
  onClosed: (() => void) | undefined;
  readonly metadata: string;
  readonly options: GroupFlowOptions;
  /** Messages, as hex digits. */
  readonly written: string[] = [];
  readonly deadlines: (number | undefined)[] = [];
  /** The arrays that were written. */
  readonly arrays: Uint8Array[] = [];

  constructor(metadata: string, options: GroupFlowOptions) {
    this.metadata = metadata;
    this.options = options;
  }

  write(data: Uint8Array, options?: GroupWriteOptions): unknown {
    if (!this.isOpen) throw new Error("FLOW_CLOSED");
    this.written.push(toHex(data));
    this.arrays.push(data);
    this.deadlines.push(options?.finishWithinMs);
    this.deliveredBytes += data.length;
    return undefined;
  }

  close(): unknown {
    this.isOpen = false;
    return undefined;
  }

  /** The far end refuses it. */
  refuse(code: number): void {
    this.isOpen = false;
    this.onException?.(code);
  }
}

/** A flow to us. */
export class PeerRecvFlow implements GroupRecvFlow {
  context: unknown;
  readonly metadata: Uint8Array = new Uint8Array(0);
  readonly answers: GroupSendFlow | undefined;
  onMessage: ((data: Uint8Array, missing: number) => void) | undefined;
  onEnd: (() => void) | undefined;
  /** The far end has ended it, of which we have not been told yet. */
  hasEnded = false;
  /** With what we refused it. */
  rejected: number | undefined;
  order: string | undefined;

  constructor(answers: GroupSendFlow | undefined) {
    this.answers = answers;
  }

  accept({ order }: { order: "sequence" | "network" }): unknown {
    this.order = order;
    return undefined;
  }

  reject(code = 0): void {
    this.rejected ??= code;
  }

  /** The far end's next message; hex digits. */
  say(message: string): void {
    if (this.rejected === undefined) this.onMessage?.(fromHex(message), 0);
  }
}

/** Announces "gtest", with a key of 9d and nothing else but the parameters of a live publisher. */
export const GTEST: string =
  `2106006774657374210${1}${"9d".repeat(32)}01020303be400404 92a760 020564 03079344`.replaceAll(" ", "");
