/** Faults in receiving flows and acknowledgements (RFC 7016 §3.6.3), codes and security (§4, §5). */
import { type Fault, faultsOf } from "./fault.ts";

const PROTO = "packages/rtmfp-core/src/proto";

/** Opening, data, acknowledgements, windows, rejection and linger of a receiving flow. */
export const FLOW_RECEIVE_FAULTS: readonly Fault[] = [
  ...faultsOf(
    `${PROTO}/recv-flow.ts`,
    [
      'const ranges = this.#state === "RF_CLOSED" ? 0 : this.seen.rangeCount;',
      "const ranges = this.seen.rangeCount;",
      "R7016-5-04",
    ],
    ["if (seen.rangeCount >= MAX_SEQUENCE_RANGES) return false;", "return false;", "R7016-5-04"],
  ),
  ...faultsOf(
    `${PROTO}/receive-side.ts`,
    [
      "this.#current = this.#flows.get(chunk.flowId) ?? this.#open(chunk);",
      "this.#current = this.#flows.get(chunk.flowId);",
      "R7016-3.6.3.1-01",
    ],
    [
      "if (metadata === undefined || !acceptable) flow.reject(0);",
      "if (!acceptable) flow.reject(0);",
      "R7016-3.6.3.1-02",
    ],
    [
      "if (metadata === undefined || !acceptable) flow.reject(0);",
      "if (metadata === undefined || !acceptable) flow.reject(7);",
      "R7016-3.6.3.1-02",
    ],
    ["else this.#host.onFlow(flow);", "", "R7016-3.6.3.1-06"],
    [
      "const flow = new RecvFlow(this, chunk.flowId, metadata ?? EMPTY, association);",
      "const flow = new RecvFlow(this, chunk.flowId, metadata ?? EMPTY, undefined);",
      "R7016-3.6.3.1-06",
    ],
    [
      "const flow = new RecvFlow(this, chunk.flowId, metadata ?? EMPTY, association);",
      "const flow = new RecvFlow(this, chunk.flowId, EMPTY, association);",
      "R7016-3.6.3.1-06",
    ],
    ["return flow;", "this.ackNow = false; return flow;", "R7016-3.6.3.1-07"],
    [
      'if (chunk.options !== undefined && flow.state === "RF_OPEN" && hasUnknownOption(chunk.options)) flow.breakOff();',
      "",
      "R7016-3.6.3.2-02",
    ],
    [
      "if (!writeFlowAck(packet, flow, written === 0)) break;",
      "if (!writeFlowAck(packet, flow, true)) break;",
      "R7016-3.6.3.4.2-01",
    ],
    ["this.#host.wakeAt(this.delayedAckAt);", "", "R7016-3.6.3.4.4-01"],
    ["this.#dataPackets = 0;", "", "R7016-3.6.3.4.5-01"],
    ["flow.shouldAck = false;", "", "R7016-3.6.3.4.5-01"],
    [
      "if (flow !== undefined) this.ackDue(flow, true);",
      "if (flow !== undefined) this.ackDue(flow, false);",
      "R7016-3.6.3.6-01",
    ],
    [
      "if (flow !== undefined) this.ackDue(flow, true);",
      'if (flow?.state === "RF_OPEN") this.ackDue(flow, true);',
      "R7016-3.6.3.6-01",
    ],
    ["const until = this.#now + RECEIVE_LINGER_MS;", "const until = this.#now + 50_000;", "R7016-3.6.3.8-03"],
    ["const until = this.#now + RECEIVE_LINGER_MS;", "const until = this.#now;", "R7016-3.6.3-01"],
  ),
  ...faultsOf(
    `${PROTO}/recv-flow.ts`,
    ["this.#finish();", "", "R7016-3.6.3.2-02"],
    ["if (options.capacityBytes !== undefined) this.#capacityBytes = options.capacityBytes;", "", "R7016-3.6.3.1-06"],
    ['this.#state = "RF_COMPLETE_LINGER";', 'this.#state = "RF_CLOSED";', "R7016-3.6.3-01"],
    ["this.#host.ackDue(this, ackNow);", "if (ackNow) this.#host.ackDue(this, true);", "R7016-3.6.3.2-01"],
    ['this.#state !== "RF_OPEN" ||', "", "R7016-3.6.3.2-03"],
    ["(this.previousBlocks !== undefined && this.previousBlocks < 2) ||", "", "R7016-3.6.3.2-04"],
    [
      "(this.previousBlocks !== undefined && this.previousBlocks < 2) ||",
      "(this.previousBlocks !== undefined && this.previousBlocks < 1) ||",
      "R7016-3.6.3.2-04",
    ],
    [
      "(this.previousBlocks !== undefined && this.previousBlocks < 2) ||",
      "(this.previousBlocks !== undefined && this.previousBlocks < 3) ||",
      "R7016-3.6.3.2-04",
    ],
    ["abandoned ||", "", "R7016-3.6.3.2-05"],
    ["seen.has(sn);", "false;", "R7016-3.6.3.2-07"],
    [
      'const message = this.#order === "hold" ? undefined : this.#unread.shift();',
      "const message = this.#unread.shift();",
      "R7016-3.6.3.3-06",
    ],
    [
      "return this.#isSuspended || !this.#host.budget.welcomes(this) ? 0 : 1;",
      "return !this.#host.budget.welcomes(this) ? 0 : 1;",
      "R7016-3.6.3.3-06",
    ],
    ["this.exceptionCode = code;", "this.exceptionCode = 0;", "R7016-3.6.3.7-02"],
    ["this.#unread.clear();", "", "R7016-3.6.3.7-02"],
  ),
  ...faultsOf(`${PROTO}/unread.ts`, [
    "this.length = this.bytes = this.cost = 0;",
    "this.length = this.cost = 0;",
    "R7016-3.6.3.7-02",
  ]),
  ...faultsOf(
    `${PROTO}/range-set.ts`,
    ["this.contiguous = Math.max(this.contiguous, this.#above[taken + 1] as number);", "", "R7016-3.6.3.3-02"],
    [
      "while (taken < this.#above.length && (this.#above[taken] as number) <= this.contiguous + 1) {",
      "while (taken < this.#above.length && (this.#above[taken] as number) <= this.contiguous) {",
      "R7016-3.6.3.3-02",
    ],
    [
      "while (taken < this.#above.length && (this.#above[taken] as number) <= this.contiguous + 1) {",
      "while (taken < this.#above.length && (this.#above[taken] as number) <= this.contiguous + 2) {",
      "R7016-3.6.3.3-02",
    ],
  ),
  ...faultsOf(
    `${PROTO}/ack-writer.ts`,
    [
      "if (room < 0 || (body > room && !truncate)) return false;",
      "if (room < 0 || body > room) return false;",
      "R7016-3.6.3.4.2-01",
    ],
    ["if (room < 0 || (body > room && !truncate)) return false;", "if (room < 0) return false;", "R7016-3.6.3.4.2-01"],
    ["if (packet.writer.pos + vluSize(holes) + vluSize(received) > end) return;", "", "R7016-3.6.3.4.2-01"],
    ["if (code !== undefined) {", "if (code !== undefined && false) {", "R7016-3.6.3.4.3-02"],
    ["flow.previousBlocks = blocks;", "", "R7016-3.6.3.4.5-01"],
  ),
  ...faultsOf(`${PROTO}/chunk/types.ts`, ["userData: 0x10,", "userData: 0x12,", "R7016-4-01"]),
  ...faultsOf(
    `${PROTO}/session.ts`,
    ["const farHmac = this.keys?.farHmac === true;", "const farHmac = true;", "R7016-5-03"],
    ['if (policy === "off" || (policy === "hmac" && !farHmac)) return;', 'if (policy === "off") return;', "R7016-5-03"],
    ['if (policy === "off" || (policy === "hmac" && !farHmac)) return;', "", "R7016-5-03"],
  ),
  ...faultsOf(
    `${PROTO}/reassembly.ts`,
    [
      "if (complete ? last > csn : front.begins && last >= csn) return;",
      "if (complete ? last > csn : last >= csn) return;",
      "R7016-3.6.3.3-03",
    ],
    [
      "if (complete ? last > csn : front.begins && last >= csn) return;",
      "if (complete ? last > csn : front.begins && last > csn) return;",
      "R7016-3.6.3.3-05",
    ],
    [
      "if (complete ? last > csn : front.begins && last >= csn) return;",
      "if (complete ? last > csn : front.begins) return;",
      "R7016-3.6.3.3-03",
    ],
    ["if (front.begins && front.last >= csn) return;", "if (front.last >= csn) return;", "R7016-3.6.3.3-03"],
    ["if (front.begins && front.last >= csn) return;", "if (front.begins) return;", "R7016-3.6.3.3-03"],
  ),
  ...faultsOf("packages/rtmfp-core/src/crypto/flash/packet-cipher.ts", [
    "return new FlashPacketCipher(provider, options);",
    "return createStartupCipher(provider);",
    "R7016-5-02",
  ]),
];
