/** Faults in chunks of startup and of sessions, as they are read, written and taken (RFC 7016 §2.3, §3.4). */
import { type Fault, faultsOf } from "./fault.ts";

const PROTO = "packages/rtmfp-core/src/proto";

/** Fields in another place or of another size, values that mean something else, checks left out. */
export const CHUNK_FAULTS: readonly Fault[] = [
  ...faultsOf(
    `${PROTO}/chunk/codec.ts`,
    ["writer.bytes[at + 1] = length >>> 8;", "writer.bytes[at + 1] = length >>> 9;", "R7016-2.3-01"],
    ["const length = writer.pos - at - CHUNK_HEADER_BYTES;", "const length = writer.pos - at;", "R7016-2.3-01"],
    ["this.start = at + CHUNK_HEADER_BYTES;", "this.start = at + CHUNK_HEADER_BYTES + 1;", "R7016-2.3-01"],
    [
      "const chunk = readChunk(this.type, reader);",
      "const chunk = readChunk(this.type, reader); if (reader.failed) this.end = this.bytes.length;",
      "R7016-2.3-06",
      "R7016-2-06",
    ],
    [
      "writer.put((chunk as PingChunk).message);",
      "writer.put((chunk as PingChunk).message.subarray(1));",
      "R7016-2.3.9-01",
    ],
    ["return { type, flowId: reader.vlu() };", "return { type, flowId: reader.u8() * 2 };", "R7016-2.3.15-01"],
    [
      "return { type, flowId: reader.vlu(), code: reader.vlu() };",
      "return { type, code: reader.vlu(), flowId: reader.vlu() };",
      "R7016-2.3.16-01",
    ],
    ["return { type, payload: reader.rest() };", "return { type, payload: reader.take(1) };", "R7016-2.3-04"],
    ["return { type, payload: reader.rest() };", "return { type, payload: reader.take(1) };", "R7016-2.3-04"],
  ),
  ...faultsOf(
    `${PROTO}/chunk/types.ts`,
    ["ackRanges: 0x51,", "ackRanges: 0x52,", "R7016-2.3-02"],
    ["cookieChange: 0x79,", "cookieChange: 0x7a,", "R7016-2.3-02"],
    ["padding0: 0x00,", "padding0: 0x02,", "R7016-2.3-02"],
    ["padding255: 0xff,", "padding255: 0xfe,", "R7016-2.3-02"],
    ["options: 0x80,", "options: 0x40,", "R7016-2.3.11-01"],
    ["abandon: 0x02,", "abandon: 0x04,", "R7016-2.3.11-01"],
    ["final: 0x01,", "final: 0x04,", "R7016-2.3.11-01", "R7016-2.3.11-08"],
    [
      "export const FragmentControl = { whole: 0, begin: 1, end: 2, middle: 3 } as const;",
      "export const FragmentControl = { whole: 0, begin: 1, end: 3, middle: 2 } as const;",
      "R7016-2.3.11-04",
    ],
  ),
  ...faultsOf(
    `${PROTO}/chunk/startup.ts`,
    ["const more = (flags & 0x80) !== 0;", "const more = (flags & 0x40) !== 0;", "R7016-2.3.1-01"],
    [
      "return { type, more, packetId: reader.vlu(), index: reader.vlu(), data: reader.rest() };",
      "return { type, more, index: reader.vlu(), packetId: reader.vlu(), data: reader.rest() };",
      "R7016-2.3.1-01",
    ],
    ["writer.u8(chunk.more ? 0x80 : 0);", "writer.u8(chunk.more ? 0x01 : 0);", "R7016-2.3.1-01"],
    [
      "return { type, epd: readSized(reader), tag: reader.rest() };",
      "return { type, tag: readSized(reader), epd: reader.rest() };",
      "R7016-2.3.2-01",
    ],
    [
      "return { type, epd: readSized(reader), replyAddress: readAddress(reader), tag: reader.rest() };",
      "return { type, replyAddress: readAddress(reader), epd: readSized(reader), tag: reader.rest() };",
      "R7016-2.3.3-01",
    ],
    [
      "writeAddress(writer, chunk.replyAddress);",
      "writeAddress(writer, { ...chunk.replyAddress, origin: 0 });",
      "R7016-2.3.3-01",
    ],
    [
      "return { type, tagEcho: readSized(reader), cookie: readSized(reader), certificate: reader.rest() };",
      "return { type, tagEcho: readSized(reader), certificate: readSized(reader), cookie: reader.rest() };",
      "R7016-2.3.4-01",
    ],
    ["writeSized(writer, chunk.cookie);", "writer.put(chunk.cookie);", "R7016-2.3.4-01"],
    [
      "while (reader.remaining > 0) destinations.push(readAddress(reader));",
      "if (reader.remaining > 0) destinations.push(readAddress(reader));",
      "R7016-2.3.5-01",
    ],
    [
      "for (const destination of chunk.destinations) writeAddress(writer, destination);",
      "for (const destination of chunk.destinations.slice(0, 1)) writeAddress(writer, destination);",
      "R7016-2.3.5-01",
    ],
    [
      "return { type, oldCookie: readSized(reader), newCookie: reader.rest() };",
      "return { type, newCookie: readSized(reader), oldCookie: reader.rest() };",
      "R7016-2.3.6-01",
    ],
    ["writeSized(writer, chunk.oldCookie);", "writer.put(chunk.oldCookie);", "R7016-2.3.6-01"],
    [
      "const initiatorSessionId = reader.u32();",
      "const initiatorSessionId = reader.u16() * 0x1_0000 + (reader.u16() & 0xff);",
      "R7016-2.3.7-01",
    ],
    ["writeSized(writer, chunk.skic);", "writer.put(chunk.skic);", "R7016-2.3.7-01"],
    ["writeSized(writer, chunk.cookieEcho);", "writer.put(chunk.cookieEcho);", "R7016-2.3.7-01"],
    ["const responderSessionId = reader.u32();", "const responderSessionId = reader.u16();", "R7016-2.3.8-01"],
    ["writeSized(writer, chunk.skrc);", "writer.put(chunk.skrc);", "R7016-2.3.8-01"],
  ),
  ...faultsOf(
    `${PROTO}/chunk/flow.ts`,
    ["sequenceNumber = reader.vlu();", "sequenceNumber = reader.u8();", "R7016-2-01", "R7016-2.3.11-02"],
    ["fsnOffset = reader.vlu();", "fsnOffset = reader.u8();", "R7016-2.3.11-02", "R7016-2-01"],
    [
      "if (sequenceNumber === 0 || fsnOffset > sequenceNumber || (fsnOffset === 0 && !abandoned)) reader.fail();",
      "if (sequenceNumber === 0 || fsnOffset > sequenceNumber || fsnOffset === 0) reader.fail();",
      "R7016-2.3.11-12",
    ],
    [
      "if (sequenceNumber === 0 || fsnOffset > sequenceNumber || (fsnOffset === 0 && !abandoned)) reader.fail();",
      "if (sequenceNumber === 0 || fsnOffset > sequenceNumber) reader.fail();",
      "R7016-2.3.11-12",
    ],
    ["bufferBlocks: reader.vlu(),", "bufferBlocks: reader.u8(),", "R7016-2.3.13-01", "R7016-2.3.14-01"],
    ["cumulativeAck: reader.vlu(),", "cumulativeAck: reader.u8(),", "R7016-2.3.13-01", "R7016-2.3.14-01"],
    [
      "if (reader.failed || last > Number.MAX_SAFE_INTEGER) return;",
      "if (last > Number.MAX_SAFE_INTEGER) return;",
      "R7016-2.3.14-03",
    ],
    ["const first = cursor + 2 + reader.vlu();", "const first = cursor + 1 + reader.vlu();", "R7016-2.3.14-02"],
  ),
  ...faultsOf(
    `${PROTO}/session.ts`,
    ["default:", "default: walker.end = walker.bytes.length;", "R7016-2.3-03", "R7016-2.3-04"],
    ["default:", "default: this.abort();", "R7016-2.3-03", "R7016-2.3-04"],
    [
      "if (reader.failed) this.#host.stats.malformed++;",
      "if (reader.failed) walker.end = walker.bytes.length;",
      "R7016-2.3-06",
    ],
    [
      "if (reader.failed) this.#host.stats.malformed++;",
      "if (false) this.#host.stats.malformed++;",
      "R7016-2-06",
      "R7016-2.3-06",
    ],
    [
      "if (!reader.failed) this.sends.onException(flowId, code);",
      "this.sends.onException(flowId, code);",
      "R7016-2-06",
    ],
    ["if (!reader.failed) this.receives.onBufferProbe(flowId);", "this.receives.onBufferProbe(flowId);", "R7016-2-06"],
    ["this.#onPing(reader.rest(), now);", "this.#onPing(reader.take(1), now);", "R7016-2.3.9-01"],
    [
      "this.#queueControl({ type: ChunkType.ping, message });",
      "this.#queueControl({ type: ChunkType.ping, message: message.subarray(0, 8) });",
      "R7016-2.3.9-01",
    ],
    [
      "if (this.#pingReplies.take(now)) this.#queueControl({ type: ChunkType.pingReply, message: message.slice() });",
      "if (this.#pingReplies.take(now)) this.#queueControl({ type: ChunkType.pingReply, message: message.slice(0, 64) });",
      "R7016-2.3.10-01",
    ],
    ["const code = reader.vlu();", "const code = reader.u8();", "R7016-2.3.16-01"],
    [
      "replyAddress: { ...replyAddress, origin: Origin.observed },",
      "replyAddress: { ...replyAddress, port: 1, origin: Origin.observed },",
      "R7016-2.3.3-01",
    ],
    [
      "this.#queueControl({ type: ChunkType.closeRequest });",
      "this.#queueControl({ type: ChunkType.closeRequest, verbatim: new Uint8Array(1) });",
      "R7016-2.3.17-01",
    ],
    [
      "this.#queueControl({ type: ChunkType.closeAck });",
      "this.#queueControl({ type: ChunkType.closeAck, verbatim: new Uint8Array(1) });",
      "R7016-2.3.18-01",
    ],
    [
      "this.control.push({ type: ChunkType.closeAck });",
      "this.control.push({ type: ChunkType.closeRequest });",
      "R7016-3.5.5-05",
    ],
  ),
  ...faultsOf(
    `${PROTO}/introductions.ts`,
    [
      "session.sendForwardedHello(pending.epd, pending.from, pending.tag);",
      "session.sendForwardedHello(pending.epd, pending.from, pending.epd);",
      "R7016-2.3.3-01",
      "R7016-3.5.1.5-03",
    ],
    [
      "session.sendForwardedHello(pending.epd, pending.from, pending.tag);",
      "session.sendForwardedHello(pending.tag, pending.from, pending.tag);",
      "R7016-2.3.3-01",
      "R7016-3.5.1.5-03",
    ],
    [
      "{ type: ChunkType.redirect, tagEcho: pending.tag, destinations },",
      "{ type: ChunkType.redirect, tagEcho: pending.tag.subarray(1), destinations },",
      "R7016-2.3.5-04",
    ],
    ["0,", "1,", "R7016-2.3.5-04"],
  ),
  ...faultsOf(
    `${PROTO}/startup/receiver.ts`,
    [
      "if (!isStartupType(walker.type)) return;",
      "if (!isStartupType(walker.type)) { walker.end = walker.bytes.length; return; }",
      "R7016-2.3-04",
      "R7016-2.3-03",
    ],
    ["if (reader.failed) {", "if (reader.failed) { walker.end = walker.bytes.length;", "R7016-2.3-06"],
    ["if (reader.failed) {", "if (false) {", "R7016-2.3-06", "R7016-2-06"],
    ["const tagEcho = tag.slice();", "const tagEcho = tag.slice(0, 16);", "R7016-2.3.4-02"],
    [
      'if (introducer.introductions === "rhello") this.#responder.sendRHello(tag.slice(), to, via, now);',
      'if (introducer.introductions === "rhello") this.#responder.sendRHello(tag.slice(1), to, via, now);',
      "R7016-2.3.4-02",
    ],
    [
      "else this.#responder.sendImpliedRedirect(tag.slice(), to, via, now);",
      "else this.#responder.sendImpliedRedirect(tag.slice(1), to, via, now);",
      "R7016-2.3.5-04",
    ],
  ),
  ...faultsOf(
    `${PROTO}/startup/packet-fragments.ts`,
    ["const more = at + size < packet.length;", "const more = false;", "R7016-2.3.1-02"],
    ["const more = at + size < packet.length;", "const more = true;", "R7016-2.3.1-02"],
    [
      "fragments.push({ type: ChunkType.fragment, more, packetId, index: fragments.length, data });",
      "fragments.push({ type: ChunkType.fragment, more, packetId, index: fragments.length + 1, data });",
      "R7016-2.3.1-03",
    ],
    [
      "fragments.push({ type: ChunkType.fragment, more, packetId, index: fragments.length, data });",
      "fragments.push({ type: ChunkType.fragment, more, packetId, index: fragments.length * 2, data });",
      "R7016-2.3.1-03",
    ],
    [
      "fragments.push({ type: ChunkType.fragment, more, packetId, index: fragments.length, data });",
      "fragments.push({ type: ChunkType.fragment, more, packetId: packetId + fragments.length, index: fragments.length, data });",
      "R7016-2.3.1-04",
    ],
    [
      "for (let at = 0; at < packet.length; at += size) {",
      "for (let at = 0; at <= packet.length; at += size) {",
      "R7016-2.3.1-04",
    ],
    [
      "const part = buffer.parts.get(index) ?? EMPTY;",
      "const part = [...buffer.parts.values()][index] ?? EMPTY;",
      "R7016-3.4-04",
    ],
    [
      "if (buffer.finalIndex === undefined || buffer.parts.size !== buffer.finalIndex + 1) return undefined;",
      "if (buffer.finalIndex === undefined) return undefined;",
      "R7016-3.4-04",
    ],
    [
      "if (buffer.bytes > REASSEMBLY_MAX_BYTES || fragment.index >= MAX_PACKET_FRAGMENTS) {",
      "if (fragment.index >= MAX_PACKET_FRAGMENTS) {",
      "R7016-3.4-14",
    ],
    [
      "if (buffer.bytes > REASSEMBLY_MAX_BYTES || fragment.index >= MAX_PACKET_FRAGMENTS) {",
      "if (buffer.bytes >= REASSEMBLY_MAX_BYTES || fragment.index >= MAX_PACKET_FRAGMENTS) {",
      "R7016-3.4-14",
    ],
  ),
  ...faultsOf(
    `${PROTO}/startup/sender.ts`,
    ["this.#packetIds.set(key, packetId + 1);", "this.#packetIds.set(key, packetId);", "R7016-2.3.1-04"],
    [
      "encodePacket(writer, STARTUP_HEADER, [fragment]);",
      "encodePacket(writer, { ...STARTUP_HEADER, mode: 1 }, [fragment]);",
      "R7016-3.4-08",
    ],
  ),
  ...faultsOf(
    `${PROTO}/startup/initiator.ts`,
    ["if (chunk.destinations.length === 0) {", "if (false) {", "R7016-2.3.5-02"],
    [
      "this.addCandidate({ address: { host: from.host, port: from.port }, via }, now, REDIRECT_THRESHOLD);",
      "this.addCandidate({ address: (this.#attempts[0] as Attempt).address, via }, now, REDIRECT_THRESHOLD);",
      "R7016-2.3.5-02",
    ],
    ["this.#cookie = chunk.cookie.slice();", "this.#cookie = chunk.cookie.slice(1);", "R7016-2.3.7-03"],
    [
      "cookieEcho: this.#cookie as Uint8Array,",
      "cookieEcho: (this.#cookie as Uint8Array).slice().fill(0),",
      "R7016-2.3.7-03",
    ],
    [
      "!profile.verify(chunk.signature, concatBytes(chunk.signedParameters, keying.skic)) ||",
      "!profile.verify(chunk.signature, chunk.signedParameters) ||",
      "R7016-2.3.8-02",
    ],
    [
      "!profile.verify(chunk.signature, concatBytes(chunk.signedParameters, keying.skic)) ||",
      "",
      "R7016-2.3.8-05",
      "R7016-2.3.8-02",
    ],
    [
      "sender.send({ ...unsigned, signature }, this.session.address as Address, this.session.via, 0, now);",
      "sender.send({ ...unsigned, signature }, this.session.address as Address, this.session.via, 1, now);",
      "R7016-2.3.7-04",
    ],
    [
      "sender.send({ type: ChunkType.iHello, epd: this.epd, tag: this.tag }, attempt.address, attempt.via, 0, now);",
      "sender.send({ type: ChunkType.iHello, epd: this.epd, tag: this.tag }, attempt.address, attempt.via, 1, now);",
      "R7016-2.3.2-02",
    ],
  ),
  ...faultsOf(
    `${PROTO}/startup/responder.ts`,
    [
      "sender.send({ type: ChunkType.rHello, tagEcho: tag, cookie, certificate: profile.certificate }, to, via, 0, now);",
      "sender.send({ type: ChunkType.rHello, tagEcho: tag, cookie, certificate: profile.certificate }, to, via, 1, now);",
      "R7016-2.3.4-03",
    ],
    [
      "this.#host.sender.send({ type: ChunkType.redirect, tagEcho: tag, destinations: [] }, to, via, 0, now);",
      "this.#host.sender.send({ type: ChunkType.redirect, tagEcho: tag, destinations: [] }, to, via, 1, now);",
      "R7016-2.3.5-04",
    ],
    [
      "return this.#host.profile.sign(concatBytes(writer.bytes.subarray(0, writer.pos), skic));",
      "return this.#host.profile.sign(writer.bytes.slice(0, writer.pos));",
      "R7016-2.3.8-02",
    ],
    [
      "this.#host.sender.send(reply, from, via, initiatorSessionId, now);",
      "this.#host.sender.send(reply, from, via, 0, now);",
      "R7016-2.3.8-03",
    ],
  ),
  ...faultsOf(
    `${PROTO}/session-transmit.ts`,
    [
      'if (cipher === undefined || session.address === undefined || session.state === "S_OPEN_FAILED") return false;',
      'if (cipher === undefined || session.address === undefined || (session.role === "responder" && session.rtt.tsRx < 0)) return false;',
      "R7016-2.3.8-04",
    ],
    [
      'if (cipher === undefined || session.address === undefined || session.state === "S_OPEN_FAILED") return false;',
      'if (cipher === undefined || session.address === undefined || (session.role === "initiator" && session.rtt.tsRx < 0)) return false;',
      "R7016-2.3.8-05",
    ],
  ),
];
