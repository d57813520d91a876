/**
 * Sockets beside the server's own, by which it learns what a peer's NAT does: a peer is asked for an RHello from where it
 * has never sent to, or sent word to answer there. § means RFC 7016.
 */
import { type Address, type Carrier, openUdpCarrier, peerEpd, type Session } from "rtmfp-core";
import { type CryptoProvider, createStartupCipher, type FlashPacketCipher } from "rtmfp-core/crypto";
import {
  ByteWriter,
  ChunkType,
  decodePacket,
  encodePacket,
  Mode,
  SESSION_ID_BYTES,
  scrambleSessionId,
  toHex,
  unscrambleSessionId,
} from "rtmfp-core/proto";
import { type NatVerdict, reachOf } from "./nat.ts";

/** Two sockets for each address that the server listens on, at `port` and the next one; 0: any. */
export function openProbeCarrier(serverSockets: readonly Address[], port: number): Promise<Carrier> {
  const ports = port === 0 ? [0, 0] : [port, port + 1];
  const hosts = new Set(serverSockets.map(({ host }) => host));
  const bindings = [...hosts].flatMap((host) => ports.map((each) => ({ host, port: each })));
  return openUdpCarrier(bindings, { receiveBufferBytes: BUFFER_BYTES, sendBufferBytes: BUFFER_BYTES });
}

/** What a prober needs. */
export interface ProberOptions {
  /** Its own sockets; the prober owns and closes them. */
  readonly carrier: Carrier;
  /** Addresses of the server's own sockets, by `via` of the sessions. */
  readonly serverSockets: readonly Address[];
  /** Hosts by which others reach this machine, for sockets whose own address says nothing of it. */
  readonly publicHosts: () => readonly string[];
  readonly provider: CryptoProvider;
  readonly random: (length: number) => Uint8Array;
  /** Runs `run` after `ms` unless the function returned is called before. */
  readonly after: (ms: number, run: () => void) => () => void;
}

/** A socket to ask from, and where the peer reaches it: undefined if nobody knows. */
interface Vantage {
  readonly via: number;
  readonly replyTo: Address | undefined;
}

/** What can be asked of one peer, given where its session arrives. */
export interface Vantages {
  /** The address that the peer is connected to, other ports. */
  readonly otherPorts: readonly Vantage[];
  /** Other addresses, one socket each. */
  readonly otherHosts: readonly Vantage[];
}

/** Whom to ask, through which session. */
export interface Probed {
  readonly session: Session;
  readonly farID: string;
  readonly address: Address;
}

/** See the file's head. It never answers anybody. */
export class Prober {
  readonly #options: ProberOptions;
  readonly #cipher: FlashPacketCipher;
  /** Who waits for the answer to a tag. */
  readonly #waiting = new Map<string, (from: Address | undefined) => void>();

  constructor(options: ProberOptions) {
    this.#options = options;
    this.#cipher = createStartupCipher(options.provider);
    options.carrier.onDatagram = (bytes, from) => this.#onDatagram(bytes, from);
  }

  /** The sockets of use for one peer, without those of which it could not say where they are. */
  vantages({ session, address }: Probed): Vantages {
    const own = this.#options.serverSockets[session.via]?.host ?? "";
    const sockets = this.#options.carrier.sockets.filter((socket) => isIpv6(socket.address.host) === isIpv6(own));
    const here = sockets.filter((socket) => socket.address.host === own);
    const elsewhere = sockets.filter(({ address: { host } }, i) => {
      const isFirst = sockets.findIndex((other) => other.address.host === host) === i;
      return host !== own && isFirst && !isWildcard(own) && !isWildcard(host) && reachOf(host) >= reachOf(address.host);
    });
    return {
      otherPorts: here.map((socket) => ({
        via: socket.via,
        replyTo: this.#replyTo(socket.address, address),
      })),
      otherHosts: elsewhere.map((socket) => ({ via: socket.via, replyTo: socket.address })),
    };
  }

