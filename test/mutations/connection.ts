/** Faults in messages, connections and streams (RFC 7425 §5 to §7). */
import { type Fault, faultsOf } from "./fault.ts";

const CLIENT = "packages/rtmfp-client/src";
const CRYPTO = "packages/rtmfp-core/src/crypto";
const NODE = "packages/rtmfp-core/src/node";
const PROTO = "packages/rtmfp-core/src/proto";
const SERVER = "packages/rtmfp-server/src";
const TC = "packages/rtmfp-core/src/tc";

/** From the bytes of a message to who opens which flow, in all three packages. */
export const CONNECTION_FAULTS: readonly Fault[] = [
  ...faultsOf(
    `${TC}/message.ts`,
    ["if (payload.length > MAX_PAYLOAD_BYTES) {", "if (payload.length > MAX_PAYLOAD_BYTES + 1) {", "R7425-5.1-01"],
    [
      "new DataView(bytes.buffer).setUint32(1, timestamp >>> 0);",
      "new DataView(bytes.buffer).setUint32(1, Math.min(timestamp, 0xffffffff));",
      "R7425-5.1-01",
    ],
    [
      "new DataView(bytes.buffer).setUint32(1, timestamp >>> 0);",
      "new DataView(bytes.buffer).setUint32(1, timestamp >>> 0, true);",
      "R7425-5.1.2-01",
    ],
    [
      "const timestamp = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES).getUint32(1);",
      "const timestamp = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES).getUint32(1, true);",
      "R7425-5.1.2-01",
    ],
    [
      "return type >= 1 && type <= 6 && type !== MessageType.userControl;",
      "return type >= 1 && type <= 5 && type !== MessageType.userControl;",
      "R7425-5.1-03",
    ],
    [
      "return type >= 1 && type <= 6 && type !== MessageType.userControl;",
      "return type >= 2 && type <= 6 && type !== MessageType.userControl;",
      "R7425-5.1-03",
    ],
    [
      "if (type === undefined || bytes.length < HEADER_BYTES || isProtocolControl(type)) return undefined;",
      "if (type === undefined || bytes.length < HEADER_BYTES) return undefined;",
      "R7425-5.1-03",
    ],
  ),
  ...faultsOf(
    `${TC}/metadata.ts`,
    [
      'const SIGNATURE: readonly number[] = [0x54, 0x43]; // "TC"',
      "const SIGNATURE: readonly number[] = [0x43, 0x54];",
      "R7425-5.1.1-02",
    ],
    ["const STREAM_ID_PRESENT = 0x04;", "const STREAM_ID_PRESENT = 0x08;", "R7425-5.1.1-02", "R7425-5.1.1-03"],
    ["const NETWORK_ORDER = 0x01;", "const NETWORK_ORDER = 0x02;", "R7425-5.1.1-04"],
    [
      'return { streamId, receiveIntent: (flags & NETWORK_ORDER) === 0 ? "sequence" : "network" };',
      'return { streamId, receiveIntent: (flags & NETWORK_ORDER) === 0 ? "network" : "sequence" };',
      "R7425-5.1.1-04",
    ],
    ["export const MAX_STREAM_ID = 0xffffff;", "export const MAX_STREAM_ID = 0x1ffffff;", "R7425-5.1-01"],
  ),
  ...faultsOf(
    `${TC}/user-control.ts`,
    ["flowSync: 34,", "flowSync: 35,", "R7425-5.2-01"],
    [
      "return { event, syncId: first, count: second };",
      "return { event, syncId: second, count: first };",
      "R7425-5.2-01",
    ],
    ["return [control.syncId, control.count];", "return [control.count, control.syncId];", "R7425-5.2-01"],
    ["setKeepalive: 41,", "setKeepalive: 40,", "R7425-5.3.4-01"],
    [
      "return { event, serverMs: first, peerMs: second };",
      "return { event, serverMs: second, peerMs: first };",
      "R7425-5.3.4-01",
    ],
    ["return [control.serverMs, control.peerMs];", "return [control.peerMs, control.serverMs];", "R7425-5.3.4-01"],
    [
      'if (control.event === "flowSync" && control.count === 0) throw new RangeError("flowSync: the count is at least 1");',
      "",
      "R7425-5.2-03",
    ],
  ),
  ...faultsOf(`${TC}/keepalive.ts`, [
    "return Math.min(Math.max(askedMs, range.minMs), range.maxMs);",
    "return Math.min(askedMs, range.maxMs);",
    "R7425-5.3.4-05",
  ]),
  ...faultsOf(
    `${TC}/command.ts`,
    ["const FORMAT_AMF = 0;", "const FORMAT_AMF = 3;", "R7425-5.3.3-09"],
    [
      'if (extended && typeof value === "object" && value !== null) writer.writeAmf3(value);',
      "if (extended) writer.writeAmf3(value);",
      "R7425-5.3.3-09",
    ],
    [
      'if (extended && typeof value === "object" && value !== null) writer.writeAmf3(value);',
      "if (false) writer.writeAmf3(value);",
      "R7425-5.3.3-09",
    ],
  ),
  ...faultsOf(
    `${TC}/peer-info.ts`,
    [
      "return encodeCommand({ name: SET_PEER_INFO, transactionId: 0, commandObject: null, args: addresses }, encoding);",
      "return encodeCommand({ name: SET_PEER_INFO, transactionId: 1, commandObject: null, args: addresses }, encoding);",
      "R7425-5.3.3-02",
    ],
    [
      "return encodeCommand({ name: SET_PEER_INFO, transactionId: 0, commandObject: null, args: addresses }, encoding);",
      "return encodeCommand({ name: SET_PEER_INFO, transactionId: 0, commandObject: null, args: [addresses] }, encoding);",
      "R7425-5.3.3-02",
    ],
  ),
  ...faultsOf(
    `${TC}/uri.ts`,
    ["export const DEFAULT_PORT = 1935;", "export const DEFAULT_PORT = 1936;", "R7425-6.1-02"],
    ['if (rest === "") return { kind: "serverless", uri };', "", "R7425-6.1-01", "R7425-6.1-04"],
  ),
  ...faultsOf(`${PROTO}/recv-flow.ts`, [
    'if (this.#order === "network") this.#deliverCompleted(keep, missing);',
    'if (this.#order === "network") this.#deliverInSequence();',
    "R7425-5.1.1-07",
    "R7425-5.1.1-06",
  ]),
  ...faultsOf(
    `${TC}/message-tree.ts`,
    ["flow.accept({ order: receiveIntent });", 'flow.accept({ order: "sequence" });', "R7425-5.1.1-07"],
    ['} else this.#finish("rejected");', "}", "R7425-5.3-02"],
    [
      "const isCanonical = this.#farControl === undefined && !this.isPeerStream && metadata.streamId === 0;",
      "const isCanonical = !this.isPeerStream && metadata.streamId === 0;",
      "R7425-5.3.2-02",
    ],
    ["if (isCanonical) this.#farControl = flow;", "", "R7425-5.3.2-02"],
    [
      "answers === undefined ? options : { ...options, answers },",
      "options,",
      "R7425-5.3.2-01",
      "R7425-5.3.5-01",
      "R7425-5.4.2-01",
    ],
    ["void this.#closeSending();", "", "R7425-5.3.6-02"],
    ["await Promise.all(others.map((flow) => flow.close()));", "", "R7425-5.3.6-01"],
    ["await this.#control?.close();", "", "R7425-5.3.6-01"],
    ["else if (flow === this.#farControl) this.#onFarClose();", "", "R7425-5.3.6-02", "R7425-5.4.3-01"],
    [
      "const isRoot = flow === this.#control && !(this.isPeerStream && this.#farControl !== undefined);",
      "const isRoot = flow === this.#control && !this.isPeerStream;",
      "R7425-5.4.3-01",
    ],
    [
      "this.#onMessage?.(streamId, message, flow, missingBefore);",
      "this.#onMessage?.(0, message, flow, missingBefore);",
      "R7425-5.1.1-01",
    ],
    [
      'if (farControl === undefined) this.#control = this.#open(streamId, "sequence", { priority: CONTROL_PRIORITY });',
      'if (farControl === undefined) this.#control = this.#open(streamId, "network", { priority: CONTROL_PRIORITY });',
      "R7425-5.3.1-02",
    ],
  ),
  ...faultsOf(
    `${TC}/message-trees.ts`,
    [
      "const tree = [...this.#trees].find((each) => each.owns(answers));",
      "const tree = [...this.#trees].find(({ streamId }) => streamId === metadata.streamId);",
      "R7425-5.4.2-03",
    ],
    [
      "if (flow.answers !== undefined) {",
      "if (flow.answers !== undefined && metadata.streamId === 0) {",
      "R7425-5.4.2-03",
    ],
  ),
  ...faultsOf(
    `${CLIENT}/server-link.ts`,
    [
      "const link = await open(uri, options, CLIENT_IDENTITY, AbortSignal.any([signal, found.signal]), judge);",
      'const link = await open(uri, options, ((globalThis as unknown as Record<string, FlashProfile>)["kept"] ??= createFlashProfile({ identity: CLIENT_IDENTITY })).identity, AbortSignal.any([signal, found.signal]), judge);',
      "R7425-5.3-01",
      "R7425-7-02",
    ],
    [
      "if (fingerprint === undefined) return uriEpd(uri.uri);",
      "if (fingerprint === undefined) return uriEpd(uri.host);",
      "R7425-5.3.1-01",
    ],
    [
      "return await endpoint.connect(addresses, { epd, timeoutMs, signal }).catch((error) => {",
      "return await endpoint.connect(addresses.slice(0, 1), { epd, timeoutMs, signal }).catch((error) => {",
      "R7425-5.3.1-01",
    ],
  ),
  ...faultsOf(
    `${CLIENT}/connection-core.ts`,
    ["const tree = trees.open(0);", "const tree = trees.open(1);", "R7425-5.3.1-02"],
    [
      'if (event.code !== "NetConnection.Connect.Success") throw statusError(event);',
      "throw statusError(event);",
      "R7425-5.3.2-03",
    ],
    ["this.tree.control.write(encodeSetPeerInfo(addresses.map(formatAddress), this));", "", "R7425-5.3.3-01"],
    [
      "this.session.keepaliveMs = clampKeepalive(control.serverMs);",
      "this.session.keepaliveMs = control.serverMs;",
      "R7425-5.3.4-05",
    ],
  ),
  ...faultsOf(
    `${PROTO}/address.ts`,
    [
      'return (host.includes(":") ? ["[", host, "]:", port] : [host, ":", port]).join("");',
      'return [host, ":", port].join("");',
      "R7425-5.3.3-10",
    ],
    [
      'return (host.includes(":") ? ["[", host, "]:", port] : [host, ":", port]).join("");',
      'return (host.includes(":") ? ["[", host, "]:", port] : [host, "/", port]).join("");',
      "R7425-5.3.3-10",
    ],
  ),
  ...faultsOf(`${SERVER}/connection.ts`, [
    'this.#writer.control({ event: "setKeepalive", ...keepalive });',
    "",
    "R7425-5.3.4-01",
  ]),
  ...faultsOf(
    `${NODE}/peer-endpoint.ts`,
    ["const epd = peerEpd(peerId);", "const epd = ANY_SERVER;", "R7425-5.4.1-01"],
    ["...introducers.map((session) => ({ address: session.address, via: session.via })),", "", "R7425-5.4.1-01"],
  ),
  ...faultsOf(
    `${SERVER}/rendezvous.ts`,
    [
      "const redirected = addresses.length > 0 && introduction.redirect(addresses);",
      "const redirected = addresses.length > 0;",
      "R7425-5.4.1-02",
    ],
    [
      "if (formatAddress(reply) === formatAddress(introduction.from)) introduction.forward(target.session);",
      'if (formatAddress(reply) === formatAddress(introduction.from)) return "introduced";',
      "R7425-5.4.1-02",
    ],
  ),
  ...faultsOf(
    `${CLIENT}/peer-links.ts`,
    ["const tree = link.trees.open(this.#nextStreamId++);", "const tree = link.trees.open(0);", "R7425-5.4.1-04"],
    ["if (streamId === 0) return;", "if (streamId !== 0) return;", "R7425-5.4.2-01"],
    [
      'if (name === "play" && typeof args[0] === "string") this.#onPlay(tree, session, args[0]);',
      'if (typeof args[0] === "string") this.#onPlay(tree, session, "x");',
      "R7425-5.4.2-01",
      "R7425-5.4.1-05",
    ],
  ),
  ...faultsOf(`${CLIENT}/direct-publication.ts`, [
    'this.#tree.control.write(encodeUserControl({ event: "streamBegin", streamId: this.#tree.streamId }));',
    "",
    "R7425-5.4.2-02",
  ]),
  ...faultsOf(`${CLIENT}/net-connection.ts`, [
    'const target = parse(uri ?? "rtmfp:");',
    'const target = parse(uri ?? "rtmfp:///");',
    "R7425-6.1-04",
  ]),
  ...faultsOf(`${CRYPTO}/flash/certificate.ts`, [
    "const EPHEMERAL_GROUP = 0x15;",
    "const EPHEMERAL_GROUP = 0x16;",
    "R7425-6-01",
  ]),
  ...faultsOf(`${CRYPTO}/flash/keying-component.ts`, [
    "const SEQUENCE_NEGOTIATION = 0x1e;",
    "const SEQUENCE_NEGOTIATION = 0x1f;",
    "R7425-6-01",
  ]),
];
