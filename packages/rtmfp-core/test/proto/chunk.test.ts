import fc from "fast-check";
import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { buildBytes, EMPTY, fromHex, toHex } from "../../src/proto/bytes.ts";
import { CHUNK_HEADER_BYTES, decodePacket } from "../../src/proto/chunk/codec.ts";
import { userDataOverhead } from "../../src/proto/chunk/flow.ts";
import {
  type AckChunk,
  type Chunk,
  ChunkType,
  type CloseChunk,
  FragmentControl,
  type IIKeyingChunk,
  type PingChunk,
  type RIKeyingChunk,
  type UserDataChunk,
  UserDataFlag,
} from "../../src/proto/chunk/types.ts";
import { decode, encode, ranges, userData } from "./chunk-support.ts";

/** Decodes, and shows that the same bytes come back. */
function exact<T extends Chunk>(hex: string): T {
  const chunk = decode(fromHex(hex));
  expect(chunk).toBeDefined();
  expect(toHex(encode(chunk as Chunk))).toBe(hex.replaceAll(" ", ""));
  return chunk as T;
}

describe("chunks of startup", () => {
  it(...rfc("R7016-2.3.2-01", "V2-51"), "read an Initiator Hello", () => {
    const epd = "280a72746d66703a2f2f7365727665722e6578616d706c652e636f6d2f6170702f696e7374616e6365";
    const tag = "000102030405060708090a0b0c0d0e0f";
    const chunk = exact(`30 003a 29 ${epd} ${tag}`);
    expect(chunk).toEqual({ type: ChunkType.iHello, epd: fromHex(epd), tag: fromHex(tag) });
  });

  it(...rfc("R7016-2.3.1-01"), "read a Packet Fragment", () => {
    expect(exact("7f 0006 80 822c 00 aabb")).toEqual({
      type: ChunkType.fragment,
      more: true,
      packetId: 300,
      index: 0,
      data: fromHex("aabb"),
    });
    expect(exact("7f 0004 00 05 07 cc")).toMatchObject({ more: false, packetId: 5, index: 7 });
    expect(decode(fromHex("7f 0004 ff 05 07 cc"))).toMatchObject({ more: true, packetId: 5, index: 7 });
  });

  it(...rfc("R7016-2.3.3-01"), "read a Forwarded Initiator Hello", () => {
    expect(exact("0f 000c 02 0a0b 02c0000264c350 cc dd")).toEqual({
      type: ChunkType.forwardedIHello,
      epd: fromHex("0a0b"),
      replyAddress: { host: "192.0.2.100", port: 50000, origin: 2 },
      tag: fromHex("ccdd"),
    });
  });

  it(...rfc("R7016-2.3.4-01"), "read a Responder Hello with tags of any length", () => {
    for (const length of [0, 1, 16, 200]) {
      const tagEcho = new Uint8Array(length).fill(0x5a);
      const chunk = { type: ChunkType.rHello, tagEcho, cookie: fromHex("c00c1e"), certificate: fromHex("ce47") };
      const bytes = encode(chunk);
      const prefix = length < 128 ? Uint8Array.of(length) : Uint8Array.of(0x81, length - 128);
      expect(toHex(bytes.subarray(CHUNK_HEADER_BYTES))).toBe(`${toHex(prefix)}${toHex(tagEcho)}03c00c1ece47`);
      expect(decode(bytes)).toEqual(chunk);
    }
  });

  it(...rfc("R7016-2.3.5-01"), "read a Responder Redirect with no, one and mixed destinations", () => {
    const v4 = { host: "192.0.2.100", port: 50000, origin: 2 };
    const v6 = { host: "2001:db8:1::2", port: 50002, origin: 1 };
    const v6Hex = "8120010db8000100000000000000000002c352";
    const read = (hex: string): unknown => exact(hex);
    expect(read("71 0003 02 aabb")).toMatchObject({ tagEcho: fromHex("aabb"), destinations: [] });
    expect(read("71 0008 00 02c0000264c350")).toMatchObject({ tagEcho: EMPTY, destinations: [v4] });
    expect(read(`71 0022 00 02c0000264c350 ${v6Hex} 02c0000264c350`)).toMatchObject({ destinations: [v4, v6, v4] });
  });

  it(...rfc("R7016-2.3.6-01"), "read a Cookie Change between cookies of different lengths", () => {
    expect(exact("79 0006 02 aabb ccddee")).toEqual({
      type: ChunkType.cookieChange,
      oldCookie: fromHex("aabb"),
      newCookie: fromHex("ccddee"),
    });
  });

  it(...rfc("R7016-2.3.7-01", "R7016-2.3.7-02"), "read an Initiator Initial Keying and what it signs", () => {
    const signed = "f1020304 02 c0c1 03 ce47ff 01 5c";
    expect(exact<IIKeyingChunk>(`38 000f ${signed} 5169`)).toEqual({
      type: ChunkType.iiKeying,
      initiatorSessionId: 0xf1020304,
      cookieEcho: fromHex("c0c1"),
      certificate: fromHex("ce47ff"),
      skic: fromHex("5c"),
      signature: fromHex("5169"),
      signedParameters: fromHex(signed),
    });
  });

  it(...rfc("R7016-2.3.8-01"), "read a Responder Initial Keying and its part of what it signs", () => {
    const signed = "f1020304 03 5c5c5c";
    expect(exact<RIKeyingChunk>(`78 000a ${signed} 5169`)).toEqual({
      type: ChunkType.riKeying,
      responderSessionId: 0xf1020304,
      skrc: fromHex("5c5c5c"),
      signature: fromHex("5169"),
      signedParameters: fromHex(signed),
    });
  });
});