  /** Says hello from that socket: true if the peer heard it, for then it answered. */
  async hears({ farID, address }: Probed, { via }: Vantage): Promise<boolean> {
    const tag = this.#options.random(TAG_BYTES);
    const hello = this.#hello(farID, tag);
    return (await this.#ask(tag, () => this.#options.carrier.send(hello, via, address))) !== undefined;
  }

  /** Has the peer answer to that socket (§3.5.1.5): where the answer came from, undefined if none did. */
  async answersFrom({ session, farID }: Probed, { replyTo }: Vantage): Promise<Address | undefined> {
    if (replyTo === undefined) return undefined;
    const tag = this.#options.random(TAG_BYTES);
    return this.#ask(tag, () => session.sendFIHello(peerEpd(farID), replyTo, tag));
  }

  /** What another address of ours, or at least another port, shows of the NAT. */
  async examine(peer: Probed): Promise<Pick<NatVerdict, "symmetric" | "filtersPorts">> {
    const { otherHosts, otherPorts } = this.vantages(peer);
    const quiet = otherPorts[0];
    const invited = otherHosts.at(-1) ?? otherPorts[1];
    if (quiet === undefined || invited === undefined) return { symmetric: undefined, filtersPorts: undefined };
    const [heard, from] = await Promise.all([this.hears(peer, quiet), this.answersFrom(peer, invited)]);
    if (from === undefined) return { symmetric: undefined, filtersPorts: heard ? false : undefined };
    const { host, port } = peer.address;
    return { symmetric: from.host !== host || from.port !== port, filtersPorts: !heard };
  }

  /** Frees the sockets; what is asked stays without an answer. */
  async close(): Promise<void> {
    for (const settle of [...this.#waiting.values()]) settle(undefined);
    await this.#options.carrier.close();
  }

  /**
   * Where a peer reaches a socket of ours: by its own address if that reaches far enough, or else by the nearest that does.
   * A peer in our own network need not get there by the public address: few routers turn packets back inside.
   */
  #replyTo({ host, port }: Address, peer: Address): Address | undefined {
    const loopback = isIpv6(host) ? "::1" : "127.0.0.1";
    const publicHosts = this.#options.publicHosts();
    const hosts = isWildcard(host) ? [...publicHosts, loopback] : [host, ...publicHosts];
    const reach = reachOf(peer.host);
    const reaches = (candidate: string): boolean =>
      isIpv6(candidate) === isIpv6(host) && (reach === 0 ? reachOf(candidate) === 0 : reachOf(candidate) >= reach);
    const distance = (candidate: string): number => (candidate === host ? 0 : reachOf(candidate));
    const [found] = hosts.filter(reaches).sort((a, b) => distance(a) - distance(b));
    return found === undefined ? undefined : { host: found, port };
  }

  /** Sends until there is an answer, a few times. */
  #ask(tag: Uint8Array, send: () => void): Promise<Address | undefined> {
    if (this.#waiting.size >= MAX_WAITING) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const key = toHex(tag);
      let cancel = (): void => {};
      const settle = (from: Address | undefined): void => {
        cancel();
        this.#waiting.delete(key);
        resolve(from);
      };
      let sent = 0;
      const next = (): void => {
        if (sent++ >= TRIES) {
          settle(undefined);
          return;
        }
        send();
        cancel = this.#options.after(sent < TRIES ? INTERVAL_MS : LAST_WAIT_MS, next);
      };
      this.#waiting.set(key, settle);
      next();
    });
  }

  #hello(peerId: string, tag: Uint8Array): Uint8Array {
    const buffer = new Uint8Array(MAX_HELLO_BYTES);
    const start = SESSION_ID_BYTES + this.#cipher.headroom;
    const writer = new ByteWriter(buffer, start);
    encodePacket(writer, STARTUP_HEADER, [{ type: ChunkType.iHello, epd: peerEpd(peerId), tag }]);
    const end = this.#cipher.seal(buffer, start, writer.pos);
    scrambleSessionId(buffer, end, 0);
    return buffer.subarray(0, end);
  }

  /** An RHello to a tag of ours; all else is for nobody here. */
  #onDatagram(bytes: Uint8Array, from: Address): void {
    if (this.#waiting.size === 0 || bytes.length < MIN_DATAGRAM_BYTES || unscrambleSessionId(bytes) !== 0) return;
    const packet = this.#cipher.open(bytes.subarray(SESSION_ID_BYTES));
    const decoded = packet === undefined ? undefined : decodePacket(packet);
    if (decoded?.header.mode !== Mode.startup) return;
    for (const chunk of decoded.chunks) {
      if (chunk?.type !== ChunkType.rHello || "payload" in chunk) continue;
      this.#waiting.get(toHex(chunk.tagEcho))?.(from);
    }
  }
}

function isIpv6(host: string): boolean {
  return host.includes(":");
}

function isWildcard(host: string): boolean {
  return host === "0.0.0.0" || host === "::";
}

const STARTUP_HEADER = {
  mode: Mode.startup,
  timeCritical: false,
  timeCriticalReverse: false,
  timestamp: undefined,
  timestampEcho: undefined,
  reserved: 0,
} as const;
const TAG_BYTES = 16;
/** Session ID, header, a discriminator of 34 bytes, the tag, padding and what a cipher adds. */
const MAX_HELLO_BYTES = 256;
const MIN_DATAGRAM_BYTES = 12;
/** Questions that wait for an answer; more get none. */
export const MAX_WAITING = 512;
const BUFFER_BYTES = 64 * 1024;
const TRIES = 5;
const INTERVAL_MS = 400;
const LAST_WAIT_MS = 1_200;
