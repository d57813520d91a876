/** The endpoint under attack, with an application that calls at random, and time that the fuzzer moves. */
import type { CryptoProfile, PublicKeyResult } from "../../packages/rtmfp-core/src/proto/crypto-profile.ts";
import { Endpoint, TRANSMIT_BUFFER_BYTES } from "../../packages/rtmfp-core/src/proto/endpoint.ts";
import { RtmfpError } from "../../packages/rtmfp-core/src/proto/errors.ts";
import { PRIORITIES } from "../../packages/rtmfp-core/src/proto/priority.ts";
import type { RecvFlow } from "../../packages/rtmfp-core/src/proto/recv-flow.ts";
import type { SendFlow } from "../../packages/rtmfp-core/src/proto/send-flow.ts";
import type { Session } from "../../packages/rtmfp-core/src/proto/session.ts";
import type { WriteReceipt } from "../../packages/rtmfp-core/src/proto/write-receipt.ts";
import type { Prng } from "../../packages/rtmfp-core/src/testing/index.ts";
import { anyNumber, pick } from "./packets.ts";

/** A datagram that the endpoint sent. */
export interface Sent {
  readonly bytes: Uint8Array;
  readonly to: { readonly host: string; readonly port: number };
}

/** See the file's head. */
export class Target {
  readonly endpoint: Endpoint;
  readonly sessions = new Set<Session>();
  readonly sendFlows: SendFlow[] = [];
  readonly recvFlows: RecvFlow[] = [];
  readonly receipts: WriteReceipt[] = [];
  readonly #prng: Prng;
  readonly #profile: CryptoProfile;
  readonly #buffer = new Uint8Array(TRANSMIT_BUFFER_BYTES);
  readonly #jobs: { readonly id: number; readonly result: PublicKeyResult }[] = [];
  readonly #introductions: number[] = [];
  /** Jobs fail, wait and come twice; flows are rejected; nobody reads. */
  #wild: boolean;

  constructor(prng: Prng, profile: CryptoProfile, wild: boolean, maxReceiveBytes?: number) {
    this.#prng = prng;
    this.#profile = profile;
    this.#wild = wild;
    this.endpoint = new Endpoint({
      profile,
      random: (length) => prng.bytes(length),
      maxSessions: MAX_SESSIONS,
      listen: !wild || prng.chance(0.8),
      ...(maxReceiveBytes === undefined ? {} : { maxReceiveBytes }),
    });
  }

