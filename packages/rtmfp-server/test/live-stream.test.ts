import { encodeData, MessageType } from "rtmfp-core/tc";
import { describe, expect } from "vitest";
import { it, rfc } from "../../../test/support/rfc.ts";
import { LiveStream } from "../src/live-stream.ts";
import { StreamMessage } from "../src/stream-message.ts";
import type { Subscription } from "../src/subscription.ts";

describe("a live stream", () => {
  it(...rfc("F-10"), "keeps what late subscribers need without the packets that it came in", () => {
    const packet = new Uint8Array(1_400);
    const message = (payload: Uint8Array) => {
      packet.set(payload, 100);
      return new StreamMessage("data", {
        type: MessageType.dataAmf0,
        timestamp: 5,
        payload: packet.subarray(100, 100 + payload.length),
      });
    };
    const encode = (name: string) => encodeData({ name, args: [1] }, { timestamp: 0 }).subarray(5);
    const stream = new LiveStream("cam");
    stream.publish({ clientId: "", notice: {} });
    stream.setDataFrame("onOther", message(encode("onOther")));
    stream.relay(message(encode("onMetaData")));
    packet.fill(0);
    const got: StreamMessage[] = [];
    const late = { onPublish() {}, write: (each: StreamMessage) => void got.push(each) };
    stream.subscribe(late as unknown as Subscription);
    expect(got.map(({ data }) => data)).toEqual([encode("onOther"), encode("onMetaData")].map((data) => data.slice()));
    expect(got.map(({ data }) => data.buffer.byteLength)).toEqual(got.map(({ data }) => data.length));
  });
});
