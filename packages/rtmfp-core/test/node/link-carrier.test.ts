import { describe, expect } from "vitest";
import { it } from "../../../../test/support/rfc.ts";
import { type Carrier, LinkCarrier, type LinkImpairment, parseLink } from "../../src/index.ts";

const TO = { host: "127.0.0.1", port: 9 };

/** A carrier that notes what is sent, and when, by a clock that the test moves. */
function make(
  link: LinkImpairment,
  now = () => performance.now(),
): { carrier: LinkCarrier; sent: number[]; inner: Carrier } {
  const sent: number[] = [];
  const inner: Carrier = {
    sockets: [],
    now,
    setAlarm: () => {},
    defer: (turn) => setImmediate(turn),
    send: (datagram) => sent.push(datagram[0] as number),
    onDatagram: () => {},
    onAlarm: () => {},
    interfaceAddresses: () => [],
    resolve: async () => [],
    close: async () => {},
  };
  return { carrier: new LinkCarrier(inner, link), sent, inner };
}

/** Which of 1000 datagrams arrive. */
async function survivors(link: LinkImpairment): Promise<number[]> {
  const arrived: number[] = [];
  for (let i = 0; i < 1000; i++) {
    const { carrier, sent } = make({ ...link, seed: (link.seed ?? 0) + i * 7919 });
    carrier.send(new Uint8Array([1]), 0, TO);
    await carrier.close();
    if (sent.length > 0) arrived.push(i);
  }
  return arrived;
}

describe("LinkCarrier", () => {
  it("keeps order and delays what is sent; closing lets it arrive", async () => {
    const { carrier, sent, inner } = make({ delayMs: 30 });
    const bytes = new Uint8Array([1]);
    const start = inner.now();
    carrier.send(bytes, 0, TO);
    bytes[0] = 2;
    carrier.send(bytes, 0, TO);
    expect(sent).toEqual([]);
    await carrier.close();
    expect(sent).toEqual([1, 2]);
    expect(inner.now() - start).toBeGreaterThan(25);
  });

  it("lets all arrive on closing, though timers may come before their time by its clock", async () => {
    const { carrier, sent } = make({ delayMs: 30 }, () => performance.now() / 2);
    carrier.send(new Uint8Array([1]), 0, TO);
    await carrier.close();
    expect(sent).toEqual([1]);
  });

  it("loses the share asked for, the same datagrams for the same seed", async () => {
    const first = await survivors({ loss: 0.2, seed: 7 });
    expect(first.length).toBeGreaterThan(750);
    expect(first.length).toBeLessThan(850);
    expect(await survivors({ loss: 0.2, seed: 7 })).toEqual(first);
    expect(await survivors({ loss: 1 })).toEqual([]);
  });

  it("passes on what is received", () => {
    const { carrier, inner } = make({ loss: 1 });
    const got: number[] = [];
    carrier.onDatagram = (bytes) => got.push(bytes[0] as number);
    inner.onDatagram(new Uint8Array([5]), TO, 0);
    expect(got).toEqual([5]);
  });
});

describe("parseLink", () => {
  it("reads what it documents, and refuses the rest in one line", () => {
    expect(parseLink("delay=40,loss=0.02,seed=7")).toEqual({ delayMs: 40, loss: 0.02, seed: 7 });
    expect(parseLink("loss=0.5")).toEqual({ loss: 0.5 });
    for (const text of ["", "delay", "delay=", "loss=2", "delay=-1", "seed=1.5", "speed=3", "delay=1;loss=0"])
      expect(() => parseLink(text)).toThrow(`got "${text}"`);
  });
});
