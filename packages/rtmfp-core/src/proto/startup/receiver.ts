/** Takes packets under the Default Session Key apart and hands their chunks to the two roles (§3.5.1). § means RFC 7016. */
import { type Address, formatAddress, isLoopback, isUnusable } from "../address.ts";
import { ByteReader, toHex } from "../bytes.ts";
import { ChunkWalker } from "../chunk/codec.ts";
import { readStartupChunk, type StartupChunk } from "../chunk/startup.ts";
import { ChunkType, type IHelloChunk } from "../chunk/types.ts";
import { destinationsFor, type Introductions } from "../introductions.ts";
import { Mode, readPacketHeader } from "../packet.ts";
import {
  FORWARDED_HELLO_BURST,
  FORWARDED_HELLO_PER_SECOND,
  HANDSHAKE_BURST,
  IHELLO_PER_SECOND,
  MAX_TAG_BYTES,
  MIN_TAG_BYTES,
} from "../params.ts";
import type { Session } from "../session.ts";
import { Opening } from "./initiator.ts";
import { PacketReassembly } from "./packet-fragments.ts";
import { RateLimit } from "./rate-limit.ts";
import type { Responder } from "./responder.ts";
import type { StartupHost } from "./startup-host.ts";

/** See the file's head. */
export class StartupReceiver {
  readonly #host: StartupHost;
  readonly #responder: Responder;
  readonly #introductions: Introductions;
  readonly #openings = new Map<string, Opening>();
  readonly #reassembly = new PacketReassembly();
  /** Of packets that come in fragments: no handshake needs more of them than of those that come whole. */
  readonly #fragmentRate = new RateLimit(IHELLO_PER_SECOND, HANDSHAKE_BURST);
  /** True once a chunk of the present datagram may have been answered. */
  #asked = false;
  readonly #forwardRate = new RateLimit(FORWARDED_HELLO_PER_SECOND, FORWARDED_HELLO_BURST);

  constructor(host: StartupHost, responder: Responder, introductions: Introductions) {
    this.#host = host;
    this.#responder = responder;
    this.#introductions = introductions;
  }

  /** Fragmented packets that are not complete. */
  get reassemblies(): number {
    return this.#reassembly.size;
  }

  /** Answers with that opening's tag are for it. */
  expect(opening: Opening): void {
    this.#openings.set(opening.tagKey, opening);
  }

  forget(opening: Opening): void {
    this.#openings.delete(opening.tagKey);
  }

  /** A packet under the default key: for session ID 0, or for the ID of `session`, which is being opened. */
  onPacket(packet: Uint8Array, session: Session | undefined, now: number, from: Address, via: number): void {
    const reader = new ByteReader(packet);
    const header = readPacketHeader(reader);
    if (reader.failed || header.mode !== Mode.startup) {
      this.#host.stats.badMode++;
      return;
    }
    this.#asked = false;
    const walker = new ChunkWalker(packet, reader.pos);
    while (walker.next()) this.#onChunk(walker, session, now, from, via, false);
  }

  /** Forwarded IHello (§3.5.1.5): taken only from introducers, at a bounded rate (AMB-21). */
  onForwardedHello(introducer: Session, epd: Uint8Array, reply: Address, tag: Uint8Array, now: number): void {
    const { stats, profile } = this.#host;
    const loopback = introducer.address !== undefined && isLoopback(introducer.address);
    const via = this.#host.viaFor(reply, introducer.via);
    const refused =
      via === undefined ||
      !isTag(tag) ||
      introducer.introductions === "ignore" ||
      !profile.selectsSelf(epd) ||
      isUnusable(reply) ||
      (isLoopback(reply) && !loopback) ||
      !this.#forwardRate.allow(now, introducer.address ?? reply);
    if (refused) {
      stats.forwardedHellosRefused++;
      return;
    }
    stats.forwardedHellos++;
    const to = { host: reply.host, port: reply.port };
    if (introducer.introductions === "rhello") this.#responder.sendRHello(tag.slice(), to, via, now);
    else this.#responder.sendImpliedRedirect(tag.slice(), to, via, now);
  }

