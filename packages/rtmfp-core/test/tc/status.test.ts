import { describe, expect, expectTypeOf } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { AmfEcmaArray, type AmfValue } from "../../src/tc/amf.ts";
import { decodeAmf0 } from "../../src/tc/amf0-reader.ts";
import { encodeAmf0 } from "../../src/tc/amf0-writer.ts";
import { isBeyondAdobe, isStatusCode, parseStatus, type StatusEvent, statusInfo } from "../../src/tc/status.ts";
import { STATUS_TABLE } from "../../src/tc/status-table.ts";

describe("NetStatus codes", () => {
  it("are complete, each with its level", () => {
    const levels: Readonly<Record<string, string>> = { s: "status", e: "error", w: "warning" };
    const expected = new Map<string, string>();
    for (const [group, list] of Object.entries(CODES)) {
      for (const entry of list.split(", ")) {
        const [code, level] = entry.split(" ");
        expected.set(`${group}.${code}`, levels[level!]!);
      }
    }
    const found = Object.entries(STATUS_TABLE).map(([code, { level }]) => [code, level] as const);
    expect(new Map(found)).toEqual(expected);
  });

  it("are marked when Adobe's reference does not list them", () => {
    expect(Object.keys(STATUS_TABLE).filter((code) => isStatusCode(code) && isBeyondAdobe(code))).toEqual([
      "NetConnection.Call.Success",
      "NetConnection.Connect.BadGateway",
      "NetConnection.Connect.GatewayTimeout",
      "NetConnection.ConnectivityCheck.Results",
      "NetConnection.Shutdown.Notify",
      "NetStream.Publish.Rejected",
      "NetStream.Publish.Denied",
      "NetStream.Play.TransitionComplete",
      "NetStream.Play.Complete",
      "NetStream.Play.Switch",
      "NetGroup.Connect.Closed",
      "NetGroup.Posting.Failed",
      "NetGroup.SendTo.Failed",
    ]);
  });

  it("are no names that every object has", () => {
    for (const code of ["toString", "__proto__", "constructor", 5, undefined]) expect(isStatusCode(code)).toBe(false);
  });

  it("narrow the event", () => {
    const event = parseStatus(
      statusInfo("NetGroup.SendTo.Notify", "", { message: { a: 1 }, from: "ab", fromLocal: true }),
    );
    if (event?.code !== "NetGroup.SendTo.Notify") throw new Error("another event");
    expectTypeOf(event.level).toEqualTypeOf<"status">();
    expectTypeOf(event.message).toEqualTypeOf<AmfValue>();
    expectTypeOf(event.from).toEqualTypeOf<string>();
    expectTypeOf(event.fromLocal).toEqualTypeOf<boolean>();
    expect([event.message, event.from, event.fromLocal]).toEqual([{ a: 1 }, "ab", true]);
  });

  it("have the owner's objects where Adobe's have them", () => {
    const narrow = (event: StatusEvent<"a stream", "a group">) => {
      if (event.code === "NetStream.Connect.Success") expectTypeOf(event.stream).toEqualTypeOf<"a stream">();
      if (event.code === "NetGroup.Connect.Success") expectTypeOf(event.group).toEqualTypeOf<"a group">();
      if (event.code === "NetConnection.Connect.Rejected") expectTypeOf(event.ex).toEqualTypeOf<AmfValue>();
      return event.code;
    };
    expect(narrow({ code: "NetStream.Connect.Success", level: "status", stream: "a stream" })).toBeDefined();
  });
});

