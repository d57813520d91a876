/** A peer that speaks to groups by hand, message by message. */
import { canonicalPart, groupIdOf } from "../../src/group/group-id.ts";
import { type ControlMessage, decodeControl, encodeControl } from "../../src/group/wire/control.ts";
import { GroupFlow, groupFlowKind, groupFlowMetadata } from "../../src/group/wire/flows.ts";
import { groupProof } from "../../src/group/wire/group-proof.ts";
import type { Report } from "../../src/group/wire/report.ts";
import { fromHex } from "../../src/proto/bytes.ts";
import {
  type FakeNet,
  type FakePeer,
  type FakeRecvFlow,
  type FakeSendFlow,
  type FakeSession,
  hmac,
  openPair,
  SPEC,
  sha256,
} from "./fake-net.ts";

/** See the head of the file. It takes every flow, and keeps what comes on control flows. */
export class RawPeer {
  readonly peer: FakePeer;
  /** What came on control flows; undefined for what nobody can read. */
  readonly messages: (ControlMessage | undefined)[] = [];
  /** Flows of other kinds, and control flows, in order. */
  readonly flows: { kind: number | undefined; flow: FakeRecvFlow }[] = [];
  /** Control flows that the other end has ended. */
  ended = 0;
  /** The last session that somebody opened a flow in, or that we opened. */
  session: FakeSession | undefined;
  out: FakeSendFlow | undefined;
  /** Codes with which our flows were rejected. */
  readonly rejections: number[] = [];

  constructor(net: FakeNet) {
    this.peer = net.peer();
    this.peer.onFlow = (session, flow) => {
      const kind = groupFlowKind(flow.metadata);
      this.session = session;
      this.flows.push({ kind, flow });
      flow.onEnd = () => {
        if (kind === GroupFlow.control) this.ended++;
      };
      flow.onMessage = (data) => {
        if (kind === GroupFlow.control) this.messages.push(decodeControl(data));
      };
      return true;
    };
  }

  /** Types of the messages so far. */
  get types(): string[] {
    return this.messages.map((message) => message?.type ?? "unreadable");
  }

  /** A session with a member. */
  open(member: FakePeer): FakeSession {
    this.session = openPair(this.peer, member);
    return this.session;
  }

  /** The control flow; made with the first message. */
  get control(): FakeSendFlow {
    if (this.out === undefined || !this.out.isOpen) {
      this.out = (this.session as FakeSession).openFlow(groupFlowMetadata(GroupFlow.control));
      this.out.onException = (code) => this.rejections.push(code);
    }
    return this.out;
  }

  send(...messages: ControlMessage[]): void {
    for (const message of messages) this.control.write(encodeControl(message));
  }

  /** A first message; by default a right one. */
  connectMessage({ spec = SPEC, nonce = this.session?.farNonce, target = this.session?.peerId } = {}): ControlMessage {
    return {
      type: "connect",
      groupId: groupIdOf(spec, sha256),
      proof: groupProof(canonicalPart(spec), nonce as Uint8Array, hmac),
      target: target as string,
    };
  }

  /** All that makes a neighbour. */
  greet(report: Report = { addresses: [], peers: [] }): void {
    this.send(
      this.connectMessage(),
      { type: "prelude" },
      { type: "begin", nearest: false },
      { type: "report", report },
    );
  }

  /** Bytes as they are. */
  sendHex(hex: string): void {
    this.control.write(fromHex(hex));
  }
}
