/** The Initiator's half of a handshake (§3.5.1.1.1). § means RFC 7016. */
import { type Address, isUnusable, sameAddress } from "../address.ts";
import { ByteWriter, concatBytes, EMPTY, equalBytes, toHex } from "../bytes.ts";
import { writeStartupChunk } from "../chunk/startup.ts";
import {
  ChunkType,
  type CookieChangeChunk,
  type IIKeyingChunk,
  type RedirectChunk,
  type RHelloChunk,
  type RIKeyingChunk,
} from "../chunk/types.ts";
import type { FarCertificate, InitiatorKeying } from "../crypto-profile.ts";
import { HANDSHAKE_RETRY_STEP_MS, MAX_GLARE_CANDIDATES, OPEN_TIMEOUT_MS, REDIRECT_THRESHOLD } from "../params.ts";
import type { OpeningHandle, Session } from "../session.ts";
import type { StartupHost } from "./startup-host.ts";

/** An address to try, by one socket. */
export interface Candidate {
  /** Where to send the IHello. */
  readonly address: Address;
  /** Socket to send it by. */
  readonly via: number;
}

interface Attempt extends Candidate {
  nextAt: number;
  interval: number;
}

/** What decides whether a redirect's address may be tried (AMB-11). */
export type CandidateFilter = (address: Address, via: number) => boolean;

/** One opening session: candidates, IHello and IIKeying on their schedules, and the answers. */
export class Opening implements OpeningHandle {
  readonly session: Session;
  readonly epd: Uint8Array;
  readonly tag: Uint8Array;
  readonly tagKey: string;
  readonly #host: StartupHost;
  readonly #accepts: CandidateFilter;
  readonly #deadline: number;
  readonly #attempts: Attempt[] = [];
  /** Those of them that glare brought, oldest first. */
  readonly #fromGlare: Attempt[] = [];
  readonly #onEnd: (opening: Opening) => void;
  #phase: "hello" | "preparing" | "keying" | "finishing" = "hello";
  #certificate: FarCertificate | undefined;
  #keying: InitiatorKeying | undefined;
  #cookie: Uint8Array | undefined;
  #cookieChanged = false;
  #nextAt: number = Number.POSITIVE_INFINITY;
  #interval = 0;

  constructor(
    host: StartupHost,
    session: Session,
    epd: Uint8Array,
    tag: Uint8Array,
    now: number,
    timeoutMs: number | undefined,
    accepts: CandidateFilter,
    onEnd: (opening: Opening) => void,
  ) {
    this.#host = host;
    this.session = session;
    this.epd = epd;
    this.tag = tag;
    this.tagKey = toHex(tag);
    this.#accepts = accepts;
    this.#deadline = now + Math.min(timeoutMs ?? OPEN_TIMEOUT_MS, OPEN_TIMEOUT_MS);
    this.#onEnd = onEnd;
  }