describe("chunks of sessions", () => {
  it(...rfc("R7016-2.3.9-01", "V2-36"), "read a Ping, empty or not, and its reply", () => {
    expect(exact<PingChunk>("01 0000")).toEqual({ type: ChunkType.ping, message: EMPTY });
    const message = new Uint8Array(64).fill(7);
    for (const type of [ChunkType.ping, ChunkType.pingReply]) {
      expect(exact(`${toHex(Uint8Array.of(type))} 0040 ${toHex(message)}`)).toEqual({ type, message });
    }
  });

  it(...rfc("R7016-2.3.17-01", "R7016-2.3.18-01", "V2-37"), "read a Close Request and its acknowledgement", () => {
    expect(exact<CloseChunk>("0c 0000")).toEqual({ type: ChunkType.closeRequest });
    expect(exact<CloseChunk>("4c 0000")).toEqual({ type: ChunkType.closeAck });
  });

  it(...rfc("AMB-04"), "ignore what follows fixed fields", () => {
    expect(exact("0c 0002 aabb")).toMatchObject({ type: ChunkType.closeRequest });
    expect(exact("18 0003 05 aabb")).toMatchObject({ type: ChunkType.bufferProbe, flowId: 5 });
    expect(exact("5e 0003 05 07 aa")).toMatchObject({ type: ChunkType.flowException, flowId: 5, code: 7 });
  });

  it("keep what their fields cannot tell, so that they are written as they were received", () => {
    expect(exact("7f 0004 c1 05 07 cc")).toMatchObject({ more: true, packetId: 5, index: 7, data: fromHex("cc") });
    expect(exact("0f 000a 00 7ec0000264c350 ccdd")).toMatchObject({ replyAddress: { host: "192.0.2.100", origin: 2 } });
    expect(exact("71 0008 00 42c0000264c350")).toMatchObject({ destinations: [{ port: 50000, origin: 2 }] });
    expect(exact("10 0007 00 8002 05 8003 00")).toMatchObject({ flowId: 2, sequenceNumber: 5, fsnOffset: 3 });
    expect(exact("10 000a 80 02 05 03 8002 0a05 00 ff")).toMatchObject({
      options: [{ type: 10, value: fromHex("05") }],
    });
    expect(exact("51 0005 8002 8040 01")).toMatchObject({ flowId: 2, bufferBlocks: 64, cumulativeAck: 1 });
    for (const hex of ["18 0001 05", "7f 0004 80 05 07 cc", "10 0005 00 02 05 03 00"]) {
      expect(exact(hex), hex).not.toHaveProperty("verbatim");
    }
  });
});

