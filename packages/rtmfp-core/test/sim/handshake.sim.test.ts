import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { type Address, Origin } from "../../src/proto/address.ts";
import { equalBytes } from "../../src/proto/bytes.ts";
import type { Session } from "../../src/proto/session.ts";
import { SimWorld } from "../../src/testing/index.ts";
import { nameOf, type RawNode, type RawOptions, rawNode } from "./raw.ts";
import { Sniffer } from "./sniffer.ts";

/** Makes nodes of one world, on hosts of their own name, 5 ms from the middle of the network. */
function worldOf(seed = 1): { world: SimWorld; node: (name: string, options?: RawOptions) => RawNode } {
  const world = new SimWorld(seed);
  return { world, node: (name, options = {}) => rawNode(world.host(name), name, { keepaliveMs: 0, ...options }) };
}

function open(node: RawNode, name: string, ...to: (RawNode | Address)[]): Session {
  return node.endpoint.open(node.driver.now(), nameOf(name), {
    candidates: to.map((target) => ({ address: "endpoint" in target ? target.address : target, via: 0 })),
  });
}

/** Makes a node introduce: it redirects to what `addresses` gives for a session that is asked for, or forwards, or both. */
function introducer(node: RawNode, how: { redirect?: (session: Session) => Address[]; forward?: boolean }): void {
  node.onEvent = (event) => {
    if (event.type !== "introduction") return;
    const session = node.open().find((one) => one.farCertificate?.selectedBy(event.epd));
    if (session === undefined) {
      node.endpoint.ignore(event.id);
      return;
    }
    const now = node.driver.now();
    const addresses = how.redirect?.(session).map((address) => ({ ...address, origin: Origin.observed }));
    if (addresses !== undefined) node.endpoint.redirect(now, event.id, addresses);
    if (how.forward === true) node.endpoint.forward(now, event.id, session);
  };
}

/** True if both ends are open, and are each other's. */
function joined(near: Session, far: RawNode): boolean {
  const other = far.open().find(({ farId }) => farId === near.nearId);
  return near.isOpen && other !== undefined && other.nearId === near.farId;
}