  /** Drains events and datagrams, as a driver does at the end of a turn. */
  turn(now: number): Sent[] {
    const sent: Sent[] = [];
    for (;;) {
      this.#tellAll(now);
      const out = this.endpoint.pollTransmit(now, this.#buffer);
      if (out === undefined) {
        if (!this.#tellAll(now)) return sent;
        continue;
      }
      sent.push({ bytes: this.#buffer.slice(0, out.length), to: { ...out.to } });
      if (sent.length > MOST_PER_TURN) throw new Error(`a turn sends more than ${MOST_PER_TURN} datagrams`);
    }
  }

  /** From now on the application behaves: answers jobs, reads, takes what comes. */
  calm(now: number): void {
    this.#wild = false;
    for (const job of this.#jobs.splice(0)) this.endpoint.completeJob(now, job.id, job.result);
    for (const flow of this.recvFlows) {
      flow.accept({ order: "sequence" });
      while (flow.read() !== undefined) {}
    }
  }

  /** One call of the API, with arguments good or bad. What it throws must be an RtmfpError. */
  call(now: number): void {
    try {
      this.#call(now);
    } catch (error) {
      if (!(error instanceof RtmfpError)) throw error;
    }
  }

  #call(now: number): void {
    const prng = this.#prng;
    const session = pick(prng, [...this.sessions]) as Session | undefined;
    const flow = pick(prng, this.sendFlows) as SendFlow | undefined;
    const received = pick(prng, this.recvFlows) as RecvFlow | undefined;
    const receipt = pick(prng, this.receipts) as WriteReceipt | undefined;
    switch (prng.int(18)) {
      case 0:
      case 1: {
        if (session === undefined) return;
        const answers = prng.chance(0.3) ? received : undefined;
        const priority = pick(prng, PRIORITIES);
        const options = answers === undefined ? { priority } : { priority, answers };
        this.sendFlows.push(session.openFlow(prng.bytes(prng.int(520)), options));
        return;
      }
      case 2:
      case 3:
      case 4: {
        if (flow === undefined) return;
        const size = prng.int(prng.chance(0.1) ? 30_000 : 300);
        const parent = prng.chance(0.3) && receipt !== undefined ? { parent: receipt } : {};
        const finishBy = prng.chance(0.3) ? { finishBy: now + prng.int(4_000) - 1_000 } : {};
        this.receipts.push(flow.write(prng.bytes(size), { ...parent, ...finishBy }));
        return;
      }
      case 5:
        receipt?.abandon();
        return;
      case 6:
        if (receipt !== undefined) receipt.startBy = now + prng.int(2_000) - 500;
        return;
      case 7:
        flow?.close();
        return;
      case 8:
        received?.accept({ order: pick(prng, ["sequence", "network", "hold"]), capacityBytes: prng.int(100_000) });
        return;
      case 9:
        received?.read();
        return;
      case 10:
        if (prng.chance(0.2)) received?.reject(anyNumber(prng));
        return;
      case 11:
        session?.ping(prng.bytes(prng.int(600)));
        return;
      case 12:
        if (prng.chance(0.03)) session?.close(now);
        return;
      case 13:
        if (prng.chance(0.03)) session?.abort();
        return;
      case 14: {
        const id = prng.chance(0.9) ? (pick(prng, this.#introductions) ?? 0) : anyNumber(prng);
        const to = {
          host: prng.chance(0.5) ? "203.0.113.7" : "2001:db8::7",
          port: prng.int(65_536),
          origin: 1,
        } as const;
        if (prng.chance(0.5)) this.endpoint.redirect(now, id, new Array(prng.int(50)).fill(to));
        if (prng.chance(0.5) && session !== undefined) this.endpoint.forward(now, id, session);
        return;
      }
      case 15:
        this.endpoint.completeJob(now, prng.int(50), {});
        return;
      case 16: {
        const job = this.#jobs.shift();
        if (job !== undefined) this.endpoint.completeJob(now, job.id, prng.chance(0.1) ? {} : job.result);
        return;
      }
      default:
        if (session !== undefined) session.introductions = pick(prng, ["ignore", "rhello", "redirect"]);
    }
  }

  #tellAll(now: number): boolean {
    let told = false;
    for (let event = this.endpoint.pollEvent(); event !== undefined; event = this.endpoint.pollEvent()) {
      told = true;
      switch (event.type) {
        case "job": {
          const result = this.#profile.runJob(event.job);
          if (this.#wild && this.#prng.chance(0.5)) this.#jobs.push({ id: event.id, result });
          else this.endpoint.completeJob(now, event.id, result);
          break;
        }
        case "incoming":
        case "open":
          this.sessions.add(event.session);
          break;
        case "closed":
          this.sessions.delete(event.session);
          break;
        case "flow":
          if (this.recvFlows.length < 3_000) this.recvFlows.push(event.flow);
          if (this.#wild && this.#prng.chance(0.1)) event.flow.reject(1);
          else
            event.flow.accept({ order: this.#wild ? pick(this.#prng, ["sequence", "network", "hold"]) : "sequence" });
          break;
        case "readable":
          if (!this.#wild || this.#prng.chance(0.5)) while (event.flow.read() !== undefined) {}
          break;
        case "introduction":
          this.#introductions.push(event.id);
          break;
        default:
      }
    }
    return told;
  }
}

/** The cap on sessions that a target is given. */
export const MAX_SESSIONS = 20;
/** Queues and windows are bounded, so a turn is. */
const MOST_PER_TURN = 20_000;