  #onChunk(
    walker: ChunkWalker,
    session: Session | undefined,
    now: number,
    from: Address,
    via: number,
    nested: boolean,
  ): void {
    if (!isStartupType(walker.type)) return;
    const reader = new ByteReader(walker.bytes, walker.start, walker.end);
    const chunk = readStartupChunk(walker.type, reader);
    if (reader.failed) {
      this.#host.stats.malformed++;
      return;
    }
    if (chunk.type === ChunkType.fragment) {
      if (!nested) this.#onFragment(chunk, session, now, from, via);
    } else if (session === undefined) this.#onUnbound(chunk, now, from, via);
    else this.#onBound(chunk, session, now);
  }

  #onFragment(
    chunk: StartupChunk & { type: typeof ChunkType.fragment },
    session: Session | undefined,
    now: number,
    from: Address,
    via: number,
  ): void {
    const scope = session === undefined ? `${via} ${formatAddress(from)}` : `${session.nearId}`;
    const packet = this.#reassembly.add(`${scope} ${chunk.packetId}`, chunk, now, () => {
      const allowed = this.#fragmentRate.allow(now, from);
      if (!allowed) this.#host.stats.rateLimited++;
      return allowed;
    });
    this.#host.stats.reassembliesDropped = this.#reassembly.dropped;
    if (packet === undefined) return;
    const reader = new ByteReader(packet);
    const header = readPacketHeader(reader);
    if (reader.failed || header.mode !== Mode.startup) return;
    const walker = new ChunkWalker(packet, reader.pos);
    while (walker.next()) this.#onChunk(walker, session, now, from, via, true);
  }

  /** Chunks of session ID 0. */
  #onUnbound(chunk: StartupChunk, now: number, from: Address, via: number): void {
    const { stats, profile, config } = this.#host;
    switch (chunk.type) {
      case ChunkType.iHello:
        stats.ihellos++;
        if (isUnusable(from)) return;
        if (!isTag(chunk.tag)) {
          stats.malformed++;
          return;
        }
        if (!this.#isFirst() || !this.#responder.allowHello(now, from)) stats.rateLimited++;
        else if (config.listen !== false && profile.selectsSelf(chunk.epd)) {
          this.#answerHello(chunk, now, { host: from.host, port: from.port }, via);
        } else if (config.listen !== false) {
          const isStranger = this.#host.sessions.atAddress(from) === undefined;
          this.#introductions.add(chunk.epd, chunk.tag, from, via, isStranger, now);
        }
        return;
      case ChunkType.iiKeying:
        stats.iikeyings++;
        if (!this.#isFirst()) stats.rateLimited++;
        else if (config.listen !== false) this.#responder.onIIKeying(chunk, now, from, via);
        return;
      case ChunkType.rHello:
        this.#openings.get(toHex(chunk.tagEcho))?.onRHello(chunk, now, from, via);
        return;
      case ChunkType.redirect:
        this.#openings.get(toHex(chunk.tagEcho))?.onRedirect(chunk, now, from, via);
        return;
      default:
        return;
    }
  }

  /** By RHello, or by a Redirect if the application wants the initiator elsewhere (§3.5.1.4). */
  #answerHello({ epd, tag }: IHelloChunk, now: number, from: Address, via: number): void {
    const elsewhere = this.#host.config.redirectHello?.(epd, from) ?? [];
    const tagEcho = tag.slice();
    const destinations = destinationsFor(epd, tag, elsewhere);
    if (destinations.length === 0) this.#responder.sendRHello(tagEcho, from, via, now);
    else this.#host.sender.send({ type: ChunkType.redirect, tagEcho, destinations }, from, via, 0, now);
  }

  /** The first hello or keying of a datagram, whole or in fragments, is answered, and no other: one in, one out. */
  #isFirst(): boolean {
    const first = !this.#asked;
    this.#asked = true;
    return first;
  }

  /** Chunks of a receive ID, while its session is being opened. */
  #onBound(chunk: StartupChunk, session: Session, now: number): void {
    const opening = session.opening;
    if (!(opening instanceof Opening)) return;
    if (chunk.type === ChunkType.riKeying) opening.onRIKeying(chunk, now);
    else if (chunk.type === ChunkType.cookieChange) opening.onCookieChange(chunk, now);
  }
}

function isTag(tag: Uint8Array): boolean {
  return tag.length >= MIN_TAG_BYTES && tag.length <= MAX_TAG_BYTES;
}

function isStartupType(type: number): type is StartupChunk["type"] {
  switch (type) {
    case ChunkType.fragment:
    case ChunkType.iHello:
    case ChunkType.rHello:
    case ChunkType.redirect:
    case ChunkType.cookieChange:
    case ChunkType.iiKeying:
    case ChunkType.riKeying:
      return true;
    default:
      return false;
  }
}
