import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { concatBytes, fromHex, toHex } from "../../src/proto/bytes.ts";
import { ChunkType } from "../../src/proto/chunk/types.ts";
import { SESSION_ID_BYTES, scrambleSessionId } from "../../src/proto/packet.ts";
import type { Session } from "../../src/proto/session.ts";
import { SimWorld } from "../../src/testing/index.ts";
import { nameOf, type RawNode, rawNode } from "./raw.ts";
import { ack, data, openScripted, Scripted, startup } from "./scripted.ts";

interface Bench {
  readonly world: SimWorld;
  readonly node: RawNode;
  readonly far: Scripted;
  readonly session: Session;
}

/** An open session, of which nothing is on its way. */
function bench(): Bench {
  const world = new SimWorld(1);
  const link = { latencyMs: 0 };
  const node = rawNode(world.host("near", { link }), "near", { keepaliveMs: 0, tailLossProbe: false });
  const far = new Scripted(world.host("far", { link }), "far", node.address);
  const session = openScripted(world, node, far);
  far.take();
  return { world, node, far, session };
}

/** Lets the node send for that long, and gives its packets in hex, header first. */
function packets(b: Bench, ms = 0.5): string[] {
  b.node.driver.wake();
  b.world.run(ms);
  return b.far.take().map(({ datagram }) => toHex(datagram.subarray(SESSION_ID_BYTES)));
}

/** The same without headers, as they are once nothing has a timestamp. */
function chunks(b: Bench, ms?: number): string {
  return packets(b, ms)
    .map((hex) => hex.slice(2 * (1 + (Number.parseInt(hex.slice(1, 2), 16) & 8 ? 2 : 0))))
    .join("|");
}

/** Sends a packet of these bytes, header included. */
function hear(b: Bench, hex: string, sessionId = b.far.farId): void {
  const datagram = concatBytes(new Uint8Array(SESSION_ID_BYTES), fromHex(hex));
  scrambleSessionId(datagram, datagram.length, sessionId | 0);
  b.far.carrier.send(datagram, 0, b.far.peer);
  b.world.run(0.5);
}

/** Without the spaces that make it legible. */
function bytes(hex: string): string {
  return hex.replaceAll(" ", "");
}

/** The node's timestamp now, in hex. */
function timestamp({ node }: Bench): string {
  return (Math.floor(node.driver.now() / 4) & 0xffff).toString(16).padStart(4, "0");
}

describe("the bytes of a session's packets", () => {
  it(
    ...rfc("R7016-2.2.2-01", "R7016-2.2.4-01", "R7016-2.2.4-02", "R7016-2.2.4-03", "R7016-3.5.2.2-05"),
    "are flags, the timestamp and the echo that the flags tell of, and chunks",
    () => {
      const b = bench();
      b.world.run(5_000 - (b.world.now % 4));
      const ping = (): string[] => {
        b.session.ping(nameOf("x"));
        return packets(b);
      };
      const first = timestamp(b);
      expect(ping()).toEqual([`09${first}01000178`]);
      expect(ping()).toEqual(["0101000178"]);
      // An echo of 0 is an echo.
      hear(b, "0a 0000 410000");
      expect(ping()).toEqual(["05000001000178"]);
      hear(b, "0a f1f2 410000");
      expect(ping()).toEqual(["05f1f201000178"]);
      b.world.run(400);
      const later = timestamp(b);
      expect(Number.parseInt(later, 16) - Number.parseInt(first, 16)).toBe(100);
      expect(ping()).toEqual([`0d${later}f25601000178`]);
    },
  );

  it(...rfc("R7016-2.2.4-03", "R7016-2.1.1-01"), "are taken with either, both or none of the timestamps", () => {
    const b = bench();
    const { rtt } = b.session;
    const known = (): number[] => [rtt.tsRx, rtt.tsEchoRx];
    hear(b, "02 01000178");
    expect(known()).toEqual([-1, -1]);
    hear(b, "0a f1f2 01000178");
    expect(known()).toEqual([0xf1f2, -1]);
    hear(b, "06 0304 01000178");
    expect(known()).toEqual([0xf1f2, 0x0304]);
    hear(b, "0e 0506 0708 01000178");
    expect(known()).toEqual([0x0506, 0x0708]);
    expect(b.far.takeChunks(ChunkType.pingReply).map(({ message }) => toHex(message))).toEqual([
      "78",
      "78",
      "78",
      "78",
    ]);
  });
});

