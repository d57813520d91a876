/** One round: a fresh endpoint in one role, a thousand inputs, then peace, after which nothing may be left. */
import type { CryptoProfile } from "../../packages/rtmfp-core/src/proto/crypto-profile.ts";
import { Endpoint, TRANSMIT_BUFFER_BYTES } from "../../packages/rtmfp-core/src/proto/endpoint.ts";
import { SESSION_ID_BYTES, scrambleSessionId } from "../../packages/rtmfp-core/src/proto/packet.ts";
import {
  MAX_CONTROL_QUEUE,
  MAX_JOBS,
  MAX_PENDING_INTRODUCTIONS,
  MAX_REASSEMBLIES,
  MAX_SEQUENCE_RANGES,
} from "../../packages/rtmfp-core/src/proto/params.ts";
import type { Session } from "../../packages/rtmfp-core/src/proto/session.ts";
import { Prng } from "../../packages/rtmfp-core/src/testing/index.ts";
import { bulk } from "./bulk.ts";
import { checkReceiving, over } from "./held.ts";
import { anyPacket, type Knowledge, mutate, pick } from "./packets.ts";
import type { Pair } from "./pairs.ts";
import { MAX_SESSIONS, type Sent, Target } from "./target.ts";

/** What a round did. */
export interface RoundResult {
  readonly inputs: number;
  readonly replies: number;
  readonly sessions: number;
  readonly flows: number;
  readonly failure: Error | undefined;
}

/** Runs one round against the pair's near end. */
export function fuzzRound(seed: string, number: number, { near, far }: Pair): RoundResult {
  const round = new Round(new Prng(`fuzz ${seed} ${number}`), near, far);
  let failure: Error | undefined;
  try {
    round.attack();
    round.rest();
  } catch (error) {
    failure = error instanceof Error ? error : new Error(String(error));
  }
  const { target, inputs, replies } = round;
  const { sessionsOpened } = target.endpoint.stats;
  return { inputs, replies, sessions: sessionsOpened, flows: target.recvFlows.length, failure };
}

class Round {
  readonly target: Target;
  inputs = 0;
  replies = 0;
  readonly #prng: Prng;
  /** An honest peer, whose packets and keys the fuzzer uses. */
  readonly #accomplice: Endpoint;
  readonly #buffer = new Uint8Array(TRANSMIT_BUFFER_BYTES);
  readonly #corpus: Uint8Array[] = [];
  readonly #strings: Uint8Array[] = [];
  /** Fills the budget of all sessions. */
  readonly #heavy: boolean;
  #now = 1_000_000;

