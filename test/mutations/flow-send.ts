/** Faults in flows and in how they send (RFC 7016 §3.6.1, §3.6.2). */
import { type Fault, faultsOf } from "./fault.ts";

const PROTO = "packages/rtmfp-core/src/proto";

/** Fragments, numbers, FSN, loss, exceptions and the end of a sending flow. */
export const FLOW_SEND_FAULTS: readonly Fault[] = [
  ...faultsOf(`${PROTO}/receive-side.ts`, [
    "if (metadata === undefined || !acceptable) flow.reject(0);",
    "if (metadata === undefined || !acceptable || chunk.flowId === 0) flow.reject(0);",
    "R7016-3.6.1.1-01",
  ]),
  ...faultsOf(`${PROTO}/receive-side.ts`, [
    "this.#current = this.#flows.get(chunk.flowId) ?? this.#open(chunk);",
    "this.#current = this.#flows.get(chunk.flowId >>> 0) ?? this.#open(chunk);",
    "R7016-3.6.1.1-01",
  ]),
  ...faultsOf(
    `${PROTO}/session.ts`,
    [
      'if (answers !== undefined && answers.state !== "RF_OPEN") {',
      "if (answers !== undefined && [...this.sends.flows].some((flow) => flow.association === answers)) {",
      "R7016-3.6.1.1-03",
    ],
    [
      "if (answers !== undefined) startup.push({ type: UserDataOption.association, value: encodeVlu(answers.id) });",
      "if (answers !== undefined) for (let i = 0; i < 2; i++) startup.push({ type: UserDataOption.association, value: encodeVlu(answers.id) });",
      "R7016-3.6.1.1-03",
    ],
    [
      'this.#host.emit({ type: "finished", flow });',
      'this.#host.emit({ type: "finished", flow }); for (const own of this.sends.flows) if (own.association === flow) own.close();',
      "R7016-3.6.1.1-04",
    ],
    [
      'this.#host.emit({ type: "complete", flow });',
      'this.#host.emit({ type: "complete", flow }); for (const far of this.receives.flows) if (far.association === flow) far.reject(0);',
      "R7016-3.6.1.1-04",
    ],
  ),
  ...faultsOf(
    `${PROTO}/reassembly.ts`,
    [
      "return control === FragmentControl.whole || control === FragmentControl.begin;",
      "return control !== FragmentControl.end;",
      "R7016-3.6.1.2-01",
      "R7016-3.6.3.3-01",
    ],
    [
      "return control === FragmentControl.whole || control === FragmentControl.end;",
      "return control !== FragmentControl.begin;",
      "R7016-3.6.1.2-01",
      "R7016-3.6.3.3-01",
    ],
    ["const missingBefore = this.#missing;", "const missingBefore = 0;", "R7016-3.6.1.2-06", "R7016-3.6.1.2-07"],
    ["this.#missing += missing;", "", "R7016-3.6.1.2-06", "R7016-3.6.1.2-07"],
  ),
  ...faultsOf(
    `${PROTO}/recv-flow.ts`,
    ["const missing = seen.addUpTo(fsn);", "const missing = seen.addUpTo(fsn + 1);", "R7016-3.6.1.3-02"],
    [
      "if (keep && this.#isOverfull(sn, data.length)) return false;",
      "if (keep && this.#isOverfull(sn, data.length)) { seen.add(sn); return false; }",
      "R7016-3.6.1.3-02",
    ],
    ["const missing = seen.addUpTo(fsn);", "const missing = seen.addUpTo(sn - 1);", "R7016-3.6.1.3-02"],
  ),
  ...faultsOf(
    `${PROTO}/send-flow.ts`,
    [
      "this.#messages.push(receipt);",
      "const later = data.length < 100 && this.#cutBytes === 0 ? this.#messages.shift() : undefined; this.#messages.push(receipt); if (later !== undefined) this.#messages.push(later);",
      "R7016-3.6.1.2-03",
    ],
    ['this.#state = "F_COMPLETE_LINGER";', 'this.#state = "F_CLOSED";', "R7016-3.6.2-03"],
    ['this.#state = "F_CLOSING";', "", "R7016-3.6.2-03"],
    ["? FragmentControl.whole", "? FragmentControl.begin", "R7016-3.6.2.2-02"],
    [
      "return this.windowBytes > this.outstandingBytes || this.exceptionCode !== undefined;",
      "return this.windowBytes > this.outstandingBytes;",
      "R7016-3.6.2.3-01",
    ],
    [
      "return this.windowBytes > this.outstandingBytes || this.exceptionCode !== undefined;",
      "return this.windowBytes >= this.outstandingBytes || this.exceptionCode !== undefined;",
      "R7016-3.6.2.3-01",
    ],
    [
      "if (!fragment.abandoned || fragment.sequenceNumber === this.#finalSn) return fragment;",
      "return fragment;",
      "R7016-3.6.2.3-02",
    ],
    [
      "if (!fragment.abandoned || fragment.sequenceNumber === this.#finalSn) return fragment;",
      "if (!fragment.abandoned) return fragment;",
      "R7016-3.6.2.3-02",
    ],
    [
      "if (fragment === undefined || fragment.inFlight) continue;",
      "if (fragment === undefined) continue;",
      "R7016-3.6.2.3-02",
    ],
    ["if (head.inFlight || !head.abandoned || !this.#sendsAfter(head)) return;", "return;", "R7016-3.6.2.3-04"],
    [
      "if (head.inFlight || !head.abandoned || !this.#sendsAfter(head)) return;",
      "if (!head.abandoned || !this.#sendsAfter(head)) return;",
      "R7016-3.6.2.3-04",
    ],
    [
      "if (head.inFlight || !head.abandoned || !this.#sendsAfter(head)) return;",
      "if (head.inFlight || !head.abandoned) return;",
      "R7016-3.6.2.3-04",
    ],
    [
      "if (head.inFlight || !head.abandoned || !this.#sendsAfter(head)) return;",
      "if (head.inFlight || !this.#sendsAfter(head)) return;",
      "R7016-3.6.2.3-04",
    ],
    [
      "const covered = head.abandoned && (!head.inFlight || head.sentAbandoned);",
      "const covered = head.abandoned;",
      "R7016-3.6.2.3-07",
    ],
    [
      "return covered ? head.sequenceNumber : head.sequenceNumber - 1;",
      "return covered ? this.#ring.nextSn - 1 : head.sequenceNumber - 1;",
      "R7016-3.6.2.3-06",
    ],
    [
      "return covered ? head.sequenceNumber : head.sequenceNumber - 1;",
      "return head.sequenceNumber;",
      "R7016-3.6.2.3-06",
    ],
    ["(abandoned ? UserDataFlag.abandon : 0) |", "0 |", "R7016-3.6.2.3-08"],
    ["(sn === this.#finalSn ? UserDataFlag.final : 0),", "0,", "R7016-3.6.2.3-08"],
    ["writer.vlu(sn - forward);", "writer.vlu(sn - forward + 1);", "R7016-3.6.2.3-08"],
    [
      "const length = abandoned ? 0 : fragment.end - fragment.start;",
      "const length = fragment.end - fragment.start;",
      "R7016-3.6.2.3-09",
    ],
    [
      "if (size > packet.room && (!packet.isEmpty || size > packet.writer.bytes.length - packet.writer.pos)) return false;",
      "",
      "R7016-3.6.2.3-10",
    ],
    ["if (this.timeCritical) packet.timeCritical = true;", "", "R7016-3.6.2.3-12"],
    [
      "return previous !== undefined && previous.flow === flow && previous.sequenceNumber === sn - 1;",
      "return previous !== undefined && previous.sequenceNumber === sn - 1;",
      "R7016-3.6.2.3.2-02",
    ],
    ["this.close();", "", "R7016-3.6.2.10-01"],
    ["this.exceptionCode = code;", "this.exceptionCode = 0;", "R7016-3.6.2.10-01"],
    [
      "for (let sn = this.#ring.headSn; sn < this.#ring.nextSn; sn++) this.#ring.get(sn)?.receipt?.abandon();",
      "",
      "R7016-3.6.2.10-01",
    ],
    ["for (let i = 0; i < this.#messages.length; i++) this.#messages.at(i)?.abandon();", "", "R7016-3.6.2.10-01"],
  ),
  ...faultsOf(
    `${PROTO}/fragment.ts`,
    [
      "return this.receipt === undefined || this.receipt.abandoned;",
      "return this.receipt === undefined || (this.receipt.abandoned && this.start > 0);",
      "R7016-3.6.2.7-02",
    ],
    [
      "return this.receipt === undefined || this.receipt.abandoned;",
      "return this.receipt === undefined || (this.receipt.abandoned && this.start === 0);",
      "R7016-3.6.2.7-02",
    ],
  ),
  ...faultsOf(
    `${PROTO}/send-side.ts`,
    [
      "const flow = new SendFlow(this, this.#nextFlowId++, startupOptions, priority, association, options);",
      "const flow = new SendFlow(this, 2, startupOptions, priority, association, options);",
      "R7016-3.6.2.1-01",
    ],
    [
      "const flow = new SendFlow(this, this.#nextFlowId++, startupOptions, priority, association, options);",
      "const flow = new SendFlow(this, this.#flows.size + 2, startupOptions, priority, association, options);",
      "R7016-3.6.2.1-01",
    ],
    [
      "let previous: Fragment | undefined;",
      "let previous: Fragment | undefined = this.#outstanding.last;",
      "R7016-3.6.2.3.2-02",
    ],
    [
      "if (fragment.tsn > this.#maxTsnAck) this.#maxTsnAck = fragment.tsn;",
      "if (fragment.tsn > this.#maxTsnAck && fragment.flow === this.#outstanding.first?.flow) this.#maxTsnAck = fragment.tsn;",
      "R7016-3.6.2.5-01",
    ],
    ["ack.nak = true;", "", "R7016-3.6.2.5-04"],
    ["if (fragment.tsn >= this.#recoveryTsn) ack.lost = true;", "", "R7016-3.6.2.5-04"],
    ["ack.nak = true;", "ack.nak = true; ack.lost = true;", "R7016-3.6.2.5-04"],
    ["this.#burstLeft--;", "", "R7016-3.6.2.6-03"],
    [
      "if (flow?.onException(code)) this.#host.onFlowException(flow, code);",
      "flow?.onException(code);",
      "R7016-3.6.2.10-01",
    ],
    [
      "this.#lingering.add(flow, this.#ackTime + SEND_LINGER_MS);",
      "this.#lingering.add(flow, this.#ackTime + SEND_LINGER_MS - 1_000);",
      "R7016-3.6.2.11-03",
    ],
  ),
  ...faultsOf(`${PROTO}/session-transmit.ts`, ["flags |= HeaderFlag.timeCritical;", "", "R7016-3.6.2.3-12"]),
];
