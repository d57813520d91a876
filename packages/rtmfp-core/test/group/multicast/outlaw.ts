/** A member of a {@link Mesh} that says what it likes. */
import type { Multicast } from "../../../src/group/multicast/multicast.ts";
import type { Neighbour } from "../../../src/group/neighbour.ts";
import type { GroupRecvFlow, GroupSendFlow } from "../../../src/group/session.ts";
import { GroupFlow, groupFlowMetadata } from "../../../src/group/wire/flows.ts";
import { encodeFragment, type Fragment } from "../../../src/group/wire/fragment.ts";
import { MEDIA_DEFAULTS, type MediaInfo } from "../../../src/group/wire/media-info.ts";
import { decodeMulticast, encodeMulticast, type MulticastMessage } from "../../../src/group/wire/multicast.ts";
import type { Member, Mesh } from "./mesh.ts";

/** One of its neighbours. */
export interface Victim {
  readonly neighbour: Neighbour;
  /** Its flows to us about streams, by stream key in hex digits of the announcement. */
  readonly flows: GroupRecvFlow[];
  /** What it said on them. */
  readonly heard: MulticastMessage[];
  /** Its fragments. */
  readonly fragments: Uint8Array[];
  /** Ours to it: one for the stream, and one for its fragments. */
  control?: GroupSendFlow;
  data?: GroupSendFlow;
}

/** See the head of the file. */
export class Outlaw {
  readonly member: Member;
  readonly victims = new Map<Neighbour, Victim>();
  /** The stream that neighbours announced first. */
  info: MediaInfo | undefined;
  /** The newest fragment that neighbours have told of. */
  newest = 0;

  constructor(mesh: Mesh) {
    this.member = mesh.add(100_000_000);
    const service = {
      connected: (neighbour: Neighbour) => this.#victim(neighbour),
      disconnected: (neighbour: Neighbour) => this.victims.delete(neighbour),
      flowOpened: (neighbour: Neighbour, kind: number, flow: GroupRecvFlow) => this.#flowOpened(neighbour, kind, flow),
      close: () => {},
    };
    Object.assign(this.member, { multicast: service as unknown as Multicast });
  }

  /** Does something over and over. */
  every(ms: number, action: (victim: Victim, now: number) => void): void {
    const { clock } = this.member.mesh;
    clock.after(ms, () => {
      for (const victim of [...this.victims.values()]) if (victim.neighbour.session.isOpen) action(victim, clock.now);
      this.every(ms, action);
    });
  }

  /** Says something about the stream, or another; the first time it opens the flow by announcing it. */
  say(victim: Victim, message: MulticastMessage): void {
    if (victim.control?.isOpen !== true) {
      const { info } = this;
      if (info === undefined) return;
      victim.control = this.announce(victim, info);
    }
    victim.control.write(encodeMulticast(message));
  }

  /** Bytes on the stream's flow, whatever they are. */
  sayBytes(victim: Victim, bytes: Uint8Array): void {
    if (victim.control?.isOpen === true) victim.control.write(bytes);
  }

  /** A flow of its own for a stream. */
  announce({ neighbour }: Victim, info: Partial<MediaInfo> & Pick<MediaInfo, "name" | "key">): GroupSendFlow {
    const flow = neighbour.session.openFlow(groupFlowMetadata(GroupFlow.multicastControl), {
      answers: neighbour.control,
    });
    flow.write(encodeMulticast({ type: "info", info: { ...MEDIA_DEFAULTS, ...info } }));
    return flow;
  }

  /** Sends a fragment that nobody asked for. */
  push(victim: Victim, fragment: Partial<Fragment> & Pick<Fragment, "id">): void {
    this.pushBytes(
      victim,
      encodeFragment({ kind: "whole", left: 0, type: 9, timestamp: 0, payload: new Uint8Array(100), ...fragment }),
    );
  }

  /** Likewise, whatever it is. */
  pushBytes(victim: Victim, bytes: Uint8Array): void {
    const answers = victim.flows[0];
    if (answers === undefined) return;
    if (victim.data?.isOpen !== true)
      victim.data = victim.neighbour.session.openFlow(groupFlowMetadata(GroupFlow.multicastData), { answers });
    victim.data.write(bytes);
  }

  /** A fresh stream key. */
  key(): Uint8Array {
    const { prng } = this.member.mesh;
    return Uint8Array.from({ length: 32 }, () => prng.int(256));
  }

  #victim(neighbour: Neighbour): Victim {
    const known = this.victims.get(neighbour);
    if (known !== undefined) return known;
    const victim: Victim = { neighbour, flows: [], heard: [], fragments: [] };
    this.victims.set(neighbour, victim);
    return victim;
  }

  #flowOpened(neighbour: Neighbour, kind: number, flow: GroupRecvFlow): boolean {
    const victim = this.#victim(neighbour);
    flow.accept({ order: "sequence" });
    if (kind === GroupFlow.multicastControl) victim.flows.push(flow);
    flow.onMessage = (data) => {
      if (kind === GroupFlow.multicastData) victim.fragments.push(data);
      const message = kind === GroupFlow.multicastControl ? decodeMulticast(data) : undefined;
      if (message === undefined) return;
      victim.heard.push(message);
      if (message.type === "info") this.info ??= message.info;
      if (message.type === "map") this.newest = Math.max(this.newest, message.newest);
    };
    return true;
  }
}