describe("handshakes, packet by packet", () => {
  it(...rfc("V1-30", "R7016-3.5.1.1.2-16"), "goes straight to the responder", () => {
    const { world, node } = worldOf();
    const [i, r] = [node("i"), node("r")];
    const sniffer = new Sniffer(world, [i, r]);
    const session = open(i, "r", r);
    world.run(1_000);
    expect(sniffer.log).toEqual([
      "i>r 0 iHello",
      "r>i 0 rHello",
      "i>r 0 iiKeying",
      `r>i ${session.nearId >>> 0} riKeying`,
    ]);
    expect(joined(session, r)).toBe(true);
    const far = r.open()[0] as Session;
    expect(equalBytes(session.nearNonce as Uint8Array, far.farNonce as Uint8Array)).toBe(true);
    expect(equalBytes(session.farNonce as Uint8Array, far.nearNonce as Uint8Array)).toBe(true);
    session.ping();
    i.driver.wake();
    world.run(100);
    expect(sniffer.log.slice(4)).toEqual([`i>r ${session.farId >>> 0} ping`, `r>i ${session.nearId >>> 0} pingReply`]);
  });

  it(...rfc("V1-32", "R7016-3.5.1.4-01", "R7016-3.5.1.4-02", "R7016-3.5.1.4-03"), "by a redirector", () => {
    const { world, node } = worldOf();
    const [i, d, r] = [node("i"), node("d"), node("r")];
    open(r, "d", d);
    world.run(1_000);
    introducer(d, { redirect: (session) => [session.address as Address] });
    const sniffer = new Sniffer(world, [i, d, r]);
    const session = open(i, "r", d);
    world.run(1_000);
    expect(sniffer.names).toEqual([
      "i>d iHello",
      "d>i redirect",
      "i>r iHello",
      "r>i rHello",
      "i>r iiKeying",
      "r>i riKeying",
    ]);
    expect(joined(session, r)).toBe(true);
  });

  it(
    ...rfc(
      "V1-33",
      "R7016-3.5.1.5-01",
      "R7016-3.5.1.5-02",
      "R7016-3.5.1.5-03",
      "R7016-3.5.1.1.2-07",
      "R7016-2.3.3-01",
      "R7016-2.3.3-03",
    ),
    "by a forwarder, answered by RHello",
    () => {
      const { world, node } = worldOf();
      const [i, f, r] = [node("i"), node("f"), node("r")];
      open(r, "f", f).introductions = "rhello";
      world.run(1_000);
      introducer(f, { forward: true });
      const sniffer = new Sniffer(world, [i, f, r]);
      const session = open(i, "r", f);
      world.run(1_000);
      expect(sniffer.names).toEqual([
        "i>f iHello",
        "f>r forwardedIHello",
        "r>i rHello",
        "i>r iiKeying",
        "r>i riKeying",
      ]);
      expect(joined(session, r)).toBe(true);
    },
  );

  it(
    ...rfc("V1-34", "R7016-3.5.1.1.2-07", "R7016-2.3.3-04", "R7016-2.3.5-02"),
    "by a forwarder, answered by an implied redirect",
    () => {
      const { world, node } = worldOf();
      const [i, f, r] = [node("i"), node("f"), node("r")];
      open(r, "f", f).introductions = "redirect";
      world.run(1_000);
      introducer(f, { forward: true });
      const sniffer = new Sniffer(world, [i, f, r]);
      const session = open(i, "r", f);
      world.run(1_000);
      expect(sniffer.names).toEqual([
        "i>f iHello",
        "f>r forwardedIHello",
        "r>i redirect",
        "i>r iHello",
        "r>i rHello",
        "i>r iiKeying",
        "r>i riKeying",
      ]);
      expect(joined(session, r)).toBe(true);
    },
  );

  it(
    ...rfc("V1-35", "R7016-3.5.1.6-01", "R7016-3.5.1.6-03", "R7016-3.5.1.6-04"),
    "through two NATs by an introducer that redirects and forwards",
    () => {
      const world = new SimWorld(1);
      const [natI, natR] = [1, 2].map((n) => world.nat(`nat ${n}`, { kind: "port-restricted-cone" }));
      const s = rawNode(world.host("s"), "s", { keepaliveMs: 0 });
      const i = rawNode(world.host("i", natI === undefined ? {} : { behind: natI }), "i", { keepaliveMs: 0 });
      const r = rawNode(world.host("r", natR === undefined ? {} : { behind: natR }), "r", { keepaliveMs: 0 });
      open(r, "s", s).introductions = "rhello";
      world.run(1_000);
      introducer(s, { redirect: (session) => [session.address as Address], forward: true });
      const sniffer = new Sniffer(world, [i, s, r]);
      const session = open(i, "r", s);
      world.run(3_000);
      expect(joined(session, r)).toBe(true);
      expect(sniffer.names.slice(0, 3)).toEqual(["i>s iHello", "s>i redirect", "s>r forwardedIHello"]);
      expect(sniffer.names.filter((name) => name.endsWith("iiKeying")).length).toBeGreaterThanOrEqual(1);
      const outer = s.open()[0]?.address as Address;
      expect(session.address).toEqual(outer);
    },
  );

  it(...rfc("V1-31", "R7016-3.5.1.2-01"), "with a cookie for one interface, and keying from another", () => {
    const world = new SimWorld(1);
    const f = rawNode(world.host("f"), "f", { keepaliveMs: 0 });
    const r = rawNode(world.host("r", { addresses: ["198.51.100.200"] }), "r", { keepaliveMs: 0, port: 51_000 });
    const host = world.host("i", { addresses: ["192.0.2.100", "198.51.100.101"] });
    const i = rawNode(host, "i", { keepaliveMs: 0, port: 50_000 });
    open(r, "f", f).introductions = "rhello";
    world.run(1_000);
    introducer(f, { forward: true });
    const sniffer = new Sniffer(world, [i, f, r]);
    const session = open(i, "r", f);
    // What goes to the responder leaves by the second interface.
    world.filter(({ sender, to }) => {
      if (sender === "r" && to.host === "192.0.2.100") host.move({ addresses: ["198.51.100.101", "192.0.2.100"] });
      return undefined;
    }, "delivered");
    world.run(1_000);
    expect(sniffer.names).toEqual([
      "i>f iHello",
      "f>r forwardedIHello",
      "r>i rHello",
      "i>r iiKeying",
      "r>i cookieChange",
      "i>r iiKeying",
      "r>i riKeying",
    ]);
    expect(joined(session, r)).toBe(true);
    expect(r.open().find(({ role }) => role === "responder")?.address).toEqual({
      host: "198.51.100.101",
      port: 50_000,
    });
  });

  it(...rfc("R7016-3.5.1.1.2-12"), "after RIKeying was lost, by the same RIKeying", () => {
    const { world, node } = worldOf();
    const [i, r] = [node("i"), node("r")];
    const sniffer = new Sniffer(world, [i, r]);
    const session = open(i, "r", r);
    let lost = 0;
    world.filter(({ sender }) =>
      sender === "r" && sniffer.names.at(-1) === "r>i riKeying" && lost++ < 2 ? "drop" : undefined,
    );
    world.run(9_000);
    expect(sniffer.names).toEqual([
      "i>r iHello",
      "r>i rHello",
      "i>r iiKeying",
      "r>i riKeying",
      "i>r iiKeying",
      "r>i riKeying",
      "i>r iiKeying",
      "r>i riKeying",
    ]);
    expect(sniffer.sameBytes("r>i riKeying")).toBe(true);
    expect(joined(session, r)).toBe(true);
    expect(r.told("incoming").length).toBe(1);
  });

  it("under 30 % loss both ways, in the time there is", () => {
    for (let seed = 1; seed <= 20; seed++) {
      const world = new SimWorld(seed);
      const link = { loss: 0.3, latencyMs: 30, duplicate: 0.1 };
      const i = rawNode(world.host("i", { link }), "i", { keepaliveMs: 0 });
      const r = rawNode(world.host("r"), "r", { keepaliveMs: 0 });
      const session = open(i, "r", r);
      world.run(94_000);
      expect(joined(session, r)).toBe(true);
      expect(r.told("incoming").length).toBe(1);
    }
  });
});

