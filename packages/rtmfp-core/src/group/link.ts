/** A session with one member, from its first control flow to its end: proof of membership, reports, and the flows of services. */
import { RtmfpError } from "../proto/errors.ts";
import { TokenBucket } from "../proto/token-bucket.ts";
import type { GroupStats } from "./group-stats.ts";
import type { Member } from "./member-list.ts";
import type { GroupFlowContext, Neighbour } from "./neighbour.ts";
import {
  CLOSE_ASKED_MS,
  MAX_HELD_FLOWS,
  MAX_USELESS,
  MAX_WAITING_BYTES,
  REPORTS_BURST,
  REPORTS_PER_SECOND,
  USELESS_PER_SECOND,
} from "./params.ts";
import type { GroupRecvFlow, GroupSendFlow, GroupSession } from "./session.ts";
import { type ControlMessage, decodeControl, encodeControl } from "./wire/control.ts";
import { GroupFlow, groupFlowMetadata } from "./wire/flows.ts";
import type { Report } from "./wire/report.ts";

/** What reads the messages of a control flow: its `context`. */
export interface ControlReader {
  onControlMessage(flow: GroupRecvFlow, data: Uint8Array): void;
  onControlEnd(flow: GroupRecvFlow): void;
}

/** What a link needs of its group. */
export interface LinkHost {
  readonly stats: GroupStats;
  now(): number;
  /** Our first message to a member. */
  connectMessage(link: Link): ControlMessage;
  /** Our report to a member. */
  reportFor(link: Link): Report;
  /** It reported; answers are sent already. */
  reported(link: Link, report: Report): void;
  /** Reports have been exchanged. */
  connected(link: Link): void;
  /** It would like to end the session. */
  askedToClose(link: Link): void;
  /** A service takes the flow; false if none does. */
  flowOpened(link: Link, kind: number, flow: GroupRecvFlow): boolean;
  /** The far end left, or misbehaves: the group drops the link. */
  ended(link: Link, blocked: boolean): void;
}

/** See the head of the file. */
export class Link implements Neighbour, GroupFlowContext, ControlReader {
  readonly member: Member;
  readonly session: GroupSession;
  /** When it was made; ms. */
  readonly since: number;
  /** Both ends have reported; services know of it. */
  isConnected = false;
  /** Dropped by the group. */
  isGone = false;
  /** When its last report came, and when ours last went; ms. */
  heardAt: number = Number.NEGATIVE_INFINITY;
  reportedAt: number = Number.NEGATIVE_INFINITY;
  /** When we last asked it to end the session; ms. */
  askedAt: number = Number.NEGATIVE_INFINITY;
  readonly #host: LinkHost;
  readonly #reports: TokenBucket;
  #out: GroupSendFlow | undefined;
  #control: GroupRecvFlow | undefined;
  /** The far end has begun: reports are welcome. */
  #hasBegun = false;
  /** Our last report was no answer. */
  #awaitsAnswer = false;
  /** Useless messages that are still forgiven. */
  readonly #useless: TokenBucket;
  /** When it last asked us to end the session; ms. */
  #wasAskedAt: number = Number.NEGATIVE_INFINITY;
  #held: { readonly kind: number; readonly flow: GroupRecvFlow }[] | undefined;

  constructor(host: LinkHost, member: Member, session: GroupSession) {
    this.#host = host;
    this.member = member;
    this.session = session;
    this.since = host.now();
    this.#useless = new TokenBucket(USELESS_PER_SECOND, MAX_USELESS, this.since);
    this.#reports = new TokenBucket(REPORTS_PER_SECOND, REPORTS_BURST, this.since);
  }

  get peerId(): string {
    return this.member.peerId;
  }

  get address(): string {
    return this.member.address;
  }