describe("reserved bits in what comes in", () => {
  it(...rfc("R7016-2-04"), "change nothing: in headers, user data, fragments, and addresses of redirects", () => {
    const b = bench();
    hear(b, "32 01000178");
    expect(b.far.heard()).toEqual(["pingReply"]);
    hear(b, "32 10 000a dc 822c 01 01 02006d 00 61 11 0002 6c 62");
    const [flow] = b.session.receives.flows;
    expect(toHex(flow?.read()?.data as Uint8Array)).toBe("6162");
    b.far.take();
    // A hello in two fragments, and one whose answer sends the initiator to another address.
    const hello = `30 000d 04 ${toHex(nameOf("near"))} ${toHex(nameOf("tag-0123"))}`;
    const packet = bytes(`33 ${hello}`);
    hear(b, `33 7f 0008 ff 05 00 ${packet.slice(0, 10)}`, 0);
    hear(b, `33 7f ${(packet.length / 2 - 5 + 3).toString(16).padStart(4, "0")} 7f 05 01 ${packet.slice(10)}`, 0);
    expect(b.far.heard()).toEqual(["rHello"]);
    const other = new Scripted(b.world.host("other", { link: { latencyMs: 0 } }), "other", b.node.address);
    b.node.endpoint.open(b.node.driver.now(), nameOf("other"), { candidates: [{ address: b.far.address, via: 0 }] });
    b.node.driver.wake();
    b.world.run(0.5);
    const tag = toHex(b.far.takeChunks(ChunkType.iHello)[0]?.tag as Uint8Array);
    const host = toHex(Uint8Array.from(other.address.host.split("."), Number));
    hear(b, `33 71 0018 10 ${tag} 7e ${host} ${other.address.port.toString(16).padStart(4, "0")}`, 0);
    expect(other.heard()).toEqual(["iHello"]);
  });
});

describe("the bytes of what a session sends", () => {
  it(
    ...rfc("R7016-2.3-01", "R7016-2.3.9-01", "R7016-2.3.10-01", "R7016-2.3.3-01"),
    "for pings, their replies and a forwarded hello hold the message, the address and the tag whole",
    () => {
      const b = bench();
      for (const length of [0, 1, 64, 300]) {
        const message = b.world.random(length);
        const payload = `${length.toString(16).padStart(4, "0")}${toHex(message)}`;
        b.session.ping(message);
        expect(chunks(b)).toBe(`01${payload}`);
        hear(b, `02 01${payload}`);
        expect(chunks(b)).toBe(`41${payload}`);
      }
      b.session.sendForwardedHello(fromHex("0a0b0c"), { host: "192.0.2.100", port: 50_000 }, nameOf("tag-0123"));
      expect(chunks(b)).toBe(`0f0013030a0b0c02c0000264c350${toHex(nameOf("tag-0123"))}`);
    },
  );

  it(
    ...rfc(
      "R7016-2-02",
      "R7016-2.3-01",
      "R7016-2.3.11-01",
      "R7016-2.3.11-02",
      "R7016-2.3.11-03",
      "R7016-2.3.11-08",
      "R7016-2.3.11-12",
      "R7016-2.3.11.1.1-01",
      "R7016-2.3.11.1.2-01",
      "R7016-2.3.12-01",
    ),
    "for user data are those of the RFC's procedures",
    () => {
      const b = bench();
      b.far.send(data(200, 1, 1, { options: startup() }));
      b.world.run(300);
      b.far.take();
      const [answers] = b.session.receives.flows;
      const flow = b.session.openFlow(nameOf("me"), answers === undefined ? {} : { answers });
      for (const text of ["abc", "d", ""]) flow.write(nameOf(text));
      const options = "03006d65 030a8148 00";
      expect(chunks(b)).toBe(bytes(`10 0010 80 02 01 01 ${options} 616263 11 0002 00 64 11 0001 00`));
      b.far.send(ack(flow.id, 1_000, 1));
      flow.write(nameOf("efg")).abandon();
      flow.write(nameOf("h"));
      expect(chunks(b)).toBe(bytes("10 0005 00 02 05 04 68"));
      b.far.send(ack(flow.id, 1_000, 3));
      const fill = "69".repeat(1_000);
      flow.write(fromHex(fill + fill + fill));
      flow.close();
      const parts = chunks(b).split("|");
      for (const part of parts) expect(Number.parseInt(part.slice(2, 6), 16)).toBe(part.length / 2 - 3);
      const heads = parts.map((part) => part.replace(/^10..../, "").replace(/(69)+$/, ""));
      expect(heads).toEqual(["10020602", "30020703", "21020804"]);
      const other = b.session.openFlow(new Uint8Array(0));
      other.write(nameOf("a"));
      expect(chunks(b)).toBe(bytes("10 0008 80 03 01 01 0100 00 61"));
      b.far.send(ack(other.id, 1_000, 1));
      other.close();
      expect(chunks(b)).toBe(bytes("10 0004 03 03 02 00"));
    },
  );

  it(
    ...rfc(
      "R7016-2.3.13-01",
      "R7016-2.3.13-02",
      "R7016-2.3.13-03",
      "R7016-2.3.13-04",
      "R7016-2.3.14-01",
      "R7016-2.3.14-02",
    ),
    "for acknowledgements are flow, window in blocks of 1,024 bytes, what came of all, and ranges or bits",
    () => {
      const b = bench();
      const came = (...numbers: number[]): string => {
        b.far.send(...numbers.map((n) => data(200, n, n, { data: "x", options: startup() })));
        return chunks(b, 250);
      };
      expect(came(1)).toBe(bytes("51 0005 8148 8800 01"));
      expect(came(3)).toBe(bytes("50 0006 8148 8800 01 01"));
      expect(came(5, 6, 19)).toBe(bytes("50 0008 8148 8800 01 0d 00 01"));
      expect(came(300)).toBe(bytes("51 000e 8148 8800 01 00 00 00 01 0b 00 8217 00"));
      expect(came(2, 4)).toBe(bytes("51 000a 8148 8800 06 0b 00 8217 00"));
    },
  );
});

