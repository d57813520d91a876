import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { fromHex, toHex } from "../../src/proto/bytes.ts";
import { clampKeepalive } from "../../src/tc/keepalive.ts";
import { decodeMessage, encodeMessage, MAX_PAYLOAD_BYTES, MessageType } from "../../src/tc/message.ts";
import { decodeMetadata, encodeMetadata } from "../../src/tc/metadata.ts";
import { decodeUserControl, encodeUserControl, type UserControl } from "../../src/tc/user-control.ts";

describe("RTMP messages", () => {
  it(...rfc("R7425-5.1.2-01"), "are a type, a timestamp of 32 bits, and the payload to the end", () => {
    const bytes = encodeMessage(MessageType.video, 0x89abcdef, Uint8Array.of(1, 2));
    expect(toHex(bytes)).toBe("0989abcdef0102");
    expect(decodeMessage(bytes)).toEqual({ type: 9, timestamp: 0x89abcdef, payload: Uint8Array.of(1, 2) });
    expect(decodeMessage(fromHex("0900000000"))).toEqual({ type: 9, timestamp: 0, payload: new Uint8Array(0) });
  });

  it("are decoded without a copy, from the middle of a buffer too", () => {
    const datagram = fromHex("ffff 09 00000007 aabb");
    const message = decodeMessage(datagram.subarray(2));
    expect(message?.timestamp).toBe(7);
    expect(message?.payload.buffer).toBe(datagram.buffer);
    expect(message?.payload.byteOffset).toBe(7);
  });

  it(...rfc("AMB-57"), "of fewer than five bytes are ignored", () => {
    for (const hex of ["", "08", "08000000"]) expect(decodeMessage(fromHex(hex))).toBeUndefined();
  });

  it(...rfc("R7425-5.1-02", "R7425-5.1-03"), "of types 1, 2, 3, 5 and 6 are neither sent nor taken", () => {
    for (const type of [1, 2, 3, 5, 6]) {
      expect(() => encodeMessage(type, 0, new Uint8Array(4))).toThrow("not sent over RTMFP");
      expect(decodeMessage(Uint8Array.of(type, 0, 0, 0, 0, 1, 2, 3, 4))).toBeUndefined();
    }
    for (const type of [0, 4, 7, 8, 255])
      expect(decodeMessage(encodeMessage(type, 0, new Uint8Array(0)))?.type).toBe(type);
  });

  it(...rfc("R7425-5.1-01"), "keep to what RTMP can carry", () => {
    expect(() => encodeMessage(256, 0, new Uint8Array(0))).toThrow("message type 256 is not a byte");
    expect(() => encodeMessage(8, 0, new Uint8Array(MAX_PAYLOAD_BYTES + 1))).toThrow("longer than RTMP's 16777215");
    expect(decodeMessage(encodeMessage(8, 2 ** 32 + 5, new Uint8Array(0)))?.timestamp).toBe(5);
    expect(() => encodeMetadata(0x1000000)).toThrow("not an integer from 0 to 16777215");
  });
});

describe("flow metadata", () => {
  it(
    ...rfc("V2-15", "V2-16", "V2-17", "V1-11", "R7425-5.1.1-02", "R7425-5.1.1-03", "R7425-5.1.1-04"),
    "has the vectors' bytes",
    () => {
      for (const [hex, streamId, receiveIntent] of [
        ["54430400", 0, "sequence"],
        ["54430505", 5, "network"],
        ["544304822c", 300, "sequence"],
      ] as const) {
        expect(toHex(encodeMetadata(streamId, receiveIntent))).toBe(hex);
        expect(decodeMetadata(fromHex(hex))).toEqual({ streamId, receiveIntent });
      }
      expect(decodeMetadata(encodeMetadata(0xffffff))?.streamId).toBe(0xffffff);
    },
  );

  it(...rfc("R7425-5.1.1-08", "R7425-5.1.1-09"), "without a stream ID or of another kind is refused", () => {
    for (const hex of [
      "544300",
      "54430005",
      "5443fb05",
      "58580400",
      "4754",
      "",
      "54",
      "5443",
      "544304",
      "54430482",
      "54430488808000",
    ]) {
      expect(decodeMetadata(fromHex(hex))).toBeUndefined();
    }
  });

  it(...rfc("AMB-58"), "may be longer than what is defined", () => {
    expect(decodeMetadata(fromHex("5443 04 07 ffff"))).toEqual({ streamId: 7, receiveIntent: "sequence" });
    expect(decodeMetadata(fromHex("5443 fc 07"))).toEqual({ streamId: 7, receiveIntent: "sequence" });
  });
});