describe("info objects", () => {
  it("say level, code and description, and what is added", () => {
    const info = statusInfo("NetStream.Play.Start", "Started playing cam.", { details: "cam" });
    expect(decodeAmf0(encodeAmf0(info))).toEqual({
      level: "status",
      code: "NetStream.Play.Start",
      description: "Started playing cam.",
      details: "cam",
    });
    expect(parseStatus(info)).toEqual({ ...info });
  });

  it("are read from ECMA arrays too, with the table's level", () => {
    expect(parseStatus(new AmfEcmaArray({ code: "NetConnection.Connect.Failed", level: "status", x: 1 }))).toEqual({
      code: "NetConnection.Connect.Failed",
      level: "error",
    });
  });

  it("carry a redirect", () => {
    const ex = { code: 302, redirect: "rtmfp://b/app" };
    expect(parseStatus(statusInfo("NetConnection.Connect.Rejected", "Connection failed", { ex }))).toMatchObject({
      ex,
    });
  });

  it(...rfc("C-9"), "carry what a connectivity check found, without what it could not find", () => {
    const code = "NetConnection.ConnectivityCheck.Results";
    const found = { publicAddress: "192.0.2.1:5000", publicAddressIsLocal: false };
    const open = { publicPortMatchesLocalPort: undefined, sendAfterIntroductionAllowed: null };
    const event = parseStatus({ ...statusInfo(code, "", found), ...open });
    if (event?.code !== code) throw new Error("another event");
    expectTypeOf(event.publicAddressIsLocal).toEqualTypeOf<boolean | undefined>();
    expect(event).toEqual({ code, level: "status", description: "", ...found });
  });

  it("are none without a known code, or without what the code promises", () => {
    for (const value of [null, "NetStream.Play.Start", {}, { code: 5 }, { code: "NetStream.Unknown" }]) {
      expect(parseStatus(value)).toBeUndefined();
    }
    expect(parseStatus({ code: "NetGroup.Posting.Notify", messageID: "1" })).toBeUndefined();
    expect(parseStatus({ code: "NetGroup.Posting.Notify", message: 1, messageID: 1 })).toBeUndefined();
    expect(parseStatus({ code: "NetStream.Connect.Success", stream: "not an object of ours" })).toBeUndefined();
  });
});

/** Adobe's list and the codes beyond it, written down apart from the table: s for status, e for error, w for warning. */
const CODES: Readonly<Record<string, string>> = {
  NetConnection:
    "Call.BadVersion e, Call.Failed e, Call.Prohibited e, Connect.AppShutdown e, Connect.Closed s, Connect.Failed e, " +
    "Connect.IdleTimeout s, Connect.InvalidApp e, Connect.NetworkChange s, Connect.Rejected e, Connect.Success s, " +
    "ConnectivityCheck.Results s, Shutdown.Notify s, Call.Success s, Connect.BadGateway e, Connect.GatewayTimeout e",
  NetStream:
    "Connect.Success s, Connect.Closed s, Connect.Failed e, Connect.Rejected e, Publish.Start s, Publish.BadName e, " +
    "Publish.Idle s, Publish.Rejected e, Publish.Denied e, Unpublish.Success s, Play.Start s, Play.Stop s, " +
    "Play.Reset s, Play.PublishNotify s, Play.UnpublishNotify s, Play.StreamNotFound e, Play.Failed e, " +
    "Play.FileStructureInvalid e, Play.NoSupportedTrackFound e, Play.InsufficientBW w, Play.Transition s, " +
    "Play.TransitionComplete s, Play.Complete s, Play.Switch s, MulticastStream.Reset s, Buffer.Empty s, " +
    "Buffer.Full s, Buffer.Flush s, Pause.Notify s, Unpause.Notify s, Seek.Notify s, Seek.Failed e, " +
    "Seek.InvalidTime e, Step.Notify s, Record.Start s, Record.Stop s, Record.Failed e, Record.NoAccess e, " +
    "Record.AlreadyExists s, Failed e, Video.DimensionChange s, DRM.UpdateNeeded s",
  NetGroup:
    "Connect.Success s, Connect.Failed e, Connect.Rejected e, Connect.Closed s, LocalCoverage.Notify s, " +
    "MulticastStream.PublishNotify s, MulticastStream.UnpublishNotify s, Neighbor.Connect s, Neighbor.Disconnect s, " +
    "Posting.Notify s, SendTo.Notify s, Replication.Fetch.SendNotify s, Replication.Fetch.Failed s, " +
    "Replication.Fetch.Result s, Replication.Request s, Posting.Failed e, SendTo.Failed e",
  SharedObject: "BadPersistence e, Flush.Failed e, Flush.Success s, UriMismatch e",
};
