/** Random packets: from noise to what a peer in its right mind might send. § means RFC 7016. */
import { ByteWriter, concatBytes, EMPTY } from "../../packages/rtmfp-core/src/proto/bytes.ts";
import { ChunkType } from "../../packages/rtmfp-core/src/proto/chunk/types.ts";
import type { Prng } from "../../packages/rtmfp-core/src/testing/index.ts";

/** What the fuzzer knows and may use. */
export interface Knowledge {
  /** Byte strings worth echoing: tags, cookies, certificates, discriminators, keying components, session IDs. */
  readonly strings: readonly Uint8Array[];
  /** Flow IDs in use on either side. */
  readonly flowIds: readonly number[];
}

/** One of the items. */
export function pick<T>(prng: Prng, items: readonly T[]): T {
  return items[prng.int(items.length)] as T;
}

/** A number with a liking for edges. */
export function anyNumber(prng: Prng): number {
  switch (prng.int(8)) {
    case 0:
      return Number.MAX_SAFE_INTEGER - prng.int(4);
    case 1:
      return 2 ** prng.int(53) + prng.int(3) - 1;
    case 2:
      return prng.u32();
    default:
      return prng.int(40);
  }
}

/** Flags byte, perhaps timestamps, and some chunks; `mode` is what a peer in its right mind would put there. */
export function anyPacket(prng: Prng, mode: number, known: Knowledge, startup: boolean): Uint8Array {
  const flags = prng.chance(0.05) ? prng.int(256) : mode | (startup ? 0 : prng.int(64) << 2);
  const times = (flags & 8 ? 2 : 0) + (flags & 4 ? 2 : 0);
  const parts = [Uint8Array.of(flags), prng.bytes(times)];
  const count = 1 + prng.int(prng.chance(0.1) ? 60 : 5);
  for (let i = 0; i < count; i++) parts.push(anyChunk(prng, known, startup));
  if (prng.chance(0.1)) parts.push(prng.bytes(prng.int(20)));
  const packet = concatBytes(...parts);
  return prng.chance(0.15) ? mutate(prng, packet) : packet;
}

/** Flips, cuts, doubles or overwrites a little. */
export function mutate(prng: Prng, bytes: Uint8Array): Uint8Array {
  const out = bytes.slice();
  if (out.length === 0) return prng.bytes(prng.int(30));
  switch (prng.int(5)) {
    case 0:
      return out.subarray(0, prng.int(out.length));
    case 1:
      return concatBytes(out, prng.bytes(prng.int(64)));
    case 2: {
      const at = prng.int(out.length);
      return concatBytes(out.subarray(0, at), out.subarray(prng.int(out.length)));
    }
    default:
      for (let i = 0; i <= prng.int(4); i++) {
        const at = prng.int(out.length);
        out[at] = prng.chance(0.5) ? prng.int(256) : (out[at] as number) ^ (1 << prng.int(8));
      }
      return out;
  }
}

function anyChunk(prng: Prng, known: Knowledge, startup: boolean): Uint8Array {
  const ofStartup = startup !== prng.chance(0.05);
  const type = prng.chance(0.04) ? prng.int(256) : pick(prng, ofStartup ? STARTUP_TYPES : SESSION_TYPES);
  const payload = anyPayload(prng, type, known);
  const length = prng.chance(0.03) ? prng.int(65_536) : Math.min(payload.length, 65_535);
  return concatBytes(Uint8Array.of(type, length >> 8, length & 0xff), payload.subarray(0, 65_535));
}

function anyPayload(prng: Prng, type: number, known: Knowledge): Uint8Array {
  if (prng.chance(0.03)) return prng.bytes(prng.int(100));
  const flow = (): Uint8Array =>
    vlu(prng.chance(0.9) && known.flowIds.length > 0 ? pick(prng, known.flowIds) : anyNumber(prng));
  const string = (): Uint8Array => anyString(prng, known);
  const number = (): Uint8Array => vlu(anyNumber(prng));
  switch (type) {
    case ChunkType.fragment:
      return concatBytes(
        Uint8Array.of(prng.int(2) << 7),
        vlu(prng.int(3)),
        vlu(prng.chance(0.9) ? prng.int(6) : anyNumber(prng)),
        fragment(prng, known),
      );
    case ChunkType.iHello:
      return concatBytes(sized(string()), string());
    case ChunkType.forwardedIHello:
      return concatBytes(sized(string()), anyAddress(prng), string());
    case ChunkType.rHello:
      return concatBytes(sized(string()), sized(string()), string());
    case ChunkType.redirect:
      return concatBytes(sized(string()), ...Array.from({ length: prng.int(30) }, () => anyAddress(prng)));
    case ChunkType.cookieChange:
      return concatBytes(sized(string()), string());
    case ChunkType.iiKeying:
      return concatBytes(
        prng.bytes(4),
        sized(string()),
        sized(string()),
        sized(string()),
        prng.chance(0.7) ? EMPTY : string(),
      );
    case ChunkType.riKeying:
      return concatBytes(prng.bytes(4), sized(string()), prng.chance(0.7) ? EMPTY : string());
    case ChunkType.ping:
    case ChunkType.pingReply:
      return prng.chance(0.2) ? concatBytes(Uint8Array.of(0x4d), prng.bytes(40)) : string();
    case ChunkType.userData:
      return userData(prng, flow());
    case ChunkType.nextUserData:
      return concatBytes(Uint8Array.of(prng.int(256)), anyOptions(prng), prng.bytes(prng.int(50)));
    case ChunkType.ackBitmap:
    case ChunkType.ackRanges:
      return concatBytes(flow(), number(), number(), prng.bytes(prng.int(prng.chance(0.1) ? 1_200 : 6)));
    case ChunkType.bufferProbe:
      return flow();
    case ChunkType.flowException:
      return concatBytes(flow(), number());
    default:
      return prng.chance(0.7) ? EMPTY : prng.bytes(prng.int(40));
  }
}

