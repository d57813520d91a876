import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { fromHex, toHex } from "../../src/proto/bytes.ts";
import { AmfError, type AmfValue, namedValues } from "../../src/tc/amf.ts";
import { decodeCommand, decodeData, encodeCommand, encodeData } from "../../src/tc/command.ts";
import { decodeMessage, MessageType, type RtmpMessage } from "../../src/tc/message.ts";
import { encodeSetPeerInfo, setPeerInfoAddresses } from "../../src/tc/peer-info.ts";
import { decodeUserControl, encodeUserControl } from "../../src/tc/user-control.ts";
import recorded from "./recorded-messages.json" with { type: "json" };

const ADDRESSES = ["192.0.2.129:50001", "[2001:db8:1::2]:50002"];
const SET_PEER_INFO =
  "14 00 00 00 00 02 00 0b 73 65 74 50 65 65 72 49 6e 66 6f 00 00 00 00 00 00 00 00 00 05 02 00 11 31 39 32 2e 30 2e 32 2e 31 32 39 3a 35 30 30 30 31 02 00 15 5b 32 30 30 31 3a 64 62 38 3a 31 3a 3a 32 5d 3a 35 30 30 30 32";

describe("setPeerInfo", () => {
  it(...rfc("V1-43", "V2-40", "R7425-5.3.3-02", "R7425-5.3.3-07"), "has the vector's bytes in AMF0", () => {
    expect(toHex(encodeSetPeerInfo(ADDRESSES))).toBe(SET_PEER_INFO.replaceAll(" ", ""));
    const command = decodeCommand(received(fromHex(SET_PEER_INFO)));
    expect(command).toEqual({ name: "setPeerInfo", transactionId: 0, commandObject: null, args: ADDRESSES });
    expect(setPeerInfoAddresses(command)).toEqual(ADDRESSES);
  });

  it(...rfc("R7425-5.3.3-08", "R7425-5.3.3-09"), "is of type 17 with format selector 0 in AMF3", () => {
    const message = received(encodeSetPeerInfo(ADDRESSES, { objectEncoding: 3 }));
    expect([message.type, message.payload[0]]).toEqual([17, 0]);
    expect(setPeerInfoAddresses(decodeCommand(message))).toEqual(ADDRESSES);
  });

  it(...rfc("R7425-5.3.3-05"), "may list nothing", () => {
    expect(setPeerInfoAddresses(decodeCommand(received(encodeSetPeerInfo([]))))).toEqual([]);
  });

  it(...rfc("AMB-62"), "is taken without what is no text, and to sixteen addresses", () => {
    const args: AmfValue[] = [5, ...new Array(20).fill("192.0.2.1:1"), null];
    const command = { name: "setPeerInfo", transactionId: 0, commandObject: null, args };
    expect(setPeerInfoAddresses(command)).toEqual(new Array(16).fill("192.0.2.1:1"));
    expect(setPeerInfoAddresses({ ...command, name: "call" })).toBeUndefined();
  });
});

describe("commands and data messages", () => {
  const args: AmfValue[] = ["s", 1.5, true, null, undefined, { a: [1, { b: "c" }] }, [new Date(5)], Uint8Array.of(1)];

  for (const objectEncoding of [0, 3] as const) {
    it(`come back in encoding ${objectEncoding}`, () => {
      const command = { name: "call", transactionId: 7, commandObject: { app: "live" }, args };
      const message = received(encodeCommand(command, { objectEncoding, timestamp: 9 }));
      expect([message.type, message.timestamp]).toEqual([objectEncoding === 0 ? 20 : 17, 9]);
      expect(decodeCommand(message)).toEqual(command);
      const data = received(encodeData({ name: "onMetaData", args }, { objectEncoding }));
      expect(data.type).toBe(objectEncoding === 0 ? 18 : 15);
      expect(decodeData(data)).toEqual({ name: "onMetaData", args });
    });
  }

  it(...rfc("V1-14", "R7425-5.3.3-09"), "of type 17 are AMF0, and objects AMF3 behind the marker 0x11", () => {
    const bytes = encodeCommand(
      { name: "f", transactionId: 1, commandObject: null, args: [[true]] },
      { objectEncoding: 3 },
    );
    expect(toHex(bytes)).toBe("11000000000002000166003ff0000000000000051109030103");
  });

  it(...rfc("AMB-66"), "are AMF0 of type 20 unless told otherwise", () => {
    expect(encodeCommand({ name: "f", transactionId: 0, commandObject: null, args: [] })[0]).toBe(
      MessageType.commandAmf0,
    );
  });

  it("may lack what has a default", () => {
    expect(decodeCommand(message(20, "02 0001 66"))).toEqual({
      name: "f",
      transactionId: 0,
      commandObject: null,
      args: [],
    });
  });

  it("are an AmfError when they are none", () => {
    for (const [type, hex] of [
      [20, ""],
      [20, "05"],
      [20, "02 0001 66 02 0001 66"],
      [20, "02 0001"],
      [17, "01 02 0001 66"],
      [17, ""],
      [18, "02 0001 66"],
    ] as const) {
      expect(() => decodeCommand(message(type, hex))).toThrow(AmfError);
    }
    for (const [type, hex] of [
      [18, "05"],
      [15, "02 0001 66"],
      [20, "02 0001 66"],
    ] as const) {
      expect(() => decodeData(message(type, hex))).toThrow(AmfError);
    }
  });
});

describe("messages recorded from other implementations", () => {
  for (const { from, message: hex } of recorded) {
    const message = received(fromHex(hex));
    const content =
      message.type === 4
        ? decodeUserControl(message.payload)
        : message.type === 20
          ? decodeCommand(message)
          : decodeData(message);
    it(`${from}: type ${message.type} ${JSON.stringify(content).slice(0, 80)}`, () => {
      expect(toHex(encodeAgain(message))).toBe(OTHERWISE[hex] ?? hex);
    });
  }

  it("say what they are known to say", () => {
    const commands = recorded
      .map(({ message }) => received(fromHex(message)))
      .filter(({ type }) => type === 20)
      .map(decodeCommand);
    expect(new Set(commands.map(({ name }) => name))).toEqual(
      new Set([
        "connect",
        "_result",
        "setPeerInfo",
        "_error",
        "createStream",
        "publish",
        "onStatus",
        "play",
        "closeStream",
      ]),
    );
    const connect = namedValues(commands[0]!.commandObject);
    expect(connect).toMatchObject({ app: "live", tcUrl: "rtmfp://127.0.0.1:11935/live", objectEncoding: 3 });
    expect(commands.find(({ name }) => name === "publish")?.args).toEqual(["test"]);
  });
});

/** What librtmfp writes otherwise: no command object, and a string as AMF3 in a message of type 20. */
const OTHERWISE: Readonly<Record<string, string>> = {
  "140000000002000c63726561746553747265616d000000000000000000":
    "140000000002000c63726561746553747265616d00000000000000000005",
  "14000000000200077075626c6973680000000000000000000511060974657374":
    "14000000000200077075626c6973680000000000000000000502000474657374",
};

function received(bytes: Uint8Array): RtmpMessage {
  return decodeMessage(bytes)!;
}

function message(type: number, hex: string): RtmpMessage {
  return { type, timestamp: 0, payload: fromHex(hex) };
}

function encodeAgain(message: RtmpMessage): Uint8Array {
  const { type, timestamp } = message;
  if (type === 4) return encodeUserControl(decodeUserControl(message.payload)!);
  return type === 20
    ? encodeCommand(decodeCommand(message), { timestamp })
    : encodeData(decodeData(message), { timestamp });
}