describe("user control messages", () => {
  const VECTORS: [string, UserControl][] = [
    ["04000000000022 00000008 00000002", { event: "flowSync", syncId: 8, count: 2 }],
    ["04000000000029 00003a98 00002710", { event: "setKeepalive", serverMs: 15_000, peerMs: 10_000 }],
    ["04000000000000 00000005", { event: "streamBegin", streamId: 5 }],
    ["04000000000001 00000005", { event: "streamEof", streamId: 5 }],
    ["04000000000002 00000005", { event: "streamDry", streamId: 5 }],
    ["04000000000003 00000005 00000064", { event: "setBufferLength", streamId: 5, bufferMs: 100 }],
    ["04000000000004 00000005", { event: "streamIsRecorded", streamId: 5 }],
    ["04000000000006 ffffffff", { event: "pingRequest", timestamp: 0xffffffff }],
    ["04000000000007 00000009", { event: "pingResponse", timestamp: 9 }],
  ];

  it(...rfc("V2-38", "V2-39", "V1-12", "V1-13", "R7425-5.2-01", "R7425-5.3.4-01"), "have the vectors' bytes", () => {
    for (const [hex, control] of VECTORS) {
      expect(toHex(encodeUserControl(control))).toBe(hex.replaceAll(" ", ""));
      expect(decodeUserControl(decodeMessage(fromHex(hex))!.payload)).toEqual(control);
    }
  });

  it(...rfc("R7425-5.2-02", "R7425-5.3.4-02"), "mean the same at any timestamp", () => {
    for (const [hex, control] of VECTORS) {
      const bytes = fromHex(hex);
      bytes.set([0xde, 0xad, 0xbe, 0xef], 1);
      expect(decodeUserControl(decodeMessage(bytes)!.payload)).toEqual(control);
    }
  });

  it("are ignored when cut off or unknown", () => {
    for (const [hex] of VECTORS) {
      const { payload } = decodeMessage(fromHex(hex))!;
      for (let end = 0; end < payload.length; end++)
        expect(decodeUserControl(payload.subarray(0, end))).toBeUndefined();
    }
    expect(decodeUserControl(fromHex("0005 00000000 00000000"))).toBeUndefined();
    expect(decodeUserControl(fromHex("0000 00000005 ff"))).toEqual({ event: "streamBegin", streamId: 5 });
  });

  it(...rfc("R7425-5.2-03"), "never ask for a barrier of no flow", () => {
    expect(() => encodeUserControl({ event: "flowSync", syncId: 1, count: 0 })).toThrow("at least 1");
    expect(() => encodeUserControl({ event: "streamBegin", streamId: -1 })).toThrow("not an unsigned 32-bit integer");
  });

  it(
    ...rfc("R7425-5.3.4-05", "R7425-5.3.4-06", "R7425-5.3.4-07"),
    "move keepalive periods only within the client's range",
    () => {
      expect([1, 5_000, 15_000, 0xffffffff].map((ms) => clampKeepalive(ms))).toEqual([5_000, 5_000, 15_000, 600_000]);
      expect(clampKeepalive(1, { minMs: 7_000, maxMs: 8_000 })).toBe(7_000);
    },
  );
});
