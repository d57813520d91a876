/** The table: what is measured, against what, and how good it must be. */
import type { Target } from "./arithmetic.ts";
import { type Measured, ours, peers, type Sides, type Subject } from "./subject.ts";

/** One row. */
export interface Case {
  readonly name: string;
  readonly what: string;
  readonly unit: string;
  readonly subject: Subject;
  readonly reference?: Subject;
  /** Without one the row is for context. */
  readonly target?: Target;
}

/** Megabytes of user data per second. */
function rate({ driver, server }: Sides): Measured {
  const { bytes = Number.NaN, ms = Number.NaN, datagramBytes } = driver;
  const perGB = 1e9 / bytes;
  return {
    number: bytes / ms / 1_000,
    senderCpu: (driver["cpuSeconds"] ?? Number.NaN) * perGB,
    receiverCpu: (server["cpuSeconds"] ?? Number.NaN) * perGB,
    ...(datagramBytes === undefined ? {} : { note: `packets of ${datagramBytes} bytes` }),
  };
}

function p50({ driver }: Sides): Measured {
  return { number: driver["p50us"] ?? Number.NaN, note: `p99 ${Math.round(driver["p99us"] ?? Number.NaN)} us` };
}

const PINNED = { datagramBytes: 1_200 };
const CHECKSUM = ours("own one flow", "bulk", PINNED, rate);
const HMAC = ours("own one flow, HMAC", "bulk", { ...PINNED, hmac: true }, rate);
const LOSSY = ours("own with loss", "bulk", { ...PINNED, loss: 0.01 }, rate);

const HMAC_ARGS = ["-H", "-S"];
/** About what the program does in a second; it is told bytes, not seconds. */
const PEER_BYTES_PER_SECOND = { checksum: 120e6, hmac: 80e6, loss: 11e6 };
const peerBulk = (kind: keyof typeof PEER_BYTES_PER_SECOND, ...args: string[]): Subject =>
  peers(
    "bulk",
    (seconds) => ["-b", String(PEER_BYTES_PER_SECOND[kind] * seconds), ...args],
    ({ sender, receiver }) => ({
      number: sender["MBps"] ?? Number.NaN,
      senderCpu: sender["cpuPerGB"] ?? Number.NaN,
      receiverCpu: receiver["cpuPerGB"] ?? Number.NaN,
    }),
  );
const PEER_CHECKSUM = peerBulk("checksum");
const PEER_HMAC = peerBulk("hmac", ...HMAC_ARGS);

function atLeast(of: Target["of"], reach: number, aim: number): Target {
  return { of, better: "more", reach, aim };
}

function atMost(of: Target["of"], reach: number, aim: number): Target {
  return { of, better: "less", reach, aim };
}

function handshakes(group: number, reach: number, aim: number): Case {
  // The program knows 2, 14 and 16.
  const reference = peers(
    "hs",
    (seconds) => ["-g", String(group), "-k", "8", "-c", String(500 * seconds)],
    ({ sender }) => ({ number: sender["perSec"] ?? Number.NaN }),
  );
  return {
    name: `handshakes-${group}`,
    what: `handshakes, group ${group}, limits on`,
    unit: "/s",
    subject: ours(`own group ${group}`, "handshakes", { group }, ({ driver, server }) => {
      const { count = Number.NaN, ms = Number.NaN } = driver;
      const cpu = (figures: Sides["driver"]): string => (((figures["cpuSeconds"] ?? 0) * 1_000) / count).toFixed(2);
      const refused = server["rateLimited"] === 0 ? "" : `, ${server["rateLimited"]} refused by the limits`;
      return { number: (count * 1_000) / ms, note: `CPU ms: ${cpu(driver)} client, ${cpu(server)} server${refused}` };
    }),
    ...(group === 31 ? {} : { reference }),
    target: atLeast("number", reach, aim),
  };
}

function crowd(idle: number): Subject {
  return ours(`own, ${idle} idle`, "crowd", { ...PINNED, idle }, ({ server }) => ({
    number: ((server["cpuSeconds"] ?? Number.NaN) * 1e6) / (server["packets"] ?? Number.NaN),
    note: `${server["sessions"]} sessions`,
  }));
}

function relay(players: number): Case {
  return {
    name: `relay-${players}`,
    what: `server's CPU for each 2 Mbit/s that ${players} players got, HMAC`,
    unit: "% of a core",
    // By what arrived: on a machine that is too busy for all players a server that sends less must not look better.
    subject: ours(`own, ${players} players`, "relay", { players }, ({ driver, server }) => ({
      number: ((server["cpuSeconds"] ?? Number.NaN) * 100 * BYTES_PER_SECOND) / (driver["bytes"] ?? Number.NaN),
      note: [
        `resident ${kib(server["residentBytes"], players)} each`,
        `first frame ${whole(driver["firstFrameMs"])} ms, at most ${whole(driver["worstFirstFrameMs"])}`,
        `delay at most ${whole(driver["worstDelayMs"])} ms`,
        `${whole(((driver["bytes"] ?? 0) * 8) / players / (driver["ms"] ?? 1))} kbit/s each`,
        `${server["droppedMessages"]} dropped`,
      ].join(", "),
    })),
    target: atMost("number", 0.9, 0.6),
  };
}

