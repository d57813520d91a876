/** Faults in the chunks of flows, as sessions send and take them (RFC 7016 §2.3.11 to §2.3.16). */
import { type Fault, faultsOf } from "./fault.ts";

const PROTO = "packages/rtmfp-core/src/proto";

/** Fields in another place or of another size, values that mean something else, checks left out. */
export const FLOW_CHUNK_FAULTS: readonly Fault[] = [
  ...faultsOf(
    `${PROTO}/send-flow.ts`,
    ["(fragment.control << 4) |", "(fragment.control << 5) |", "R7016-2.3.11-01"],
    ["(options === undefined ? 0 : UserDataFlag.options) |", "0 |", "R7016-2.3.11-01", "R7016-2.3.11-02"],
    ["(abandoned ? UserDataFlag.abandon : 0) |", "0 |", "R7016-2.3.11-01"],
    ["(sn === this.#finalSn ? UserDataFlag.final : 0),", "0,", "R7016-2.3.11-08", "R7016-2.3.11-01"],
    ["writer.vlu(sn);", "writer.vlu(sn); writer.u8(0);", "R7016-2-02"],
    ["writer.vlu(sn - forward);", "writer.vlu(forward);", "R7016-2.3.11-02", "R7016-2.3.11-03"],
    ["writer.u16(size - 3);", "writer.u16(size);", "R7016-2.3-01"],
    ["if (!next) {", "if (sn > 0) {", "R7016-2.3.12-01"],
    ["const next = isNext(this, previous, sn);", "const next = previous !== undefined;", "R7016-2.3.12-02"],
    [
      "return previous !== undefined && previous.flow === flow && previous.sequenceNumber === sn - 1;",
      "return previous === undefined || (previous.flow === flow && previous.sequenceNumber === sn - 1);",
      "R7016-2.3.12-02",
    ],
    [": FragmentControl.middle;", ": FragmentControl.begin;", "R7016-2.3.11-05"],
    ["? FragmentControl.end", "? FragmentControl.middle", "R7016-2.3.11-05"],
    [
      "const fragment = new Fragment(this, this.#ring.nextSn, receipt, start, end, control);",
      "const fragment = new Fragment(this, start > 0 ? ++this.#ring.nextSn : this.#ring.nextSn, receipt, start, end, control);",
      "R7016-2.3.11-06",
    ],
    [
      "const options = next || this.#lastSerial === packet.serial ? undefined : this.#startupOptions;",
      "const options = next || fragment.everSent ? undefined : this.#startupOptions;",
      "R7016-2.3.11.1.1-03",
      "R7016-2.3.11.1.2-02",
    ],
    [
      "const options = next || this.#lastSerial === packet.serial ? undefined : this.#startupOptions;",
      "const options = next ? undefined : this.#startupOptions;",
      "R7016-2.3.11.1.1-03",
      "R7016-2.3.11.1.2-02",
    ],
    ["this.#startupOptions = undefined;", "", "R7016-2.3.11.1.1-03", "R7016-2.3.11.1.2-02"],
    [
      "return covered ? head.sequenceNumber : head.sequenceNumber - 1;",
      "return head.sequenceNumber;",
      "R7016-2.3.11-12",
    ],
    [
      "if (head.inFlight || !head.abandoned || !this.#sendsAfter(head)) return;",
      "if (head.inFlight || !head.abandoned) return;",
      "R7016-2.3.11-14",
    ],
    [
      "const covered = head.abandoned && (!head.inFlight || head.sentAbandoned);",
      "const covered = head.abandoned;",
      "R7016-2.3.11-14",
    ],
  ),
  ...faultsOf(`${PROTO}/fragment.ts`, ["nextSn = 1;", "nextSn = 0;", "R7016-2.3.11-10"]),
  ...faultsOf(
    `${PROTO}/ack-writer.ts`,
    ["writer.vlu(blocks);", "writer.u8(blocks);", "R7016-2.3.13-01", "R7016-2.3.14-01"],
    ["writer.vlu(seen.contiguous);", "writer.vlu(seen.contiguous + 1);", "R7016-2.3.13-03"],
    [
      "writer.u8(useBitmap ? ChunkType.ackBitmap : ChunkType.ackRanges);",
      "writer.u8(ChunkType.ackRanges);",
      "R7016-2.3.13-01",
    ],
    ["const base = seen.contiguous + 2;", "const base = seen.contiguous + 1;", "R7016-2.3.13-04"],
    [
      "writer.bytes[at + byte] = (writer.bytes[at + byte] as number) | (1 << (bit & 7));",
      "writer.bytes[at + byte] = (writer.bytes[at + byte] as number) | (0x80 >> (bit & 7));",
      "R7016-2.3.13-04",
    ],
    ["packet.writer.vlu(received);", "packet.writer.vlu(received + 1);", "R7016-2.3.14-01", "R7016-2.3.14-02"],
    [
      "const holes = seen.first(i) - cursor - 2;",
      "const holes = seen.first(i) - seen.contiguous - 2;",
      "R7016-2.3.14-02",
    ],
    ["writer.vlu(code);", "writer.u8(code);", "R7016-2.3.16-01"],
    ["writer.u16(exception - CHUNK_HEADER_BYTES);", "writer.u16(exception);", "R7016-2.3.16-01"],
  ),
  ...faultsOf(
    `${PROTO}/recv-flow.ts`,
    ["const missing = seen.addUpTo(fsn);", "const missing = 0;", "R7016-2.3.13-05", "R7016-2.3.14-04"],
    [
      "const blocks = Math.ceil(this.#freeBytes / WINDOW_BLOCK_BYTES);",
      "const blocks = Math.ceil(this.#freeBytes / 1_000);",
      "R7016-2.3.13-02",
    ],
  ),
  ...faultsOf(
    `${PROTO}/send-side.ts`,
    [
      "flow.onAckStart(chunk.bufferBlocks * WINDOW_BLOCK_BYTES, chunk.cumulativeAck, now);",
      "flow.onAckStart(chunk.bufferBlocks * 1_000, chunk.cumulativeAck, now);",
      "R7016-2.3.13-02",
    ],
    ["flow.acknowledge(0, chunk.cumulativeAck);", "flow.acknowledge(0, chunk.cumulativeAck - 1);", "R7016-2.3.13-03"],
    ["flow.acknowledge(0, chunk.cumulativeAck);", "flow.acknowledge(0, chunk.cumulativeAck + 1);", "R7016-2.3.13-03"],
  ),
  ...faultsOf(
    `${PROTO}/receive-side.ts`,
    [
      "const control = ((chunk.flags >> 4) & 3) as FragmentControl;",
      "const control = ((chunk.flags >> 5) & 3) as FragmentControl;",
      "R7016-2.3.11-01",
      "R7016-2.3.12-04",
    ],
    [
      "const final = (chunk.flags & UserDataFlag.final) !== 0;",
      "const final = type === ChunkType.userData && (chunk.flags & UserDataFlag.final) !== 0;",
      "R7016-2.3.12-04",
    ],
    [
      "const abandoned = (chunk.flags & UserDataFlag.abandon) !== 0;",
      "const abandoned = type === ChunkType.userData && (chunk.flags & UserDataFlag.abandon) !== 0;",
      "R7016-2.3.12-04",
    ],
    ["const abandoned = (chunk.flags & UserDataFlag.abandon) !== 0;", "const abandoned = false;", "R7016-2.3.11-07"],
    [
      'if (chunk.options !== undefined && flow.state === "RF_OPEN" && hasUnknownOption(chunk.options)) flow.breakOff();',
      'if (chunk.options !== undefined && type === ChunkType.userData && flow.state === "RF_OPEN" && hasUnknownOption(chunk.options)) flow.breakOff();',
      "R7016-2.3.12-04",
    ],
    [
      "this.#currentFsn = chunk.sequenceNumber - chunk.fsnOffset;",
      "this.#currentFsn = chunk.fsnOffset;",
      "R7016-2.3.11-03",
    ],
    ["} else this.#currentSn++;", "} else if (++this.#currentSn > 0) this.#currentFsn++;", "R7016-2.3.12-03"],
    ["} else this.#currentSn++;", "} else this.#currentSn += 0;", "R7016-2.3.12-03"],
    ["} else if (option.type < FIRST_IGNORABLE_OPTION) acceptable = false;", "}", "R7016-2.3.11.1-02"],
    [
      "} else if (option.type < FIRST_IGNORABLE_OPTION) acceptable = false;",
      "} else acceptable = false;",
      "R7016-2.3.11.1-03",
    ],
    ["option.type < FIRST_IGNORABLE_OPTION &&", "option.type <= FIRST_IGNORABLE_OPTION &&", "R7016-2.3.11.1-03"],
    [
      "export const UserDataOption = { metadata: 0x00, association: 0x0a } as const;",
      "export const UserDataOption = { metadata: 0x00, association: 0x0b } as const;",
      "R7016-2.3.11.1-01",
      "R7016-2.3.11.1.2-01",
    ],
    [
      "export const UserDataOption = { metadata: 0x00, association: 0x0a } as const;",
      "export const UserDataOption = { metadata: 0x01, association: 0x0a } as const;",
      "R7016-2.3.11.1-01",
      "R7016-2.3.11.1.1-01",
    ],
    [
      "if (metadata === undefined || !acceptable) flow.reject(0);",
      "if (!acceptable) flow.reject(0);",
      "R7016-2.3.11.1.1-02",
    ],
    [
      "if (metadata === undefined || !acceptable) flow.reject(0);",
      "if (metadata === undefined || !acceptable) flow.reject(1);",
      "R7016-2.3.16-03",
    ],
    [
      "acceptable &&= !reader.failed && association !== undefined && ++associations === 1;",
      "acceptable &&= !reader.failed && ++associations === 1;",
      "R7016-2.3.11.1.2-07",
    ],
  ),
  ...faultsOf(
    `${PROTO}/session.ts`,
    ['return flow?.state === "F_OPEN" ? flow : undefined;', "return flow;", "R7016-2.3.11.1.2-07"],
    [
      "if (answers !== undefined) startup.push({ type: UserDataOption.association, value: encodeVlu(answers.id) });",
      "if (answers !== undefined) startup.push({ type: UserDataOption.association, value: Uint8Array.of(answers.id) });",
      "R7016-2.3.11.1.2-01",
    ],
    [
      "if (answers !== undefined) startup.push({ type: UserDataOption.association, value: encodeVlu(answers.id) });",
      "",
      "R7016-2.3.11.1.2-06",
      "R7016-2.3.11.1.2-01",
    ],
    [
      "if (answers !== undefined) startup.push({ type: UserDataOption.association, value: encodeVlu(answers.id) });",
      "for (let n = 0; answers !== undefined && n < 2; n++) startup.push({ type: UserDataOption.association, value: encodeVlu(answers.id) });",
      "R7016-2.3.11.1.2-05",
    ],
    [
      "const startup: Option[] = [{ type: UserDataOption.metadata, value: metadata }];",
      "const startup: Option[] = metadata.length === 0 ? [] : [{ type: UserDataOption.metadata, value: metadata }];",
      "R7016-2.3.11.1.1-02",
    ],
  ),
];
