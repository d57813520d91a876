/** Faults in how sessions come about: profile, hellos, keying, glare, introductions (RFC 7016 §3.2 to §3.5.1). */
import { type Fault, faultsOf } from "./fault.ts";

const PROTO = "packages/rtmfp-core/src/proto";
const FLASH = "packages/rtmfp-core/src/crypto/flash";
const CORE = "packages/rtmfp-core/src";
const SERVER = "packages/rtmfp-server/src";

/** Answers to what should have none, the wrong end, address or key, states that are skipped. */
export const STARTUP_FAULTS: readonly Fault[] = [
  ...faultsOf(`${CORE}/node/udp-carrier.ts`, [
    "socket.bind({ address: host, port, exclusive: true }, () => {",
    "socket.bind({ address: host, port: 0, exclusive: true }, () => {",
    "R7016-2.2.1-02",
  ]),
  ...faultsOf(`${CORE}/testing/host.ts`, [
    "const address = { host, port: wanted.port };",
    "const address = { host, port: 1935 };",
    "R7016-2.2.1-02",
  ]),
  ...faultsOf(
    `${FLASH}/profile.ts`,
    [
      "prevailsOver: (far) => ordersFirst(own.bytes, far.bytes),",
      "prevailsOver: (far) => ordersFirst(own.bytes, far.bytes) !== (random(1)[0] as number) > 127,",
      "R7016-3.2-05",
      "R7016-3.2-07",
    ],
    ["prevailsOver: (far) => ordersFirst(own.bytes, far.bytes),", "prevailsOver: () => true,", "R7016-3.2-07"],
    [
      "overrides: (next, current) => equalBytes(next.bytes, current.bytes),",
      "overrides: (next, current) => equalBytes(next.bytes, current.bytes) && (random(1)[0] as number) < 128,",
      "R7016-3.2-05",
    ],
    [
      "sign: (parameters) => signParameters(provider, passwords, parameters),",
      "sign: (parameters) => concatBytes(signParameters(provider, passwords, parameters), random(1)),",
      "R7016-3.2-05",
    ],
    [
      "selectsSelf: (epd) => own.selectedBy(epd),",
      "selectsSelf: (epd) => own.selectedBy(epd) && (random(1)[0] as number) < 128,",
      "R7016-3.2-05",
    ],
  ),
  ...faultsOf(
    `${FLASH}/certificate.ts`,
    [
      "if (near[i] !== far[i]) return (near[i] as number) < (far[i] as number);",
      "if (near[i] !== far[i]) return true;",
      "R7016-3.2-07",
    ],
    ["return near.length <= far.length;", "return near.length >= far.length;", "R7016-3.2-07"],
  ),
  ...faultsOf(
    `${PROTO}/endpoint.ts`,
    [
      "for (const candidate of options.candidates) opening.addCandidate(candidate, now);",
      "for (const candidate of options.candidates.slice(1)) opening.addCandidate(candidate, now);",
      "R7016-3.5.1.1.1-01",
    ],
    [
      'const session = new Session(this, "initiator", this.sessions.allocateId(), "S_IHELLO_SENT", now);',
      'const session = new Session(this, "initiator", this.sessions.allocateId(), "S_KEYING_SENT", now);',
      "R7016-3.5.1.1.1-01",
      "R7016-3.5-02",
    ],
    [
      "const cipher = keys?.cipher ?? this.profile.startupCipher;",
      "const cipher = this.profile.startupCipher;",
      "R7016-3.5.1.1.1-17",
      "R7016-2.2.3-05",
    ],
    ["this.config.random(TAG_BYTES),", "new Uint8Array(TAG_BYTES),", "R7016-3.5.1.1.1-03"],
  ),
  ...faultsOf(
    `${PROTO}/startup/initiator.ts`,
    [
      "onRHello(chunk: RHelloChunk, now: number, from: Address, via: number): void {",
      'onRHello(chunk: RHelloChunk, now: number, from: Address, via: number): void { if (this.#phase === "keying") this.#phase = "hello";',
      "R7016-3.5.1.1-01",
    ],
    [
      "onRedirect(chunk: RedirectChunk, now: number, from: Address, via: number): void {",
      "onRedirect(chunk: RedirectChunk, now: number, from: Address, via: number): void { for (const address of chunk.destinations) this.#sendHello({ address, via, nextAt: now, interval: 0 }, now);",
      "R7016-3.5.1.1.1-08",
    ],
    [
      "this.session.onKeying({ host: from.host, port: from.port }, via, certificate);",
      "this.session.onKeying((this.#attempts[0] as Attempt).address, via, certificate);",
      "R7016-3.5.1.1.1-12",
    ],
    ["skic: keying.skic,", "skic: new Uint8Array(keying.skic.length),", "R7016-3.5.1.1.1-14"],
    ["cookieEcho: this.#cookie as Uint8Array,", "cookieEcho: new Uint8Array(64),", "R7016-3.5.1.1.1-14"],
    [
      "certificate: profile.certificate,",
      "certificate: (this.#certificate as FarCertificate).bytes,",
      "R7016-3.5.1.1.1-14",
    ],
    [
      "const signature = profile.sign(writer.bytes.slice(0, writer.pos));",
      "const signature = EMPTY;",
      "R7016-3.5.1.1.1-14",
    ],
    ["const farId = chunk.responderSessionId | 0;", "const farId = this.session.nearId;", "R7016-3.5.1.1.1-17"],
    [
      "if (this.#certificate === undefined) return certificate.selectedBy(this.epd);",
      "if (this.#certificate === undefined) return false;",
      "R7016-3.5.1.3-01",
      "R7016-3.5.1.3-02",
      "R7016-3.5.1.1.2-11",
    ],
    [
      "return this.#host.profile.overrides(certificate, this.#certificate);",
      "return false;",
      "R7016-3.5.1.3-01",
      "R7016-3.5.1.3-02",
      "R7016-3.5.1.1.2-11",
    ],
    ["!certificate.selectedBy(this.epd) ||", "", "R7016-3.5.1.1.1-10"],
    ["this.session.onSuperseded();", "", "R7016-3.5.1.3-02", "R7016-3.5.1.3-04"],
    ["!profile.verify(chunk.signature, concatBytes(chunk.signedParameters, keying.skic)) ||", "", "R7016-3.5.1.1.1-16"],
    [
      "attempt.interval += HANDSHAKE_RETRY_STEP_MS;",
      "attempt.interval = HANDSHAKE_RETRY_STEP_MS;",
      "R7016-3.5.1.1.1-05",
    ],
    ["this.#cookie = chunk.newCookie.slice();", "", "R7016-3.5.1.2-02"],
  ),
  ...faultsOf(
    `${PROTO}/session.ts`,
    ['this.#state = "S_KEYING_SENT";', "", "R7016-3.5.1.1.1-12", "R7016-3.5-02"],
    ["this.farId = farId;", "", "R7016-3.5.1.1.1-17", "R7016-3.5.1.1.2-15"],
  ),
  ...faultsOf(
    `${PROTO}/startup/receiver.ts`,
    [
      "this.#openings.get(toHex(chunk.tagEcho))?.onRedirect(chunk, now, from, via);",
      "[...this.#openings.values()][0]?.onRedirect(chunk, now, from, via);",
      "R7016-3.5.1.1.1-08",
    ],
    [
      "this.#openings.get(toHex(chunk.tagEcho))?.onRHello(chunk, now, from, via);",
      "[...this.#openings.values()][0]?.onRHello(chunk, now, from, via);",
      "R7016-3.5.1.1.1-10",
    ],
    [
      "else if (config.listen !== false && profile.selectsSelf(chunk.epd)) {",
      "else if (config.listen !== false) {",
      "R7016-3.5.1.4-02",
      "R7016-3.5.1.5-03",
    ],
    [
      "this.#introductions.add(chunk.epd, chunk.tag, from, via, isStranger, now);",
      "void isStranger;",
      "R7016-3.5.1.4-02",
      "R7016-3.5.1.5-03",
      "R7016-3.5.1.6-03",
    ],
    [
      "const to = { host: reply.host, port: reply.port };",
      "const to = introducer.address as Address;",
      "R7016-3.5.1.6-04",
    ],
    ["if (reader.failed || header.mode !== Mode.startup) return;", "if (reader.failed) return;", "R7016-3.4-10"],
  ),
  ...faultsOf(
    `${PROTO}/startup/responder.ts`,
    [
      "sendRHello(tag: Uint8Array, to: Address, via: number, now: number): void {",
      'sendRHello(tag: Uint8Array, to: Address, via: number, now: number): void { this.#host.sessions.add(new Session(this.#host, "responder", this.#host.sessions.allocateId(), "S_IHELLO_SENT", now));',
      "R7016-3.5.1.1-02",
    ],
    [
      "if (handshake?.wants(certificate) !== true || !profile.prevailsOver(certificate)) continue;",
      "if (handshake?.wants(certificate) !== true) continue;",
      "R7016-3.5.1.3-04",
      "R7016-3.5.1.3-02",
      "R7016-3.2-07",
    ],
    [
      "if (handshake?.wants(certificate) !== true || !profile.prevailsOver(certificate)) continue;",
      "if (handshake?.wants(certificate) !== true || profile.prevailsOver(certificate)) continue;",
      "R7016-3.5.1.3-03",
      "R7016-3.5.1.3-04",
    ],
    [
      "if (handshake?.wants(certificate) !== true || !profile.prevailsOver(certificate)) continue;",
      "if (handshake !== undefined) continue;",
      "R7016-3.5.1.3-01",
      "R7016-3.5.1.3-03",
      "R7016-3.5.1.1.2-11",
    ],
    [
      "if (handshake?.wants(certificate) === true) handshake.supersede(session);",
      "",
      "R7016-3.5.1.3-02",
      "R7016-3.5.1.3-04",
      "R7016-3.5.1.1.2-11",
    ],
    ['old?.onFailed("overridden");', "", "R7016-3.5.1.1.2-14"],
    [
      "session.onOpened(initiatorId, from, via, certificate, keying.keys, now);",
      "session.onOpened(initiatorId + 1, from, via, certificate, keying.keys, now);",
      "R7016-3.5.1.1.2-15",
    ],
    [
      "session.onOpened(initiatorId, from, via, certificate, keying.keys, now);",
      "session.onOpened(initiatorId, { host: from.host, port: 1 }, via, certificate, keying.keys, now);",
      "R7016-3.5.1.1.2-15",
    ],
    [
      'const session = new Session(this.#host, "responder", sessions.allocateId(), "S_IHELLO_SENT", now);',
      'const session = new Session(this.#host, "responder", initiatorId, "S_IHELLO_SENT", now);',
      "R7016-3.5.1.1.2-15",
    ],
    [
      "const signature = this.#sign(nearId, keying.skrc, skic);",
      "const signature = this.#sign(nearId, skic, skic);",
      "R7016-3.5.1.1.2-15",
    ],
    [
      "return this.#host.profile.sign(concatBytes(writer.bytes.subarray(0, writer.pos), skic));",
      "return this.#host.profile.sign(writer.bytes.slice(0, writer.pos));",
      "R7016-3.5.1.1.2-15",
    ],
    [
      "sender.send(reply, from, via, initiatorId, now);",
      "sender.send(reply, from, via, 0, now);",
      "R7016-3.5.1.1.2-16",
    ],
    [
      "if (certificate === undefined || !profile.verify(chunk.signature, chunk.signedParameters ?? EMPTY)) {",
      "if (certificate === undefined) {",
      "R7016-3.5.1.1.2-10",
    ],
    [
      "if (answered === undefined || answered.skic !== packBytes(chunk.skic)) return false;",
      "if (answered === undefined) return false;",
      "R7016-3.5.1.1.2-12",
    ],
    [
      "function keyOf(initiatorSessionId: number, certificate: FarCertificate): string {",
      "function keyOf(_: number, certificate: FarCertificate, initiatorSessionId = 0): string {",
      "R7016-3.5.1.1.2-12",
    ],
    [
      "function keyOf(initiatorSessionId: number, certificate: FarCertificate): string {",
      'function keyOf(initiatorSessionId: number, _: FarCertificate, certificate = { id: "" }): string {',
      "R7016-3.5.1.1.2-12",
    ],
    [
      "const newCookie = this.#cookies.make(now, from);",
      "const newCookie = chunk.cookieEcho.slice();",
      "R7016-3.5.1.1.2-09",
    ],
  ),
  ...faultsOf(`${PROTO}/session-transmit.ts`, [
    "const cipher = session.keys?.cipher;",
    "const cipher = session.keys && host.config.profile.startupCipher;",
    "R7016-3.5.1.1.2-16",
    "R7016-3.5.1.1.1-17",
  ]),
  ...faultsOf(
    `${PROTO}/introductions.ts`,
    ["if (destinations.length === 0) return false;", "if (destinations.length < 2) return false;", "R7016-3.5.1.4-02"],
    ["destinations.push(address);", "destinations.push({ ...address, port: 1 });", "R7016-3.5.1.4-02"],
    [
      "const source = { host: from.host, port: from.port };",
      "const source = { host: from.host, port: from.port + 1 };",
      "R7016-3.5.1.4-02",
      "R7016-3.5.1.5-03",
    ],
  ),
  ...faultsOf(
    `${SERVER}/rendezvous.ts`,
    [
      "return [...outer, observed, ...reported].filter(usable);",
      "return [...outer, ...reported].filter(usable);",
      "R7016-3.5.1.6-01",
    ],
    [
      "const observed = { ...sought.address, origin: Origin.observed };",
      "const observed = { ...seeker.address, origin: Origin.observed };",
      "R7016-3.5.1.6-01",
    ],
    [
      "const redirected = addresses.length > 0 && introduction.redirect(addresses);",
      "const redirected = false;",
      "R7016-3.5.1.6-03",
    ],
    [
      "if (formatAddress(reply) === formatAddress(introduction.from)) introduction.forward(target.session);",
      'if (formatAddress(reply) === formatAddress(introduction.from)) return "introduced";',
      "R7016-3.5.1.6-03",
      "R7016-3.5.1.6-04",
    ],
  ),
  ...faultsOf(`${PROTO}/session-table.ts`, [
    "return [...(Symbol.iterator in found ? found : [found])].filter((session) => session.isOpen);",
    'return [...this.#byId.values()].filter((session) => session.isOpen && id !== "");',
    "R7016-3.5.1.5-04",
  ]),
];