  get nextDeadline(): number {
    let at = Math.min(this.#deadline, this.#nextAt);
    if (this.#phase === "hello") for (const attempt of this.#attempts) at = Math.min(at, attempt.nextAt);
    return at;
  }

  /** True if a session with that far end is what this opening is for. */
  wants(certificate: FarCertificate): boolean {
    if (this.#certificate === undefined) return certificate.selectedBy(this.epd);
    return this.#host.profile.overrides(certificate, this.#certificate);
  }

  /** Adds a candidate and tries it at once; false if it is known or the set is full. */
  addCandidate(candidate: Candidate, now: number, limit: number = Number.POSITIVE_INFINITY): boolean {
    if (this.#phase !== "hello" || isUnusable(candidate.address)) return false;
    const known = this.#attempts.some(
      (attempt) => attempt.via === candidate.via && sameAddress(attempt.address, candidate.address),
    );
    if (known || this.#attempts.length >= limit) return false;
    const attempt = { ...candidate, nextAt: now, interval: 0 };
    this.#attempts.push(attempt);
    this.#sendHello(attempt, now);
    this.session.wakeAt(this.nextDeadline);
    return true;
  }

  /**
   * Adds the source of an IIKeying in glare (§3.5.1.3). Anybody can send one with somebody else's certificate, so there are
   * few of these; the oldest gives way, since each was tried at once and an honest far end sends its IIKeying again.
   */
  addGlareCandidate(candidate: Candidate, now: number): void {
    if (!this.addCandidate(candidate, now)) return;
    this.#fromGlare.push(this.#attempts.at(-1) as Attempt);
    if (this.#fromGlare.length <= MAX_GLARE_CANDIDATES) return;
    this.#attempts.splice(this.#attempts.indexOf(this.#fromGlare.shift() as Attempt), 1);
  }

  onTimer(now: number): void {
    if (this.#deadline <= now) {
      this.session.onFailed("no-answer");
      return;
    }
    if (this.#phase === "hello") {
      for (const attempt of this.#attempts) if (attempt.nextAt <= now) this.#sendHello(attempt, now);
    } else if (this.#nextAt <= now) this.#sendKeying(now);
  }

  cancel(): void {
    this.#onEnd(this);
  }

  /** Responder Redirect (§3.5.1.4): more candidates, or the sender itself if it lists none. */
  onRedirect(chunk: RedirectChunk, now: number, from: Address, via: number): void {
    if (this.#phase !== "hello") return;
    if (chunk.destinations.length === 0) {
      this.addCandidate({ address: { host: from.host, port: from.port }, via }, now, REDIRECT_THRESHOLD);
      return;
    }
    for (const { host, port } of chunk.destinations) {
      const address = { host, port };
      const by = this.#host.viaFor(address, via);
      if (by !== undefined && this.#accepts(address, by))
        this.addCandidate({ address, via: by }, now, REDIRECT_THRESHOLD);
    }
  }

  /** Responder Hello: the first acceptable one decides where IIKeying goes. */
  onRHello(chunk: RHelloChunk, now: number, from: Address, via: number): void {
    if (this.#phase !== "hello") return;
    const { profile } = this.#host;
    const certificate = profile.parseCertificate(chunk.certificate);
    if (
      certificate === undefined ||
      !certificate.selectedBy(this.epd) ||
      equalBytes(certificate.bytes, profile.certificate)
    ) {
      this.#host.stats.badCertificate++;
      return;
    }
    const duplicate = this.#duplicateOf(certificate);
    if (duplicate !== undefined) {
      this.supersede(duplicate);
      return;
    }
    const step = profile.initiate(certificate);
    if (step === undefined) {
      this.#host.stats.badKeying++;
      return;
    }
    this.#phase = "preparing";
    this.#certificate = certificate;
    this.#cookie = chunk.cookie.slice();
    this.session.onKeying({ host: from.host, port: from.port }, via, certificate);
    const accepted = this.#host.runStep(step, now, (keying, later) => {
      if (this.#phase !== "preparing" || this.session.opening !== this) return;
      if (keying === undefined) {
        this.session.onFailed("unacceptable");
        return;
      }
      this.#phase = "keying";
      this.#keying = keying;
      this.#sendKeying(later);
    });
    if (accepted) return;
    // No job slot is free: the next IHello may bring another RHello.
    this.#phase = "hello";
    this.#certificate = undefined;
    this.session.onHelloAgain();
  }

  /** RHello Cookie Change (§3.5.1.2): once, and only for the cookie that was sent. */
  onCookieChange(chunk: CookieChangeChunk, now: number): void {
    if (this.#phase !== "keying" || this.#cookieChanged || this.#cookie === undefined) return;
    if (!equalBytes(chunk.oldCookie, this.#cookie)) return;
    this.#cookieChanged = true;
    this.#cookie = chunk.newCookie.slice();
    this.#interval = 0;
    this.#sendKeying(now);
  }

  /** Responder Initial Keying: opens the session, or is dropped (AMB-13). */
  onRIKeying(chunk: RIKeyingChunk, now: number): void {
    const keying = this.#keying;
    if (this.#phase !== "keying" || keying === undefined || chunk.signedParameters === undefined) return;
    const { profile } = this.#host;
    if (
      !profile.verify(chunk.signature, concatBytes(chunk.signedParameters, keying.skic)) ||
      chunk.responderSessionId === 0
    ) {
      this.#host.stats.badKeying++;
      return;
    }
    const step = keying.complete(chunk.skrc.slice());
    if (step === undefined) {
      this.#host.stats.badKeying++;
      return;
    }
    const farId = chunk.responderSessionId | 0;
    // Sent once, so the answer is to it.
    if (this.#interval === HANDSHAKE_RETRY_STEP_MS) this.session.rtt.hint = now - (this.#nextAt - this.#interval);
    this.#phase = "finishing";
    const accepted = this.#host.runStep(step, now, (keys, later) => {
      if (this.#phase !== "finishing" || this.session.opening !== this) return;
      if (keys === undefined) {
        this.#host.stats.badKeying++;
        this.#phase = "keying";
        return;
      }
      const session = this.session;
      this.#onEnd(this);
      session.onOpened(
        farId,
        session.address as Address,
        session.via,
        this.#certificate as FarCertificate,
        keys,
        later,
      );
      this.#host.sessions.opened(session);
      this.#host.emit({ type: "open", session });
    });
    if (!accepted) this.#phase = "keying";
  }

  /** Another session with the same far end takes this one's place. */
  supersede(by: Session): void {
    this.#host.emit({ type: "superseded", session: this.session, by });
    this.session.onSuperseded();
  }

  /** Another session, keying or open, with the same identity (§3.5.1.1.1). Looked for once in each of our own openings. */
  #duplicateOf(certificate: FarCertificate): Session | undefined {
    const open = this.#host.sessions.withIdentity(certificate.id)[0];
    if (open !== undefined) return open;
    for (const other of this.#host.sessions.opening) {
      if (other !== this.session && other.state === "S_KEYING_SENT" && other.farCertificate?.id === certificate.id)
        return other;
    }
    return undefined;
  }

  #sendHello(attempt: Attempt, now: number): void {
    const { sender } = this.#host;
    sender.send({ type: ChunkType.iHello, epd: this.epd, tag: this.tag }, attempt.address, attempt.via, 0, now);
    attempt.interval += HANDSHAKE_RETRY_STEP_MS;
    attempt.nextAt = now + attempt.interval;
  }

  #sendKeying(now: number): void {
    const { profile, sender } = this.#host;
    const keying = this.#keying as InitiatorKeying;
    const unsigned: IIKeyingChunk = {
      type: ChunkType.iiKeying,
      initiatorSessionId: this.session.nearId >>> 0,
      cookieEcho: this.#cookie as Uint8Array,
      certificate: profile.certificate,
      skic: keying.skic,
      signature: EMPTY,
    };
    const writer = new ByteWriter(
      new Uint8Array(64 + unsigned.cookieEcho.length + unsigned.certificate.length + unsigned.skic.length),
    );
    writeStartupChunk(writer, unsigned);
    const signature = profile.sign(writer.bytes.slice(0, writer.pos));
    sender.send({ ...unsigned, signature }, this.session.address as Address, this.session.via, 0, now);
    this.#interval += HANDSHAKE_RETRY_STEP_MS;
    this.#nextAt = now + this.#interval;
    this.session.wakeAt(this.nextDeadline);
  }
}
