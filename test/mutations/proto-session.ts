/** Faults in an open session and at its end: what it knows, its timestamps, its budget, its close (RFC 7016 §3.5, §3.5.2 to §3.5.5). */
import { type Fault, faultsOf } from "./fault.ts";

const PROTO = "packages/rtmfp-core/src/proto";

/** What is forgotten, never released, done in one state too many or too few. */
export const SESSION_FAULTS: readonly Fault[] = [
  ...faultsOf(
    `${PROTO}/session.ts`,
    ["this.sends.abort();", "", "R7016-3.5.5-04", "R7016-3.5.1.1.2-14"],
    ["this.receives.abort();", "", "R7016-3.5.5-04", "R7016-3.5.1.1.2-14"],
    ["this.#leaveOpen(state);", "this.#state = state;", "R7016-3.5.5-04", "R7016-3.5.1.1.2-14"],
    ["return this.keys?.nearNonce;", "return this.keys?.farNonce;", "R7016-3.5-01"],
    ["return this.keys?.farNonce;", "return this.keys?.nearNonce;", "R7016-3.5-01"],
    ["return this.farCertificate?.id;", "return undefined;", "R7016-3.5-01"],
    ["outstandingBytes: this.sends.outstandingBytes,", "outstandingBytes: 0,", "R7016-3.5-01"],
    ['this.#leaveOpen("S_NEARCLOSE");', 'this.#leaveOpen("S_CLOSED");', "R7016-3.5-02", "R7016-3.5.5-02"],
    [
      'if (wasOpen) this.#leaveOpen("S_FARCLOSE_LINGER");',
      'if (wasOpen) this.#leaveOpen("S_NEARCLOSE");',
      "R7016-3.5-02",
      "R7016-3.5.5-06",
    ],
    [
      'this.#end(reason, this.opening === undefined ? "S_CLOSED" : "S_OPEN_FAILED");',
      'this.#end(reason, "S_CLOSED");',
      "R7016-3.5-02",
    ],
    [
      'if (this.opening !== undefined) this.#end("aborted", "S_OPEN_FAILED");',
      'if (this.opening !== undefined) this.#end("aborted", "S_CLOSED");',
      "R7016-3.5-02",
    ],
    ["this.#sendCloseRequest(now);", "", "R7016-3.5.5-02"],
    [
      "this.#closeRequestAt = now + CLOSE_REPEAT_MS;",
      "this.#closeRequestAt = now + 2 * CLOSE_REPEAT_MS;",
      "R7016-3.5.5-02",
    ],
    [
      "this.#queueControl({ type: ChunkType.closeAck });",
      "if (wasOpen) this.#queueControl({ type: ChunkType.closeAck });",
      "R7016-3.5.5-06",
    ],
    ["this.control.push({ type: ChunkType.closeAck });", "", "R7016-3.5.5-05"],
    ['this.#leaveOpen("S_CLOSED");', 'this.#leaveOpen("S_NEARCLOSE");', "R7016-3.5.5-05"],
    ['else this.#end(reason, "S_CLOSED");', "", "R7016-3.5.5-08"],
    [
      'const reason = this.#state === "S_OPEN" ? "far" : this.#closeReason;',
      'const reason = this.#state === "S_OPEN" ? "far" : this.#closeReason; if (this.#state === "S_OPEN") return;',
      "R7016-3.5.5-08",
    ],
    [
      'const reason = this.#state === "S_OPEN" ? "far" : this.#closeReason;',
      'const reason = this.#state === "S_OPEN" ? "far" : this.#closeReason; if (this.#state === "S_NEARCLOSE") return;',
      "R7016-3.5.5-08",
    ],
    [
      'const reason = this.#state === "S_OPEN" ? "far" : this.#closeReason;',
      'const reason = this.#state === "S_OPEN" ? "far" : this.#closeReason; if (this.#state === "S_FARCLOSE_LINGER") return;',
      "R7016-3.5.5-08",
    ],
    ["if (header.timeCriticalReverse) this.#lastTcr = now;", "", "R7016-3.5.2.1-01", "R7016-3.5.2.1-03"],
    [
      "if (header.timeCriticalReverse) this.#lastTcr = now;",
      "if (header.timeCriticalReverse) this.#lastTcr = now + 200;",
      "R7016-3.5.2.1-03",
    ],
    [
      "fastGrowAllowed: now - this.#lastTcr >= TIME_CRITICAL_MS && !this.#host.timeCritical.sentLately(now),",
      "fastGrowAllowed: !this.#host.timeCritical.sentLately(now),",
      "R7016-3.5.2.1-01",
    ],
    [
      "this.#onPingReply(reader.rest(), now, from, via);",
      "this.#queueControl({ type: ChunkType.pingReply, message: reader.rest() });",
      "R7016-3.5.4-04",
    ],
    [
      "if (this.#pingReplies.take(now)) this.#queueControl({ type: ChunkType.pingReply, message: message.slice() });",
      "if (this.#pingReplies.take(now)) for (let i = 0; i < 2; i++) this.#queueControl({ type: ChunkType.pingReply, message: message.slice() });",
      "R7016-3.5.4-04",
    ],
    [
      "const overtaken = header.timestamp !== undefined && this.rtt.onTimestamp(header.timestamp, now);",
      "const overtaken = false;",
      "R7016-3.5-01",
      "R7016-3.5.2.2-04",
      "R7016-3.5.2.2-06",
    ],
    ["this.rtt.onEcho(header.timestampEcho, now, this.#host.resumedAt);", ";", "R7016-3.5.2.2-04"],
  ),
  ...faultsOf(
    `${PROTO}/rtt.ts`,
    ["mrto: number = ERTO_MIN_MS;", "mrto: number = ERTO_INITIAL_MS;", "R7016-3.5-01"],
    ["tsRx = -1;", "tsRx = 0;", "R7016-3.5-01"],
    ["tsEchoTx = -1;", "tsEchoTx = 0;", "R7016-3.5-01", "R7016-3.5.2.2-05"],
    ["if (now - this.tsRxTime > ECHO_AGE_MS) {", "if (now - this.tsRxTime > 2 * ECHO_AGE_MS) {", "R7016-3.5.2.2-07"],
  ),
  ...faultsOf(
    `${PROTO}/keepalive.ts`,
    ["heard(now: number): void {", "heard(now: number): void { if (this.#unanswered > 0) return;", "R7016-3.5.4-05"],
    ["this.#unanswered = 0;", "", "R7016-3.5.4-05"],
  ),
  ...faultsOf(
    `${PROTO}/receive-side.ts`,
    ["ackNow = false;", "ackNow = true;", "R7016-3.5-03"],
    ["delayedAckAt: number = Number.POSITIVE_INFINITY;", "delayedAckAt = 0;", "R7016-3.5-03"],
  ),
  ...faultsOf(
    `${PROTO}/send-side.ts`,
    [
      "this.outstandingBytes -= fragment.transmitSize;",
      "this.outstandingBytes -= fragment.transmitSize - 1;",
      "R7016-3.5-04",
    ],
    [
      "fragment.flow.outstandingBytes += fragment.transmitSize;",
      "fragment.flow.outstandingBytes += 1;",
      "R7016-3.5-04",
    ],
    ["this.congestion.onAck(ack);", "", "R7016-3.5.2-05"],
    ["this.congestion.onTimeout(lost);", "", "R7016-3.5.2-05"],
    ["if (fragment.tsn >= this.#recoveryTsn) ack.lost = true;", "", "R7016-3.5.2-05"],
    [
      "for (; this.outstandingBytes < this.congestion.window || probing; flow = this.#ready.peek()) {",
      "for (; flow !== undefined; flow = this.#ready.peek()) {",
      "R7016-3.5.2-04",
    ],
  ),
  ...faultsOf(`${PROTO}/send-flow.ts`, [
    "const size = Math.min(left, packet.isEmpty ? Math.max(room, MIN_FRAGMENT_BYTES) : room);",
    "const size = left;",
    "R7016-3.4-03",
  ]),
  ...faultsOf(
    `${PROTO}/congestion/rfc7016.ts`,
    [
      "if (event.fastGrowAllowed) return slowStart ? event.ackedBytes : this.fastIncrease(event);",
      "if (slowStart) return event.ackedBytes;",
      "R7016-3.5.2.1-01",
    ],
    [
      "return this.#perThreshold(event.ackedBytes, 24, 4800);",
      "return slowStart ? event.ackedBytes : this.#perThreshold(event.ackedBytes, 24, 4800);",
      "R7016-3.5.2.1-01",
    ],
    [
      "if (event.fastGrowAllowed) return slowStart ? event.ackedBytes : this.fastIncrease(event);",
      "if (event.fastGrowAllowed) return slowStart ? 2 * event.ackedBytes : this.fastIncrease(event);",
      "R7016-3.5.2-03",
    ],
    [
      "this.cwnd = Math.max(this.cwnd + Math.min(this.#increase(event), cap), this.#cwndInit);",
      "this.cwnd = Math.max(this.cwnd + this.#increase(event) + cap, this.#cwndInit);",
      "R7016-3.5.2-03",
    ],
    ["this.cwnd = this.ssthresh;", "", "R7016-3.5.2-01", "R7016-3.5.2-05"],
  ),
];