  /** Throws unless {@link isProven}: services hear of no link before. */
  get control(): GroupRecvFlow {
    if (this.#control === undefined) throw new RtmfpError("FLOW_CLOSED", "the member has no control flow yet");
    return this.#control;
  }

  get neighbour(): Neighbour {
    return this;
  }

  /** The far end has shown that it is a member. */
  get isProven(): boolean {
    return this.#control !== undefined;
  }

  /** Opens our control flow and says who we are; nothing if that is done. */
  greet(): void {
    if (this.#out !== undefined || this.isGone) return;
    try {
      const out = this.session.openFlow(groupFlowMetadata(GroupFlow.control));
      this.#out = out;
      out.context = this;
      out.onException = outEnded;
      out.onClosed = outEnded;
    } catch (error) {
      this.#failed(error);
      return;
    }
    this.#write(this.#host.connectMessage(this));
    this.#write({ type: "prelude" });
    this.#write({ type: "begin", nearest: false });
  }

  /** Its control flow, on which its proof came. */
  prove(control: GroupRecvFlow): void {
    this.#control = control;
    control.context = this;
    this.greet();
  }

  /** Sends a report; `asked` is false where it answers one. False if the member does not take it. */
  report(asked: boolean): boolean {
    const out = this.#out;
    if (this.isGone || out === undefined || !this.#hasBegun) return false;
    if (out.bufferedBytes > MAX_WAITING_BYTES) {
      this.#host.stats.reportsSkipped++;
      return false;
    }
    this.#awaitsAnswer = asked;
    this.reportedAt = this.#host.now();
    this.#host.stats.reportsSent++;
    this.#write({ type: "report", report: this.#host.reportFor(this) });
    return true;
  }

  /** Asks the far end to end the session, if it does not want us. */
  askToClose(): void {
    this.askedAt = this.#host.now();
    this.#host.stats.closesAsked++;
    this.#write({ type: "askClose" });
  }

  /** A flow of the far end that answers one of ours in this group. */
  flowOpened(kind: number, flow: GroupRecvFlow): void {
    // Flows overtake each other: the reports that make it a neighbour may still be on their way.
    if (!this.isConnected && !this.isGone && (this.#held?.length ?? 0) < MAX_HELD_FLOWS) {
      this.#held ??= [];
      this.#held.push({ kind, flow });
      flow.accept({ order: "sequence" });
      return;
    }
    this.#give(kind, flow);
  }

  /** Hands the flows over that came before reports had been exchanged. */
  giveHeld(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const { kind, flow } of held) this.#give(kind, flow);
  }

  /** Ends our part of both control flows. */
  close(): void {
    this.isGone = true;
    for (const { flow } of this.#held ?? []) flow.reject();
    this.#held = undefined;
    void this.#out?.close();
    this.#control?.reject();
  }

  onControlMessage(_flow: GroupRecvFlow, data: Uint8Array): void {
    if (this.isGone) return;
    const message = decodeControl(data);
    switch (message?.type) {
      case "begin":
        this.#onBegin();
        return;
      case "report":
        this.#onReport(message.report);
        return;
      case "askClose":
        this.#onAskClose();
        return;
      case "prelude":
        return;
      default:
        this.#onUseless();
    }
  }

  onControlEnd(): void {
    if (!this.isGone) this.#host.ended(this, false);
  }

  #onBegin(): void {
    this.#hasBegun = true;
    if (this.reportedAt === Number.NEGATIVE_INFINITY) this.report(true);
  }

  /** Each costs a look at all members. */
  #onAskClose(): void {
    const now = this.#host.now();
    const isTooSoon = now - this.#wasAskedAt < CLOSE_ASKED_MS;
    this.#wasAskedAt = now;
    if (isTooSoon) this.#onUseless();
    else this.#host.askedToClose(this);
  }

  #onUseless(): void {
    this.#host.stats.useless++;
    if (!this.#useless.take(this.#host.now())) this.#host.ended(this, true);
  }

  #onReport(report: Report): void {
    const now = this.#host.now();
    this.#host.stats.reportsReceived++;
    if (!this.#reports.take(now)) {
      this.#host.stats.reportsRefused++;
      return;
    }
    // Who reports has begun, whatever became of the message that says so.
    this.#hasBegun = true;
    this.heardAt = now;
    const isAnswer = this.#awaitsAnswer;
    this.#awaitsAnswer = false;
    if (!isAnswer) this.report(false);
    if (this.isGone) return;
    this.#host.reported(this, report);
    if (this.isConnected || this.isGone || this.reportedAt === Number.NEGATIVE_INFINITY) return;
    this.isConnected = true;
    this.#host.connected(this);
  }

  #give(kind: number, flow: GroupRecvFlow): void {
    if (this.isConnected && !this.isGone && this.#host.flowOpened(this, kind, flow)) return;
    this.#host.stats.flowsRefused++;
    flow.reject();
  }

  #write(message: ControlMessage): void {
    if (this.isGone || this.#out === undefined) return;
    try {
      this.#out.write(encodeControl(message));
    } catch (error) {
      this.#failed(error);
    }
  }

  #failed(error: unknown): void {
    if (!(error instanceof RtmfpError)) throw error;
    this.#host.ended(this, false);
  }
}

/** Shared by all flows: a link costs no functions of its own. */
function outEnded(this: GroupSendFlow): void {
  (this.context as Link).onControlEnd();
}

/** Reads a control flow by its `context`, a {@link ControlReader}, which may change on the way. */
export function readControl(flow: GroupRecvFlow, reader: ControlReader): void {
  flow.context = reader;
  flow.onEnd = controlEnded;
  flow.accept({ order: "sequence" });
  flow.onMessage = controlMessage;
}

function controlMessage(this: GroupRecvFlow, data: Uint8Array): void {
  (this.context as ControlReader).onControlMessage(this, data);
}

function controlEnded(this: GroupRecvFlow): void {
  (this.context as ControlReader).onControlEnd(this);
}
