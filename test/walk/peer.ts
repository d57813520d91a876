/** One endpoint of a walk, with an application that takes what comes. */
import {
  CLIENT_IDENTITY,
  createFlashProfile,
  createUnprotectedTestProfile,
} from "../../packages/rtmfp-core/src/crypto/index.ts";
import { Driver } from "../../packages/rtmfp-core/src/node/driver.ts";
import { Origin } from "../../packages/rtmfp-core/src/proto/address.ts";
import type { CryptoProfile, FarCertificate } from "../../packages/rtmfp-core/src/proto/crypto-profile.ts";
import type { EndpointEvent } from "../../packages/rtmfp-core/src/proto/events.ts";
import type { RecvFlow } from "../../packages/rtmfp-core/src/proto/recv-flow.ts";
import type { SendFlow } from "../../packages/rtmfp-core/src/proto/send-flow.ts";
import type { Session } from "../../packages/rtmfp-core/src/proto/session.ts";
import type { Prng, SimHost, SimNat } from "../../packages/rtmfp-core/src/testing/index.ts";
import { type FlowRecord, type Ledger, type ReceiverRecord, Violation } from "./ledger.ts";
import type { Wire } from "./wire.ts";

/** What the peers of a walk share. */
export interface WalkContext {
  readonly prng: Prng;
  readonly ledger: Ledger;
  readonly wire: Wire;
  /** Writes a line to the log. */
  readonly log: (text: string) => void;
  /** True while applications behave at random; false once the walk winds down. */
  random: boolean;
}

/** See the file's head. */
export class Peer {
  readonly name: string;
  readonly host: SimHost;
  readonly nat: SimNat | undefined;
  readonly sessions = new Set<Session>();
  readonly opening = new Set<Session>();
  driver: Driver;
  readonly #context: WalkContext;
  readonly #real: boolean;
  readonly #ended = new Set<Session>();
  #certificate: FarCertificate;