  constructor(prng: Prng, near: CryptoProfile, far: CryptoProfile) {
    this.#prng = prng;
    this.#heavy = prng.chance(0.3);
    this.target = new Target(prng.fork("target"), near, true, this.#heavy ? HEAVY_RECEIVE_BYTES : undefined);
    const random = prng.fork("accomplice");
    this.#accomplice = new Endpoint({ profile: far, random: (length) => random.bytes(length) });
    for (const profile of [near, far]) {
      this.#strings.push(profile.certificate);
      const epd = profile.parseCertificate(profile.certificate)?.canonicalEpd;
      if (epd !== undefined) this.#strings.push(epd);
    }
  }

  attack(): void {
    const prng = this.#prng;
    this.#connect();
    for (let i = 0; i < 300; i++) {
      if (prng.chance(0.3)) this.target.call(this.#now);
      if (prng.chance(0.02)) this.#connect();
      const batch = Array.from({ length: 1 + prng.int(4) }, () => ({
        bytes: this.#input(),
        from: this.#source(),
        via: prng.int(2),
      }));
      this.inputs += batch.length;
      this.target.endpoint.handleDatagrams(this.#now, batch);
      if (prng.chance(this.#heavy ? 0.1 : 0.02)) this.#sendBulk();
      if (prng.chance(0.7)) this.#turn();
      this.#now += prng.chance(0.05) ? prng.int(20_000) : prng.int(30);
      this.target.endpoint.handleTimeout(this.#now);
      this.#checkCaps();
    }
  }

  /** Everybody behaves, closes and leaves; lingers and lifetimes pass. */
  rest(): void {
    const { target } = this;
    target.calm(this.#now);
    for (const session of [...target.endpoint.sessions.all]) session.close(this.#now);
    for (let i = 0; i < 400; i++) {
      this.#turn(0);
      this.#now += 1_000;
      target.endpoint.handleTimeout(this.#now);
    }
    target.turn(this.#now);
    const { endpoint } = target;
    if (endpoint.sessions.size > 0) throw new Error(`${endpoint.sessions.size} sessions are left`);
    if (endpoint.timers.size > 0) throw new Error(`${endpoint.timers.size} timers are left`);
    if (endpoint.receiveBudget.heldBytes !== 0) throw new Error("the budget of received bytes is not returned");
    if (endpoint.receiveBudget.heldRanges !== 0) throw new Error("the budget of runs above gaps is not returned");
    if (endpoint.load.jobs > 0) throw new Error(`${endpoint.load.jobs} jobs are left`);
    for (const flow of target.recvFlows) {
      while (flow.read() !== undefined) {}
      if (flow.bufferedBytes !== 0) throw new Error(`a receiving flow in ${flow.state} still holds bytes`);
    }
    for (const flow of target.sendFlows) {
      if (flow.bufferedBytes !== 0 || flow.outstandingBytes !== 0) throw new Error("a sending flow still holds bytes");
    }
    for (const receipt of target.receipts) if (receipt.state === "queued") throw new Error("a message is undecided");
  }

  /** Both ends try to open a session, by turns with success. */
  #connect(): void {
    const prng = this.#prng;
    const { endpoint } = this.target;
    const epdOf = (side: Endpoint): Uint8Array =>
      side.profile.parseCertificate(side.profile.certificate)?.canonicalEpd ?? new Uint8Array(0);
    if (prng.chance(0.6))
      this.#accomplice.open(this.#now, epdOf(endpoint), { candidates: [{ address: NEAR, via: 0 }] });
    else
      endpoint.open(this.#now, epdOf(this.#accomplice), { candidates: [{ address: FAR, via: 0 }], timeoutMs: 5_000 });
    if (prng.chance(0.7)) for (let i = 0; i < 6; i++) this.#turn(1);
  }

  /** Lets both speak; what the target sends reaches the accomplice with the given probability. */
  #turn(reaches = 0.5): void {
    const toTarget: Uint8Array[] = [];
    for (const sent of this.target.turn(this.#now)) {
      this.replies++;
      this.#learn(sent);
      if (sent.to.host === FAR.host && this.#prng.chance(reaches))
        this.#accomplice.handleDatagrams(this.#now, [{ bytes: sent.bytes, from: NEAR, via: 0 }]);
    }
    this.#accomplice.handleTimeout(this.#now);
    for (let event = this.#accomplice.pollEvent(); event !== undefined; event = this.#accomplice.pollEvent()) {
      if (event.type === "job")
        this.#accomplice.completeJob(this.#now, event.id, this.#accomplice.profile.runJob(event.job));
    }
    for (let i = 0; i < 50; i++) {
      const out = this.#accomplice.pollTransmit(this.#now, this.#buffer);
      if (out === undefined) break;
      toTarget.push(this.#buffer.slice(0, out.length));
    }
    for (const bytes of toTarget) {
      this.#remember(bytes);
      if (this.#prng.chance(reaches)) this.target.endpoint.handleDatagrams(this.#now, [{ bytes, from: FAR, via: 0 }]);
    }
  }

  /** Keeps what a startup packet shows: tags, cookies, keying components. */
  #learn({ bytes }: Sent): void {
    this.#remember(bytes);
    const packet = this.#accomplice.profile.startupCipher.open(bytes.slice(SESSION_ID_BYTES));
    if (packet === undefined || (packet[0] as number) !== 3) return;
    for (const length of [16, 32, 64]) {
      const at = this.#prng.int(Math.max(1, packet.length - length));
      this.#strings.push(packet.slice(at, at + length));
    }
    for (const string of stringsOf(packet)) this.#strings.push(string);
    if (this.#strings.length > 80) this.#strings.splice(4, this.#strings.length - 80);
  }

  #remember(bytes: Uint8Array): void {
    if (this.#corpus.length < 60) this.#corpus.push(bytes);
    else this.#corpus[this.#prng.int(60)] = bytes;
  }

  #input(): Uint8Array {
    const prng = this.#prng;
    const roll = prng.next();
    if (roll < 0.05) return prng.bytes(prng.int(prng.chance(0.1) ? 3_000 : 100));
    if (roll < 0.25 && this.#corpus.length > 0) {
      const seen = pick(prng, this.#corpus);
      return prng.chance(0.3) ? seen : mutate(prng, seen);
    }
    const session = pick(
      prng,
      [...this.#accomplice.sessions.all].filter((one) => one.keys !== undefined),
    ) as Session | undefined;
    if (roll < 0.5 || session?.keys === undefined) return this.#startup();
    const packet = anyPacket(prng, session.role === "initiator" ? 1 : 2, this.#knowledge(), false);
    const { cipher } = session.keys;
    return this.#seal(packet, cipher, session.farId);
  }

  /** Large pieces of one flow, to fill windows and budgets. */
  #sendBulk(): void {
    const open = [...this.#accomplice.sessions.all].filter((one) => one.keys !== undefined && one.farId !== 0);
    const session = pick(this.#prng, open) as Session | undefined;
    const keys = session?.keys;
    if (session === undefined || keys === undefined) return;
    const flows = [...(this.target.endpoint.sessions.get(session.farId)?.receives.flows ?? [])];
    const batch = bulk(this.#prng, session.role === "initiator" ? 1 : 2, flows).map((packet) => ({
      bytes: this.#seal(packet, keys.cipher, session.farId),
      from: FAR,
      via: 0,
    }));
    this.inputs += batch.length;
    this.target.endpoint.handleDatagrams(this.#now, batch);
  }

  #startup(): Uint8Array {
    const prng = this.#prng;
    const ids = [...this.target.endpoint.sessions.all].map(({ nearId }) => nearId);
    const id = prng.chance(0.6) || ids.length === 0 ? 0 : pick(prng, ids);
    return this.#seal(anyPacket(prng, 3, this.#knowledge(), true), this.#accomplice.profile.startupCipher, id);
  }

  #seal(packet: Uint8Array, cipher: CryptoProfile["startupCipher"], id: number): Uint8Array {
    const start = SESSION_ID_BYTES + cipher.headroom;
    const cut = packet.subarray(0, TRANSMIT_BUFFER_BYTES - start - 64);
    this.#buffer.set(cut, start);
    const end = cipher.seal(this.#buffer, start, start + cut.length);
    scrambleSessionId(this.#buffer, end, id);
    const datagram = this.#buffer.slice(0, end);
    return this.#prng.chance(0.05) ? mutate(this.#prng, datagram) : datagram;
  }

  #knowledge(): Knowledge {
    return { strings: this.#strings, flowIds: [2, 3, 4, 5, 6, 7, 8, 9] };
  }

  #source(): { host: string; port: number } {
    const prng = this.#prng;
    if (prng.chance(0.8)) return FAR;
    if (prng.chance(0.1)) return { host: prng.chance(0.5) ? "0.0.0.0" : "127.0.0.1", port: prng.int(65_536) };
    return { host: `198.51.100.${prng.int(256)}`, port: prng.int(65_536) };
  }

  #checkCaps(): void {
    const { endpoint } = this.target;
    const { introductions, jobs, reassemblies } = endpoint.load;
    const opening = [...endpoint.sessions.opening].length;
    over("introductions", introductions, MAX_PENDING_INTRODUCTIONS);
    over("jobs", jobs, MAX_JOBS);
    over("reassemblies", reassemblies, MAX_REASSEMBLIES);
    over("sessions", endpoint.sessions.size - opening, MAX_SESSIONS * 2);
    for (const session of endpoint.sessions.all) {
      over("control chunks", session.control.length, MAX_CONTROL_QUEUE);
      for (const flow of session.receives.flows) over("ranges", flow.seen.rangeCount, MAX_SEQUENCE_RANGES);
    }
    checkReceiving(endpoint);
  }
}

/** The length-prefixed strings at plausible places of a startup packet's first chunk. */
function stringsOf(packet: Uint8Array): Uint8Array[] {
  const found: Uint8Array[] = [];
  for (const first of [4, 8]) {
    for (let at = first; at < packet.length && (packet[at] as number) < 0x80; ) {
      const length = packet[at] as number;
      if (at + 1 + length > packet.length) break;
      found.push(packet.slice(at + 1, at + 1 + length));
      at += 1 + length;
    }
  }
  return found;
}

const HEAVY_RECEIVE_BYTES = 1_048_576;
const NEAR = { host: "192.0.2.1", port: 1935 };
const FAR = { host: "192.0.2.2", port: 1935 };