/** 2 Mbit/s. */
const BYTES_PER_SECOND = 250_000;

function kib(bytes: number | undefined, among: number): string {
  return `${((bytes ?? Number.NaN) / among / 1024).toFixed(0)} KiB`;
}

function whole(value: number | undefined): string {
  return (value ?? Number.NaN).toFixed(0);
}

/** Of each connected client that does nothing. */
function clients(what: string, key: "heapBytes" | "residentBytes", reach: number, aim: number): Case {
  return {
    name: `clients-${what}`,
    what: `${what} memory per idle NetConnection, HMAC, from 2,000 to 10,000 after GC`,
    unit: "B",
    subject: ours("own server", "clients", { idle: 10_000 }, ({ server }) => ({
      number: server[key] ?? Number.NaN,
      note: `${server["sessions"]} connected, external ${whole(server["externalBytes"])} B`,
    })),
    target: atMost("number", reach, aim),
  };
}

/** Every case, in the order of the table. */
export const CASES: readonly Case[] = [
  {
    name: "bulk-checksum",
    what: "bulk, 1 flow, 16 KB messages, 1200 B packets, checksum",
    unit: "MB/s",
    subject: CHECKSUM,
    reference: PEER_CHECKSUM,
    target: atLeast("ratio", 0.4, 0.6),
  },
  {
    name: "bulk-hmac",
    what: "same, HMAC-16 + sequence numbers",
    unit: "MB/s",
    subject: HMAC,
    reference: PEER_HMAC,
    target: atLeast("ratio", 0.4, 0.6),
  },
  {
    name: "mtu-checksum",
    what: "bulk with MTU discovery, checksum",
    unit: "MB/s",
    subject: ours("own, discovery", "bulk", {}, rate),
    reference: PEER_CHECKSUM,
    target: atLeast("ratio", 1.3, 2),
  },
  {
    name: "mtu-hmac",
    what: "same, HMAC-16 + sequence numbers",
    unit: "MB/s",
    subject: ours("own, discovery, HMAC", "bulk", { hmac: true }, rate),
    reference: PEER_HMAC,
    target: atLeast("ratio", 1.1, 1.6),
  },
  {
    name: "flows",
    what: "50 flows, 1200 B",
    unit: "MB/s",
    subject: ours("own 50 flows", "bulk", { ...PINNED, flows: 50 }, rate),
    reference: CHECKSUM,
    target: atLeast("ratio", 0.9, 1),
  },
  {
    name: "loss",
    what: "1 % random loss at both senders' output",
    unit: "MB/s",
    subject: LOSSY,
    reference: CHECKSUM,
    target: atLeast("ratio", 0.35, 0.6),
  },
  {
    name: "loss-peer",
    what: "same, against the peer under the same loss",
    unit: "MB/s",
    subject: LOSSY,
    reference: peerBulk("loss", "-l", "0.01"),
    target: atLeast("ratio", 2.5, 5),
  },
  {
    name: "ping",
    what: "ping-pong 100 B, p50",
    unit: "us",
    subject: ours("own echo", "echo", PINNED, p50),
    reference: ours("dgram echo with AES", "rawEcho", {}, p50),
    target: atMost("ratio", 1.5, 1.2),
  },
  handshakes(31, 1_500, 2_500),
  handshakes(14, 600, 1_000),
  handshakes(2, 1_200, 2_500),
  {
    name: "heap",
    what: "heap per idle core session after GC",
    unit: "B",
    subject: ours("own session", "heap", { idle: 4_000 }, ({ driver }) => ({
      number: driver["heapBytes"] ?? Number.NaN,
      note: `external ${Math.round(driver["externalBytes"] ?? 0)} B, resident ${Math.round(driver["residentBytes"] ?? 0)} B`,
    })),
    target: atMost("number", 6_144, 3_072),
  },
  {
    name: "idle",
    what: "server's CPU per packet, 10,000 idle + 100 active sessions",
    unit: "us",
    subject: crowd(10_000),
    reference: crowd(0),
    target: atMost("ratio", 1.15, 1.05),
  },
  ...[10, 40, 80].map(relay),
  clients("resident", "residentBytes", 16_384, 12_288),
  clients("heap", "heapBytes", 8_192, 5_120),
  {
    name: "raw",
    what: "raw dgram, 1200 B",
    unit: "MB/s",
    subject: ours("dgram", "raw", PINNED, rate),
    reference: CHECKSUM,
  },
  {
    name: "tls",
    what: "TLS over TCP",
    unit: "MB/s",
    subject: ours("TLS", "tls", {}, rate),
    reference: CHECKSUM,
  },
];