function userData(prng: Prng, flow: Uint8Array): Uint8Array {
  const sn = prng.chance(0.8) ? 1 + prng.int(60) : anyNumber(prng);
  const offset = prng.chance(0.9) ? Math.min(sn, prng.int(5)) : anyNumber(prng);
  const flags = (prng.int(4) << 4) | (prng.chance(0.2) ? 2 : 0) | (prng.chance(0.05) ? 1 : 0);
  if (!prng.chance(0.4))
    return concatBytes(Uint8Array.of(flags), flow, vlu(sn), vlu(offset), prng.bytes(prng.int(200)));
  return concatBytes(
    Uint8Array.of(flags | 0x80),
    flow,
    vlu(sn),
    vlu(offset),
    anyOptions(prng),
    prng.bytes(prng.int(200)),
  );
}

/** Metadata, an association, unknown ones, and sometimes no end. */
function anyOptions(prng: Prng): Uint8Array {
  const parts: Uint8Array[] = [];
  if (prng.chance(0.9)) parts.push(option(0, prng.bytes(prng.int(9))));
  if (prng.chance(0.2)) parts.push(option(10, vlu(2 + prng.int(4))));
  while (prng.chance(0.1)) parts.push(option(anyNumber(prng), prng.bytes(prng.int(9))));
  if (prng.chance(0.95)) parts.push(Uint8Array.of(0));
  return concatBytes(...parts);
}

/** A part of a startup packet, whole or cut, or one more fragment. */
function fragment(prng: Prng, known: Knowledge): Uint8Array {
  if (prng.chance(0.3)) return anyPacket(prng, 3, known, true);
  if (prng.chance(0.05)) return prng.bytes(20_000);
  return prng.bytes(prng.int(60));
}

function anyAddress(prng: Prng): Uint8Array {
  const ipv6 = prng.chance(0.2);
  return concatBytes(Uint8Array.of((ipv6 ? 0x80 : 0) | prng.int(8)), prng.bytes(ipv6 ? 16 : 4), prng.bytes(2));
}

function anyString(prng: Prng, known: Knowledge): Uint8Array {
  if (prng.chance(0.8) && known.strings.length > 0) {
    const string = pick(prng, known.strings);
    return prng.chance(0.1) ? mutate(prng, string) : string;
  }
  return prng.bytes(prng.chance(0.02) ? prng.int(65_000) : prng.int(80));
}

function option(type: number, value: Uint8Array): Uint8Array {
  return sized(concatBytes(vlu(type), value));
}

function sized(bytes: Uint8Array): Uint8Array {
  return concatBytes(vlu(bytes.length), bytes);
}

function vlu(value: number): Uint8Array {
  const writer = new ByteWriter(new Uint8Array(8));
  writer.vlu(value);
  return writer.bytes.subarray(0, writer.pos);
}

const STARTUP_TYPES: readonly number[] = [
  ChunkType.fragment,
  ChunkType.iHello,
  ChunkType.rHello,
  ChunkType.redirect,
  ChunkType.cookieChange,
  ChunkType.iiKeying,
  ChunkType.riKeying,
];
const SESSION_TYPES: readonly number[] = [
  ...new Array<number>(8).fill(ChunkType.userData),
  ...new Array<number>(5).fill(ChunkType.nextUserData),
  ...new Array<number>(3).fill(ChunkType.ackBitmap),
  ...new Array<number>(3).fill(ChunkType.ackRanges),
  ChunkType.ping,
  ChunkType.pingReply,
  ChunkType.bufferProbe,
  ChunkType.flowException,
  ChunkType.forwardedIHello,
  ChunkType.padding0,
  ChunkType.padding255,
];