describe("chunks of flows", () => {
  it(...rfc("R7016-2.3.11-02", "R7016-2.3.11-03", "V1-01"), "read the User Data of Figure 3", () => {
    const chunk = exact<UserDataChunk>("10 0007 00 02 05 03 000102");
    expect(chunk).toEqual({
      type: ChunkType.userData,
      flags: 0,
      flowId: 2,
      sequenceNumber: 5,
      fsnOffset: 3,
      options: undefined,
      data: fromHex("000102"),
    });
    expect(chunk.sequenceNumber - chunk.fsnOffset).toBe(2);
  });

  it(...rfc("R7016-2.3.12-01", "V1-02", "V1-03"), "read the Next User Data of Figure 3", () => {
    const packet = fromHex("01 1000070002050300 0102 11000400030405 11000400060708");
    const chunks = decodePacket(packet)?.chunks as UserDataChunk[];
    expect(chunks.map(({ type, data }) => [type, toHex(data)])).toEqual([
      [ChunkType.userData, "000102"],
      [ChunkType.nextUserData, "030405"],
      [ChunkType.nextUserData, "060708"],
    ]);
    exact("11 0004 00 030405");
    exact("11 0004 00 060708");
    expect(exact<UserDataChunk>("11 0006 81 020a05 00 ff").options).toEqual([{ type: 10, value: fromHex("05") }]);
  });

  it(
    ...rfc("R7016-2.3.11-01", "R7016-2.3.11.1.1-01", "R7016-2.3.11.1.2-01", "V2-30", "V2-31"),
    "read the options in front of the data",
    () => {
      expect(exact("10 0011 80 02 01 01 050054430400 00 140000000002")).toMatchObject({
        flags: UserDataFlag.options,
        flowId: 2,
        sequenceNumber: 1,
        fsnOffset: 1,
        options: [{ type: 0, value: fromHex("54430400") }],
        data: fromHex("140000000002"),
      });
      expect(exact("10 0013 80 07 01 01 050054430405 020a05 00 0900000000")).toMatchObject({
        flowId: 7,
        options: [
          { type: 0, value: fromHex("54430405") },
          { type: 10, value: fromHex("05") },
        ],
        data: fromHex("0900000000"),
      });
    },
  );

  it(
    ...rfc("R7016-2.3.11-01", "R7016-2.3.11-08", "R7016-2.3.11-12", "V2-32", "V2-33"),
    "read an FSN update and a final one",
    () => {
      const update = exact<UserDataChunk>("10 0004 02 03 3c 00");
      expect(update).toMatchObject({ flags: UserDataFlag.abandon, flowId: 3, sequenceNumber: 60, fsnOffset: 0 });
      const final = exact<UserDataChunk>("10 0004 03 03 09 00");
      expect(final).toMatchObject({ flags: UserDataFlag.abandon | UserDataFlag.final, sequenceNumber: 9, data: EMPTY });
    },
  );

  it(...rfc("R7016-2.3.11-01", "R7016-2.3.11-04", "R7016-2-04"), "place the bits of the flags byte", () => {
    expect(FragmentControl).toEqual({ whole: 0, begin: 1, end: 2, middle: 3 });
    expect(UserDataFlag).toEqual({ options: 0x80, abandon: 0x02, final: 0x01, reserved: 0x4c });
    const middle = exact<UserDataChunk>("10 0005 7c 02 05 03 ff");
    expect((middle.flags >> 4) & 3).toBe(FragmentControl.middle);
    expect(middle.options).toBeUndefined();
  });

  it(
    ...rfc("R7016-2.3.11-12", "R7016-2.3.11-13"),
    "refuse a sequence number of zero, and an fsnOffset of zero or too large",
    () => {
      const malformed = [
        "10 0005 00 02 00 00 ff",
        "10 0004 02 02 00 00",
        "10 0005 00 02 05 00 ff",
        "10 0005 00 02 05 06 ff",
      ];
      for (const hex of malformed) expect(decode(fromHex(hex)), hex).toBeUndefined();
      expect(decode(fromHex("10 0005 00 02 05 05 ff"))).toBeDefined();
    },
  );

  it(...rfc("R7016-2.3.11-11"), "carry sequence numbers far beyond 32 bits", () => {
    for (const sequenceNumber of [2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 2 ** 53 - 1]) {
      const data = fromHex("aa");
      const chunk = {
        type: ChunkType.userData,
        flags: 0,
        flowId: 1,
        sequenceNumber,
        fsnOffset: 1,
        options: undefined,
        data,
      };
      expect(decode(encode(chunk))).toEqual(chunk);
    }
  });

  it("tell their overhead beforehand", () => {
    fc.assert(
      fc.property(userData, (chunk) => {
        const { type, flowId, sequenceNumber, fsnOffset, options } = chunk;
        const next = type === ChunkType.nextUserData;
        const overhead = userDataOverhead(next, flowId, sequenceNumber, fsnOffset, options);
        expect(encode(chunk)).toHaveLength(overhead + chunk.data.length);
      }),
    );
  });

  it(
    ...rfc("R7016-2.3.13-01", "R7016-2.3.13-02", "R7016-2.3.13-03", "R7016-2.3.13-04", "V1-04"),
    "read the Bitmap Ack of Figure 4",
    () => {
      const ack = exact<AckChunk>("50 0005 05 7f 10 79 06");
      expect(ack).toMatchObject({ type: ChunkType.ackBitmap, flowId: 5, bufferBlocks: 127, cumulativeAck: 16 });
      expect(ack.bufferBlocks * 1024).toBe(130_048);
      expect(ranges(ack)).toEqual([
        [18, 18],
        [21, 24],
        [27, 28],
      ]);
    },
  );

  it(...rfc("R7016-2.3.14-01", "R7016-2.3.14-02", "V1-05"), "read the Range Ack of Figure 5", () => {
    const ack = exact<AckChunk>("51 0007 05 7f 10 00 00 01 03");
    expect(ack).toMatchObject({ type: ChunkType.ackRanges, flowId: 5, bufferBlocks: 127, cumulativeAck: 16 });
    expect(ranges(ack)).toEqual([
      [18, 18],
      [21, 24],
    ]);
  });

  it(...rfc("R7016-2.3.14-03", "V1-06", "AMB-41"), "use the Range Ack of Figure 6 up to where it was cut off", () => {
    expect(ranges(exact<AckChunk>("51 0007 05 7f 10 00 00 01 83"))).toEqual([[18, 18]]);
    expect(ranges(exact<AckChunk>("51 0006 05 7f 10 00 00 01"))).toEqual([[18, 18]]);
    expect(ranges(exact<AckChunk>("51 0003 05 7f 10"))).toEqual([]);
  });

  it("end the walk over an ack at numbers too large to be exact", () => {
    const cumulativeAck = Number.MAX_SAFE_INTEGER - 3;
    const ack = { flowId: 1, bufferBlocks: 1, cumulativeAck };
    // MAX - 1, then MAX + 1 and above.
    expect(ranges({ ...ack, type: ChunkType.ackBitmap, body: fromHex("fd") })).toEqual([
      [cumulativeAck + 2, cumulativeAck + 2],
    ]);
    expect(ranges({ ...ack, type: ChunkType.ackRanges, body: fromHex("00000000") })).toEqual([
      [cumulativeAck + 2, cumulativeAck + 2],
    ]);
  });

  it(...rfc("R7016-2.3.13-04", "R7016-2.3.14-02"), "mean the same set in either encoding", () => {
    fc.assert(
      fc.property(fc.nat(1000), fc.uniqueArray(fc.nat(200), { maxLength: 60 }), (cumulativeAck, offsets) => {
        const acked = offsets.map((offset) => cumulativeAck + 2 + offset).sort((a, b) => a - b);
        const bitmap = new Uint8Array(26);
        for (const offset of offsets) bitmap[offset >> 3] = (bitmap[offset >> 3] as number) | (1 << (offset & 7));
        const runs: [number, number][] = [];
        for (const number of acked) {
          const last = runs.at(-1);
          if (last !== undefined && last[1] === number - 1) last[1] = number;
          else runs.push([number, number]);
        }
        const body = buildBytes(1000, (writer) => {
          let cursor = cumulativeAck;
          for (const [first, last] of runs) {
            writer.vlu(first - cursor - 2);
            writer.vlu(last - first);
            cursor = last;
          }
        });
        const ack = { flowId: 1, bufferBlocks: 0, cumulativeAck };
        expect(ranges({ ...ack, type: ChunkType.ackBitmap, body: bitmap })).toEqual(runs);
        expect(ranges({ ...ack, type: ChunkType.ackRanges, body })).toEqual(runs);
      }),
    );
  });

  it(...rfc("R7016-2.3.15-01", "V2-34"), "read a Buffer Probe", () => {
    expect(exact("18 0002 822c")).toEqual({ type: ChunkType.bufferProbe, flowId: 300 });
  });

  it(...rfc("R7016-2.3.16-01", "V2-35"), "read a Flow Exception Report", () => {
    expect(exact("5e 0002 03 00")).toEqual({ type: ChunkType.flowException, flowId: 3, code: 0 });
  });
});