  constructor(context: WalkContext, name: string, host: SimHost, nat: SimNat | undefined, real: boolean) {
    this.#context = context;
    this.name = name;
    this.host = host;
    this.nat = nat;
    this.#real = real;
    [this.driver, this.#certificate] = this.#start();
  }

  /** Discriminator that selects this peer alone. */
  get epd(): Uint8Array {
    return this.#certificate.canonicalEpd;
  }

  get id(): string {
    return this.#certificate.id;
  }

  get now(): number {
    return this.driver.now();
  }

  /** Where others reach it, unless it is behind a NAT. */
  get address(): { host: string; port: number } {
    return { host: this.host.addresses[0] as string, port: PORT };
  }

  /** Closes the endpoint, and opens a new one with another identity on the same port. */
  restart(): void {
    for (const session of [...this.sessions, ...this.opening]) session.abort();
    this.driver.turn();
    const { endpoint } = this.driver;
    for (const session of endpoint.sessions.all)
      if (session.state !== "S_FARCLOSE_LINGER")
        throw new Violation(`${this.name} has a session left after closing, in ${session.state}`);
    void this.driver.close();
    for (const { receiver } of this.#context.ledger.flows) if (receiver?.peer === this.name) receiver.gone = true;
    [this.driver, this.#certificate] = this.#start();
  }

  open(epd: Uint8Array, address: { host: string; port: number }): void {
    const session = this.driver.endpoint.open(this.now, epd, { candidates: [{ address, via: 0 }] });
    this.opening.add(session);
  }

  /** Reads all there is. */
  drain(flow: RecvFlow): void {
    const record = this.#context.ledger.byReceive.get(flow) as FlowRecord;
    for (let message = flow.read(); message !== undefined; message = flow.read()) {
      this.#context.ledger.read(record, message.data);
    }
  }

  #start(): [Driver, FarCertificate] {
    const random = (length: number): Uint8Array => this.host.random(length);
    const profile: CryptoProfile = this.#real
      ? createFlashProfile({ identity: CLIENT_IDENTITY, random })
      : createUnprotectedTestProfile(random(32), { random });
    const { prng } = this.#context;
    const jobsTakeTime = prng.chance(0.3);
    const driver = new Driver(
      {
        profile,
        random,
        ...(prng.chance(0.3) ? { datagramBytes: 400 + prng.int(1_050) } : {}),
        ...(prng.chance(0.3) ? { keepaliveMs: 5_000 + prng.int(60_000) } : {}),
        mobility: (["probe", "probe", "hmac", "off"] as const)[prng.int(4)] ?? "probe",
        trace: (record) => {
          if (record.direction !== "out" || record.session === 0) return;
          const session = driver.endpoint.sessions.get(record.session | 0);
          if (session === undefined) throw new Violation(`${this.name} sent for a session that it does not have`);
          this.#context.wire.onSent(record, session);
        },
      },
      this.host.open([{ port: PORT }]),
      (event) => this.#onEvent(event),
      jobsTakeTime
        ? (job, done) => void this.host.context.clock.after(prng.int(200), () => done(profile.runJob(job)))
        : undefined,
    );
    return [driver, profile.parseCertificate(profile.certificate) as FarCertificate];
  }

  #onEvent(event: EndpointEvent): void {
    const { log } = this.#context;
    switch (event.type) {
      case "incoming":
      case "open":
        log(`${this.name}: ${event.type} ${label(event.session)}`);
        this.#onOpen(event.session);
        return;
      case "superseded":
        log(`${this.name}: ${label(event.session)} superseded by ${label(event.by)}`);
        if (!this.opening.delete(event.session)) throw new Violation(`${this.name}: superseded, but was not opening`);
        return;
      case "closed":
        log(`${this.name}: closed ${label(event.session)} (${event.reason})`);
        this.#onClosed(event.session);
        return;
      case "flow":
        this.#onFlow(event.session, event.flow);
        return;
      case "readable":
        if (this.#receiver(event.flow).eager) this.drain(event.flow);
        return;
      case "finished":
        // A flow that the endpoint rejected by itself was never announced, but ends like all others.
        if (event.flow.exceptionCode === 0 && !this.#context.ledger.byReceive.has(event.flow)) return;
        this.#onFinished(event.flow);
        return;
      case "introduction":
        this.#onIntroduction(event);
        return;
      case "exception":
        this.#onException(event.flow, event.code);
        return;
      case "moved":
        log(`${this.name}: far end of ${label(event.session)} moved`);
        return;
      default:
        return;
    }
  }

  #onOpen(session: Session): void {
    if (this.sessions.has(session)) throw new Violation(`${this.name}: a session opened twice`);
    this.opening.delete(session);
    this.sessions.add(session);
    session.introductions = (["ignore", "rhello", "redirect"] as const)[this.#context.prng.int(3)] ?? "ignore";
  }

  #onClosed(session: Session): void {
    if (this.#ended.has(session)) throw new Violation(`${this.name}: a session closed twice`);
    this.#ended.add(session);
    if (!this.sessions.delete(session) && !this.opening.delete(session))
      throw new Violation(`${this.name}: an unknown session closed`);
  }

  #onFlow(session: Session, flow: RecvFlow): void {
    const { ledger, log, prng, random } = this.#context;
    const record = ledger.announced(this.name, session, flow, !random || prng.chance(0.7));
    const receiver = record.receiver as ReceiverRecord;
    if (random && prng.chance(0.05)) {
      log(`${this.name}: rejects flow #${record.uid}`);
      receiver.rejected = true;
      flow.reject(prng.int(1000));
      return;
    }
    const order = random && !record.tiny && prng.chance(0.25) ? "network" : "sequence";
    if (order === "network") receiver.inSequence = false;
    const capacityBytes = CAPACITIES[random ? prng.int(CAPACITIES.length) : 0] as number;
    log(`${this.name}: accepts flow #${record.uid} (${order}, ${capacityBytes} bytes)`);
    receiver.capacityBytes = capacityBytes;
    flow.accept({ order, capacityBytes });
  }

  #onFinished(flow: RecvFlow): void {
    const receiver = this.#receiver(flow);
    if (receiver.finished) throw new Violation(`${this.name}: a flow finished twice`);
    receiver.finished = true;
  }

  /** The far end rejected the flow: it says so, or the flow answers one that is closed there by now (§3.6.3.1). */
  #onException(flow: SendFlow, code: number): void {
    const record = this.#context.ledger.bySend.get(flow) as FlowRecord;
    const answers = flow.association !== undefined && record.receiver === undefined && code === 0;
    if (record.receiver?.rejected !== true && !answers)
      throw new Violation(`${this.name}: flow #${record.uid} was reported as rejected (${code}), but it was not`);
  }

  #onIntroduction(event: EndpointEvent & { type: "introduction" }): void {
    const { prng } = this.#context;
    const { endpoint } = this.driver;
    const target = [...this.sessions].find((session) => session.farCertificate?.selectedBy(event.epd) === true);
    if (target === undefined || target.address === undefined || prng.chance(0.1)) {
      endpoint.ignore(event.id);
      return;
    }
    if (prng.chance(0.8)) endpoint.redirect(this.now, event.id, [{ ...target.address, origin: Origin.observed }]);
    if (prng.chance(0.8)) endpoint.forward(this.now, event.id, target);
  }

  #receiver(flow: RecvFlow): ReceiverRecord {
    const receiver = this.#context.ledger.byReceive.get(flow)?.receiver;
    if (receiver === undefined) throw new Violation(`${this.name}: an event of a flow that was never announced`);
    return receiver;
  }
}

/** A session in the log. */
export function label(session: Session): string {
  return `${session.role} session ${(session.nearId >>> 0).toString(16)} with ${(session.peerId ?? "?").slice(0, 8)}`;
}

const PORT = 1935;
const CAPACITIES: readonly number[] = [1_048_576, 65_536, 8_192, 1_024, 100, 0];