describe("the bytes of what a session takes", () => {
  it(
    ...rfc(
      "R7016-2-01",
      "R7016-2.3.11-01",
      "R7016-2.3.11-02",
      "R7016-2.3.11-03",
      "R7016-2.3.11-08",
      "R7016-2.3.11.1.1-01",
      "R7016-2.3.11.1.2-01",
      "R7016-2.3.12-01",
    ),
    "for user data name flow, number, forward sequence number and options, however many bytes these need",
    () => {
      const b = bench();
      const own = b.session.openFlow(new Uint8Array(1));
      // Begin and middle of a message of flow 300, from number 200 on; all below is given up. Then its end, the last.
      hear(b, "02 10 000f 90 822c 8148 01 0300 6d65 020a02 00 61 11 0002 30 62");
      const [flow] = b.session.receives.flows;
      expect([flow?.id, toHex(flow?.metadata as Uint8Array), flow?.association]).toEqual([300, "6d65", own]);
      expect(flow?.read()).toBeUndefined();
      hear(b, "02 10 0007 21 822c 814a 03 63");
      expect(toHex(flow?.read()?.data as Uint8Array)).toBe("616263");
      expect([flow?.read(), flow?.finished]).toEqual([undefined, true]);
      // Number 400 stands for itself alone: its forward sequence number is 200.
      expect(chunks(b).split("|").at(-1)).toBe(bytes("51 0006 822c 8800 814a"));
      hear(b, "02 10 000c 80 822d 8310 8148 02006d 00 61");
      expect(chunks(b, 250)).toBe(bytes("51 0009 822d 8800 8148 8146 00"));
    },
  );

  it(
    ...rfc("R7016-2.3.13-01", "R7016-2.3.13-02", "R7016-2.3.13-03", "R7016-2.3.14-01", "R7016-2.3.16-01"),
    "for acknowledgements and exceptions name flow, window, numbers and code, however many bytes these need",
    () => {
      const b = bench();
      const flow = b.session.openFlow(nameOf("m"));
      for (let n = 1; n <= 140; n++) flow.write(new Uint8Array(1));
      packets(b);
      const waiting = (): number[] => [...b.session.sends.inFlight].map(({ sequenceNumber }) => sequenceNumber);
      expect(waiting().length).toBe(140);
      hear(b, "02 51 0005 02 8710 8102");
      expect([waiting(), flow.windowBytes]).toEqual([[131, 132, 133, 134, 135, 136, 137, 138, 139, 140], 912 * 1_024]);
      hear(b, "02 50 0006 02 8710 8102 41");
      expect(waiting()).toEqual([131, 133, 134, 135, 136, 137, 139, 140]);
      hear(b, "02 51 000b 02 8701 8102 00 00 00 02 00 00");
      expect([waiting(), flow.windowBytes]).toEqual([[131, 133, 137, 139, 140], 897 * 1_024]);
      hear(b, "02 5e 0003 02 822c");
      expect(b.node.told("exception")).toMatchObject([{ flow, code: 300 }]);
    },
  );

  it(
    ...rfc("R7016-2.3.15-01", "R7016-2.3.16-01", "R7016-2.3.17-01", "R7016-2.3.18-01"),
    "for the rest hold the number of a flow, or nothing",
    () => {
      const b = bench();
      hear(b, "02 10 000a 80 822c 01 01 02006d 00 61");
      expect(chunks(b, 250)).toBe(bytes("51 0005 822c 8800 01"));
      hear(b, "02 18 0002 822c");
      expect(chunks(b)).toBe(bytes("51 0005 822c 8800 01"));
      b.session.openFlow(nameOf("m")).write(nameOf("x"));
      packets(b);
      hear(b, "02 51 0003 02 00 00");
      expect(chunks(b, 6_000)).toContain(bytes("18 0001 02"));
      b.session.receives.flows[Symbol.iterator]().next().value?.reject(300);
      expect(chunks(b)).toBe(bytes("5e 0004 822c 822c 51 0005 822c 8800 01"));
      b.session.close(b.node.driver.now());
      expect(chunks(b)).toBe(bytes("0c 0000"));
      hear(b, "02 0c 0000");
      expect(chunks(b)).toBe(bytes("4c 0000"));
      hear(b, "02 4c 0000");
      expect(b.session.state).toBe("S_CLOSED");
    },
  );
});
