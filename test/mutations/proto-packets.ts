/** Faults in packets: integers, options, addresses, headers, and whose they are (RFC 7016 §2.1, §2.2, §3.3). */
import { type Fault, faultsOf } from "./fault.ts";

const PROTO = "packages/rtmfp-core/src/proto";
const FLASH = "packages/rtmfp-core/src/crypto/flash";

/** What is read or written otherwise, and what is taken that is not for the session. */
export const PACKET_FAULTS: readonly Fault[] = [
  ...faultsOf(
    `${PROTO}/bytes.ts`,
    ["value = value * 128 + (byte & 0x7f);", "value = value * 127 + (byte & 0x7f);", "R7016-2-01"],
    [
      "return this.u8() * 0x100 + this.u8();",
      "return this.u8() + this.u8() * 0x100;",
      "R7016-2.1.1-01",
      "R7016-2.2.4-03",
    ],
    ["return this.u16() * 0x1_0000 + this.u16();", "return this.u16() + this.u16() * 0x1_0000;", "R7016-2.1.1-01"],
    ["this.u8(value >>> 8);", "this.u8(value >>> 9);", "R7016-2.1.1-01"],
    ["this.u16(value >>> 16);", "this.u16(value);", "R7016-2.1.1-01"],
    [
      "if (this.bytes[this.pos] === 0x80) this.canonical = false;",
      "if (this.bytes[this.pos] === 0x80) return this.fail();",
      "R7016-2.1.2-03",
    ],
    [
      "this.bytes[this.pos + i] = (rest % 128) | (i === size - 1 ? 0 : 0x80);",
      "this.bytes[this.pos + i] = (rest % 128) | 0x80;",
      "R7016-2.1.2-01",
    ],
    ["if (byte < 0x80) return value;", "if (byte <= 0x80) return value;", "R7016-2.1.2-01"],
  ),
  ...faultsOf(
    `${PROTO}/option.ts`,
    ["writer.vlu(option.type);", "writer.vlu(option.type); writer.u8(0);", "R7016-2-02"],
    ["if (length !== 0) reader.fail();", "", "R7016-2-06"],
    ["writer.vlu(vluSize(option.type) + option.value.length);", "writer.vlu(option.value.length);", "R7016-2.1.3-01"],
    ["const end = reader.pos + length;", "const end = reader.pos + length + 1;", "R7016-2.1.3-01"],
    ["if (length === 0 || length > reader.remaining) {", "if (length > reader.remaining) {", "R7016-2.1.3-02"],
    ["const length = reader.vlu();", "const length = reader.remaining === 0 ? 0 : reader.vlu();", "R7016-2.1.4-01"],
    ["writer.u8(0);", "", "R7016-2.1.4-01"],
  ),
  ...faultsOf(
    `${PROTO}/address.ts`,
    [
      "const bytes = reader.take(flags & 0x80 ? 16 : 4);",
      "const bytes = reader.take(flags & 0x40 ? 16 : 4);",
      "R7016-2.1.5-01",
    ],
    [
      "writer.u8((ipv6 ? 0x80 : 0) | address.origin);",
      "writer.u8((ipv6 ? 0x40 : 0) | address.origin);",
      "R7016-2.1.5-01",
    ],
    [
      "writer.u8((ipv6 ? 0x80 : 0) | address.origin);",
      "writer.u8((ipv6 ? 0x80 : 0) | (address.origin << 5));",
      "R7016-2.1.5-01",
    ],
    ["writer.u16(address.port);", "writer.u8(0); writer.u16(address.port);", "R7016-2.1.5-01"],
    [
      'return { host: reader.failed ? "0.0.0.0" : formatHost(bytes), port, origin: (flags & 3) as Origin };',
      'return { host: reader.failed || flags > 131 ? "0.0.0.0" : formatHost(bytes), port, origin: (flags & 7) as Origin };',
      "R7016-2-04",
    ],
  ),
  ...faultsOf(
    `${PROTO}/packet.ts`,
    [
      "return word(datagram, 0) ^ word(datagram, 4) ^ word(datagram, 8);",
      "return word(datagram, 0) ^ word(datagram, 4);",
      "R7016-2.2.2-02",
    ],
    [
      "const scrambled = sessionId ^ word(sealed, 4) ^ word(sealed, 8);",
      "const scrambled = sessionId ^ word(sealed, 8);",
      "R7016-2.2.2-02",
    ],
    ["datagram[3] = scrambled;", "datagram[3] = sessionId;", "R7016-2.2.2-02"],
    ["export const SESSION_ID_BYTES = 4;", "export const SESSION_ID_BYTES = 5;", "R7016-2.2.2-01"],
    [
      "timestampEcho: flags & HeaderFlag.timestampEcho ? reader.u16() : undefined,",
      "timestampEcho: flags & HeaderFlag.timestamp ? reader.u16() : undefined,",
      "R7016-2-01",
      "R7016-2.2.4-03",
      "R7016-2.2.4-01",
    ],
    [
      "if (header.timestamp !== undefined) writer.u16(header.timestamp);",
      "if (header.timestamp !== undefined) writer.u32(header.timestamp);",
      "R7016-2-02",
      "R7016-2.2.4-03",
    ],
    ["timeCriticalReverse: 0x40,", "timeCriticalReverse: 0x20,", "R7016-2.2.4-02"],
    ["timestampEcho: 0x04,", "timestampEcho: 0x10,", "R7016-2.2.4-02"],
    [
      "export const Mode = { initiator: 1, responder: 2, startup: 3 } as const;",
      "export const Mode = { initiator: 2, responder: 1, startup: 3 } as const;",
      "R7016-2.2.4-04",
    ],
    [
      "mode: Mode.startup,",
      "mode: Mode.initiator,",
      "R7016-2.2.4-04",
      "R7016-2.3.2-02",
      "R7016-2.3.4-03",
      "R7016-2.3.5-04",
      "R7016-2.3.6-03",
      "R7016-2.3.7-04",
      "R7016-2.3.8-03",
      "R7016-3.4-08",
    ],
    [
      "timestamp: flags & HeaderFlag.timestamp ? reader.u16() : undefined,",
      "timestamp: flags & 0x28 ? reader.u16() : undefined,",
      "R7016-2-04",
    ],
  ),
  ...faultsOf(
    `${PROTO}/session-transmit.ts`,
    [
      "const start = SESSION_ID_BYTES + cipher.headroom;",
      "const start = SESSION_ID_BYTES + cipher.headroom + 1;",
      "R7016-2.2.2-01",
    ],
    [
      "scrambleSessionId(buffer, end, session.farId);",
      "scrambleSessionId(buffer, end, session.nearId);",
      "R7016-2.2.2-04",
    ],
    ["(echo === undefined ? 0 : HeaderFlag.timestampEcho),", "0,", "R7016-2.2.4-03"],
    [
      "if (timestamp !== undefined) packet.writer.u16(timestamp);",
      "packet.writer.u16(timestamp ?? 0);",
      "R7016-2.2.4-01",
      "R7016-2.2.4-03",
    ],
    [
      "if (echo !== undefined) packet.writer.u16(echo);",
      "if (echo !== undefined) packet.writer.u16(echo >>> 8);",
      "R7016-2.2.4-03",
    ],
    [
      '(session.role === "initiator" ? Mode.initiator : Mode.responder) |',
      "Mode.responder |",
      "R7016-2.2.4-14",
      "R7016-2.2.4-04",
    ],
    [
      '(session.role === "initiator" ? Mode.initiator : Mode.responder) |',
      "Mode.initiator |",
      "R7016-2.2.4-16",
      "R7016-2.2.4-04",
    ],
    ["flags |= HeaderFlag.timeCritical;", "flags |= HeaderFlag.timeCriticalReverse;", "R7016-2.2.4-19"],
    [
      "if (host.timeCritical.receivedElsewhere(session, now)) flags |= HeaderFlag.timeCriticalReverse;",
      "",
      "R7016-2.2.4-19",
    ],
    ["if (packet.timeCritical) {", "if (packet.hasData) {", "R7016-2.2.4-19"],
    [
      "packet.begin(buffer, start, start + cipher.packetCapacity(datagramBytes));",
      "packet.begin(buffer, start, start + cipher.packetCapacity(datagramBytes)); packet.writer.u8(0);",
      "R7016-2.2.4-01",
    ],
  ),
  ...faultsOf(
    `${PROTO}/rtt.ts`,
    ["return Math.floor(now / TICK_MS) & 0xffff;", "return Math.floor(now / TICK_MS) & 0x7fff;", "R7016-2.2.4-05"],
    [
      "const echo = (this.tsRx + Math.floor((now - this.tsRxTime) / TICK_MS)) & 0xffff;",
      "const echo = this.tsRx;",
      "R7016-2.2.4-07",
      "R7016-3.5.2.2-08",
    ],
    [
      "const echo = (this.tsRx + Math.floor((now - this.tsRxTime) / TICK_MS)) & 0xffff;",
      "const echo = (this.tsRx + Math.ceil((now - this.tsRxTime) / TICK_MS)) & 0xffff;",
      "R7016-3.5.2.2-08",
    ],
    [
      "const echo = (this.tsRx + Math.floor((now - this.tsRxTime) / TICK_MS)) & 0xffff;",
      "const echo = Math.min(this.tsRx + Math.floor((now - this.tsRxTime) / TICK_MS), 0xffff);",
      "R7016-3.5.2.2-08",
    ],
    ["if (timestamp === this.tsRx) return false;", "", "R7016-3.5.2.2-06"],
    ["this.tsRxTime = now;", "if (this.tsRxTime < 0) this.tsRxTime = now;", "R7016-3.5.2.2-06"],
    ["tsEchoTx = -1;", "tsEchoTx = 0;", "R7016-3.5.2.2-05"],
    ["if (this.tsRx < 0) return undefined;", "if (this.tsRx < 0) return 0;", "R7016-3.5.2.2-05"],
    [
      "this.mrto = this.srtt + 4 * this.rttvar + DELAYED_ACK_ALLOWANCE_MS;",
      "this.mrto = Math.min(this.srtt, ERTO_MIN_MS);",
      "R7016-3.5.2.2-03",
    ],
    ["this.erto = Math.max(this.mrto, ERTO_MIN_MS);", "this.erto = ERTO_MIN_MS;", "R7016-3.5.2.2-03"],
  ),
  ...faultsOf(
    `${PROTO}/chunk/codec.ts`,
    ["writer.u16(0);", "writer.u16(0); writer.u8(0);", "R7016-2-02", "R7016-2.3-01"],
    [
      "if (at + CHUNK_HEADER_BYTES + length > this.bytes.length) return false;",
      "if (at + CHUNK_HEADER_BYTES + length >= this.bytes.length) return false;",
      "R7016-2.2.4-08",
    ],
    ["if (at + CHUNK_HEADER_BYTES + length > this.bytes.length) return false;", "", "R7016-2.2.4-08"],
    [
      "if (this.bytes.length - at < CHUNK_HEADER_BYTES) return false;",
      "if (this.bytes.length - at <= CHUNK_HEADER_BYTES) return false;",
      "R7016-2.2.4-08",
    ],
    [
      "if (this.bytes.length - at < CHUNK_HEADER_BYTES) return false;",
      "if (this.bytes.length - at < CHUNK_HEADER_BYTES) return (this.end = this.bytes.length) > at;",
      "R7016-2.2.4-09",
    ],
  ),
  ...faultsOf(
    `${PROTO}/session.ts`,
    [
      'if (reader.failed || header.mode !== (this.role === "initiator" ? Mode.responder : Mode.initiator)) return false;',
      'if (reader.failed || (header.mode !== 0 && header.mode !== (this.role === "initiator" ? Mode.responder : Mode.initiator))) return false;',
      "R7016-2.2.4-13",
    ],
    [
      'if (reader.failed || header.mode !== (this.role === "initiator" ? Mode.responder : Mode.initiator)) return false;',
      'if (reader.failed || (header.mode !== 3 && header.mode !== (this.role === "initiator" ? Mode.responder : Mode.initiator))) return false;',
      "R7016-2.2.4-18",
      "R7016-2.3-05",
      "R7016-2.3.3-02",
      "R7016-2.3.13-07",
    ],
  ),
  ...faultsOf(
    `${PROTO}/startup/receiver.ts`,
    [
      "if (reader.failed || header.mode !== Mode.startup) {",
      "if (reader.failed || (header.mode !== Mode.startup && header.mode !== 0)) {",
      "R7016-2.2.4-13",
    ],
    [
      "if (reader.failed || header.mode !== Mode.startup) {",
      "if (reader.failed || (header.mode !== Mode.startup && header.mode !== 1)) {",
      "R7016-2.2.4-18",
      "R7016-2.3-05",
      "R7016-2.3.2-02",
    ],
    [
      "} else if (session === undefined) this.#onUnbound(chunk, now, from, via);",
      "} else if (session === undefined || chunk.type !== ChunkType.riKeying) this.#onUnbound(chunk, now, from, via);",
      "R7016-2.3.2-02",
      "R7016-2.3.4-03",
      "R7016-2.3.5-04",
      "R7016-2.3.7-04",
    ],
  ),
  ...faultsOf(
    `${PROTO}/endpoint.ts`,
    ["if (id !== 0 && session === undefined) {", "if (false) {", "R7016-2.2.2-05", "R7016-2.2.2-06", "R7016-3.3-04"],
    [
      "const session = id === 0 ? undefined : this.sessions.get(id);",
      "const session = this.sessions.atAddress(datagram.from) ?? this.sessions.get(id);",
      "R7016-2.2.2-05",
      "R7016-2.2.2-06",
      "R7016-3.3-02",
      "R7016-3.3-04",
    ],
    [
      "const session = id === 0 ? undefined : this.sessions.get(id);",
      "const session = id === 0 ? this.sessions.atAddress(datagram.from) : this.sessions.get(id);",
      "R7016-3.3-04",
      "R7016-2.2.2-05",
    ],
    [
      "const packet = cipher.open(bytes.subarray(SESSION_ID_BYTES));",
      "const packet = cipher.open(bytes.subarray(SESSION_ID_BYTES)) ?? this.profile.startupCipher.open(bytes.subarray(SESSION_ID_BYTES));",
      "R7016-2.2.3-05",
      "R7016-2.2.2-06",
    ],
    [
      "const packet = cipher.open(bytes.subarray(SESSION_ID_BYTES));",
      "const packet = cipher.open(bytes.subarray(SESSION_ID_BYTES)) ?? [...this.sessions.all].map((other) => other.keys?.cipher.open(bytes.subarray(SESSION_ID_BYTES))).find((found) => found !== undefined);",
      "R7016-2.2.3-05",
      "R7016-2.2.2-05",
      "R7016-3.3-04",
    ],
    [
      "if (packet === undefined) this.#refused(cipher.failure);",
      "if (packet === undefined) this.#opened(now, datagram, id, session, bytes.subarray(SESSION_ID_BYTES));",
      "R7016-2.2.3-04",
    ],
    [
      'else if (typeof packet === "string") this.#refused(packet);',
      'else if (typeof packet === "string") this.#opened(now, datagram, id, session, datagram.bytes.subarray(SESSION_ID_BYTES));',
      "R7016-2.2.3-04",
    ],
  ),
  ...faultsOf(
    `${PROTO}/startup/responder.ts`,
    [
      "sender.send(reply, from, via, initiatorId, now);",
      "sender.send(reply, from, via, 0, now);",
      "R7016-2.2.3-06",
      "R7016-2.3.8-03",
    ],
    ["initiatorId,", "0,", "R7016-2.2.3-06", "R7016-2.3.6-03"],
  ),
  ...faultsOf(
    `${PROTO}/session-table.ts`,
    [
      "if (id !== 0 && !this.#byId.has(id | 0)) return id | 0;",
      "if (!this.#byId.has(id | 0)) return id | 0;",
      "R7016-3.3-03",
    ],
    ["if (id !== 0 && !this.#byId.has(id | 0)) return id | 0;", "if (id !== 0) return id | 0;", "R7016-3.5.1.1.1-13"],
    [
      "if (id !== 0 && !this.#byId.has(id | 0)) return id | 0;",
      "if (id !== 0 && !this.#byId.has(id | 0)) return id & 1;",
      "R7016-3.3-02",
    ],
  ),
  ...faultsOf(
    `${FLASH}/packet-cipher.ts`,
    ['if (checksum16(opened, start, length) !== expected) return this.refuse("verify");', "", "R7016-2.2.3-04"],
    [
      "if (equalRange(digest, 0, sealed, length, this.recvHmacLength)) return length;",
      "return length;",
      "R7016-2.2.3-04",
    ],
  ),
  ...faultsOf(`${FLASH}/replay-window.ts`, [
    "if (ahead <= -REPLAY_WINDOW) return false;",
    "if (ahead < 0) return false;",
    "R7016-2.2.3-02",
  ]),
  ...faultsOf(`${PROTO}/receive-side.ts`, [
    "const control = ((chunk.flags >> 4) & 3) as FragmentControl;",
    "const control = ((chunk.flags >> 4) & 7) as FragmentControl;",
    "R7016-2-04",
  ]),
  ...faultsOf(`${PROTO}/chunk/startup.ts`, [
    "const more = (flags & 0x80) !== 0;",
    "const more = flags !== 0;",
    "R7016-2-04",
  ]),
];