describe("forwarded hellos", () => {
  it(...rfc("AMB-21", "R7016-3.5.1.1.2-07"), "are ignored from sessions that were not made introducers", () => {
    const { world, node } = worldOf();
    const [i, f, r] = [node("i"), node("f"), node("r")];
    open(r, "f", f);
    world.run(1_000);
    introducer(f, { forward: true });
    const session = open(i, "r", f);
    world.run(1_000);
    expect(session.state).toBe("S_IHELLO_SENT");
    expect(r.endpoint.stats.forwardedHellosRefused).toBe(1);
  });

  it(...rfc("R7016-3.5.1.5-04", "AMB-20"), "and redirects are not sent for somebody whom nobody knows", () => {
    const { world, node } = worldOf();
    const [i, f, r] = [node("i"), node("f"), node("r")];
    open(r, "f", f).introductions = "rhello";
    world.run(1_000);
    introducer(f, { forward: true, redirect: () => [i.address] });
    const sniffer = new Sniffer(world, [i, f, r]);
    open(i, "nobody", f);
    world.run(1_000);
    expect(sniffer.names).toEqual(["i>f iHello"]);
  });

  it(...rfc("AMB-21", "AMB-11"), "answer no address that a third party should not be sent to", () => {
    const { world, node } = worldOf();
    const [f, r] = [node("f"), node("r")];
    open(r, "f", f).introductions = "rhello";
    world.run(1_000);
    const sniffer = new Sniffer(world, [f, r]);
    const session = f.open()[0] as Session;
    for (const host of ["127.0.0.1", "::1", "0.0.0.0", "224.0.0.1", "255.255.255.255", "2001:db8::1"]) {
      session.sendForwardedHello(nameOf("r"), { host, port: 9 }, nameOf("tag-0123"));
    }
    session.sendForwardedHello(nameOf("r"), { host: "192.0.2.1", port: 0 }, nameOf("tag-0123"));
    session.sendForwardedHello(nameOf("somebody"), { host: "192.0.2.1", port: 9 }, nameOf("tag-0123"));
    world.run(1_000);
    expect(sniffer.names.filter((name) => name.startsWith("r>"))).toEqual([]);
    expect(r.endpoint.stats.forwardedHellosRefused).toBe(8);
  });

  it("wait for a decision for 5 s, in a bounded table", () => {
    const { world, node } = worldOf();
    const [i, f, r] = [node("i"), node("f"), node("r")];
    open(r, "f", f).introductions = "rhello";
    world.run(1_000);
    open(i, "r", f);
    world.run(100);
    const event = f.told("introduction")[0];
    const session = f.open()[0] as Session;
    world.run(4_000);
    expect(f.endpoint.forward(f.driver.now(), event?.id as number, session)).toBe(true);
    world.run(1_000);
    expect(f.endpoint.forward(f.driver.now(), event?.id as number, session)).toBe(false);
    expect(f.endpoint.redirect(f.driver.now(), event?.id as number, [])).toBe(false);
  });
});
