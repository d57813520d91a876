/** The Responder's half of a handshake (§3.5.1.1.2 to §3.5.1.3). § means RFC 7016. */
import { type Address, isUnusable } from "../address.ts";
import { ByteWriter, concatBytes, EMPTY, packBytes, unpackBytes } from "../bytes.ts";
import { writeStartupChunk } from "../chunk/startup.ts";
import { ChunkType, type IIKeyingChunk, type RIKeyingChunk } from "../chunk/types.ts";
import type { FarCertificate, ResponderKeying } from "../crypto-profile.ts";
import {
  ABUSE_COST_KEYINGS,
  COOKIE_LIFETIME_MS,
  COSTLY_JOBS_BURST,
  COSTLY_JOBS_PER_SECOND,
  HANDSHAKE_BURST,
  HANDSHAKE_RETRY_STEP_MS,
  IHELLO_PER_SECOND,
  IIKEYING_PER_SECOND,
  MAX_SESSIONS,
  REPLY_COPIES_BURST,
  REPLY_COPIES_PER_SECOND,
} from "../params.ts";
import { Session } from "../session.ts";
import { TokenBucket } from "../token-bucket.ts";
import { AnsweredKeyings } from "./answered.ts";
import { CookieJar } from "./cookie.ts";
import type { Opening } from "./initiator.ts";
import { RateLimit } from "./rate-limit.ts";
import type { StartupHost } from "./startup-host.ts";
import { UnheardSessions } from "./unheard.ts";

/** Answers IHello and IIKeying. Keeps nothing until an acceptable IIKeying (§3.5.1.1). */
export class Responder {
  readonly #host: StartupHost;
  readonly #cookies: CookieJar;
  readonly #helloRate = new RateLimit(IHELLO_PER_SECOND, HANDSHAKE_BURST);
  readonly #keyingRate = new RateLimit(IIKEYING_PER_SECOND, HANDSHAKE_BURST);
  readonly #unheard = new UnheardSessions();
  /** By initiator session ID and certificate (AMB-14). */
  readonly #answered = new AnsweredKeyings();
  /** Paces jobs in an expensive group; made with the first. */
  #costly: TokenBucket | undefined;
  /** IIKeyings whose job is running. */
  readonly #running = new Set<string>();

  constructor(host: StartupHost) {
    this.#host = host;
    const { profile, config } = host;
    this.#cookies = new CookieJar(
      (key, message) => profile.hmac(key, message),
      config.cookieSecret ?? (() => config.random(32)),
    );
  }

  /** True if the source may send another IHello now. */
  allowHello(now: number, from: Address): boolean {
    return this.#helloRate.allow(now, from);
  }

  /** A session with that address has ended for abuse: another one must wait. */
  onAbuse(now: number, from: Address): void {
    this.#keyingRate.drain(now, from, ABUSE_COST_KEYINGS);
  }

  /** Sends RHello to an initiator whose discriminator selects us. */
  sendRHello(tag: Uint8Array, to: Address, via: number, now: number): void {
    const { sender, profile } = this.#host;
    const cookie = this.#cookies.make(now, to);
    sender.send({ type: ChunkType.rHello, tagEcho: tag, cookie, certificate: profile.certificate }, to, via, 0, now);
  }

  /** Sends an Implied Redirect: the initiator is to say hello to us directly (§3.5.1.5). */
  sendImpliedRedirect(tag: Uint8Array, to: Address, via: number, now: number): void {
    this.#host.sender.send({ type: ChunkType.redirect, tagEcho: tag, destinations: [] }, to, via, 0, now);
  }

  /** IIKeying (§3.5.1.1.2). What is unacceptable is dropped and counted. */
  onIIKeying(chunk: IIKeyingChunk, now: number, from: Address, via: number): void {
    const { profile, stats, sender } = this.#host;
    if (!this.#keyingRate.allow(now, from)) {
      stats.rateLimited++;
      return;
    }
    const verdict = this.#cookies.check(now, chunk.cookieEcho, from);
    if (verdict === "invalid" || chunk.initiatorSessionId === 0 || isUnusable(from)) {
      stats.badCookie++;
      return;
    }
    const initiatorId = chunk.initiatorSessionId | 0;
    if (verdict === "other-address") {
      stats.cookieChanges++;
      const newCookie = this.#cookies.make(now, from);
      sender.send(
        { type: ChunkType.cookieChange, oldCookie: chunk.cookieEcho.slice(), newCookie },
        from,
        via,
        initiatorId,
        now,
      );
      return;
    }
    const certificate = profile.parseCertificate(chunk.certificate);
    if (certificate === undefined || !profile.verify(chunk.signature, chunk.signedParameters ?? EMPTY)) {
      stats.badCertificate++;
      return;
    }
    const key = keyOf(initiatorId, certificate);
    if (this.#running.has(key) || this.#isRepeat(key, chunk, now, from, via)) {
      stats.repeatedKeyings++;
      return;
    }
    if (!this.#unheard.mayOpen(from)) {
      stats.unheardRefused++;
      return;
    }
    if (!this.#maySupersede(certificate, now, from, via)) return;
    this.#answer(key, chunk, certificate, now, from, via);
  }

  /** The retransmission rule: the same IIKeying gets the same RIKeying, and none once its session has ended (AMB-17). */
  #isRepeat(key: string, chunk: IIKeyingChunk, now: number, from: Address, via: number): boolean {
    const answered = this.#answered.get(key, now);
    if (answered === undefined || answered.skic !== packBytes(chunk.skic)) return false;
    answered.copies ??= new TokenBucket(REPLY_COPIES_PER_SECOND, REPLY_COPIES_BURST, now);
    const session = this.#host.sessions.get(answered.nearId);
    // Another session may have the ID by now.
    const lives = session?.isOpen === true && key === keyOf(session.farId, session.farCertificate as FarCertificate);
    if (lives && answered.copies.take(now)) {
      const { nearId, signature, initiatorSessionId } = answered;
      const reply = replyOf(nearId, unpackBytes(answered.skrc), signature);
      this.#host.sender.send(reply, from, via, initiatorSessionId, now);
    }
    return true;
  }

  /**
   * Glare, and the S_OPEN session at that address: may a new session take over? Glare is decided by identity, whatever
   * the address; the proven address of a far end that does not prevail becomes a candidate of our own opening. The
   * openings are as many as our application began within the last 95 s, and no far end adds any; each costs a comparison.
   */
  #maySupersede(certificate: FarCertificate, now: number, from: Address, via: number): boolean {
    const { profile, stats, sessions } = this.#host;
    for (const opening of sessions.opening) {
      const handshake = opening.opening as Opening | undefined;
      if (handshake?.wants(certificate) !== true || !profile.prevailsOver(certificate)) continue;
      handshake.addGlareCandidate({ address: { host: from.host, port: from.port }, via }, now);
      return false;
    }
    const current = sessions.atAddress(from);
    if (current?.farCertificate === undefined || profile.overrides(certificate, current.farCertificate)) return true;
    current.keepalive.suspect(now);
    current.wakeAt(now);
    stats.badCertificate++;
    return false;
  }

  #answer(
    key: string,
    chunk: IIKeyingChunk,
    certificate: FarCertificate,
    now: number,
    from: Address,
    via: number,
  ): void {
    const { profile, stats, config } = this.#host;
    if (stats.sessionsOpened - stats.sessionsClosed >= (config.maxSessions ?? MAX_SESSIONS)) {
      stats.rateLimited++;
      return;
    }
    const skic = chunk.skic.slice();
    const step = profile.respond(certificate, skic);
    if (step === undefined) {
      stats.badKeying++;
      return;
    }
    if (step.costly === true) {
      this.#costly ??= new TokenBucket(COSTLY_JOBS_PER_SECOND, COSTLY_JOBS_BURST, now);
      if (!this.#costly.take(now)) {
        stats.costlyJobsRefused++;
        return;
      }
    }
    const initiatorId = chunk.initiatorSessionId | 0;
    const source = { host: from.host, port: from.port };
    const age = this.#cookies.age(now, chunk.cookieEcho);
    this.#running.add(key);
    const accepted = this.#host.runStep(step, now, (keying, later) => {
      this.#running.delete(key);
      if (keying === undefined) stats.badKeying++;
      else if (this.#maySupersede(certificate, later, source, via)) {
        const session = this.#open(key, initiatorId, skic, certificate, keying, later, source, via);
        // From our RHello to this IIKeying, unless one of them was lost.
        if (age < HANDSHAKE_RETRY_STEP_MS) session.rtt.hint = age;
      }
    });
    if (!accepted) this.#running.delete(key);
  }

  #open(
    key: string,
    initiatorId: number,
    skic: Uint8Array,
    certificate: FarCertificate,
    keying: ResponderKeying,
    now: number,
    from: Address,
    via: number,
  ): Session {
    const { sessions, sender } = this.#host;
    const old = sessions.atAddress(from);
    old?.onFailed("overridden");
    const session = new Session(this.#host, "responder", sessions.allocateId(), "S_IHELLO_SENT", now);
    sessions.add(session);
    session.onOpened(initiatorId, from, via, certificate, keying.keys, now);
    sessions.opened(session);
    this.#unheard.add(session, from);
    const { nearId } = session;
    const signature = this.#sign(nearId, keying.skrc, skic);
    this.#answered.add({
      key,
      nearId,
      initiatorSessionId: initiatorId,
      skic: packBytes(skic),
      skrc: packBytes(keying.skrc),
      signature,
      copies: undefined,
      until: now + COOKIE_LIFETIME_MS,
    });
    const reply = replyOf(nearId, keying.skrc, signature);
    sender.send(reply, from, via, initiatorId, now);
    for (const opening of sessions.opening) {
      const handshake = opening.opening as Opening | undefined;
      if (handshake?.wants(certificate) === true) handshake.supersede(session);
    }
    this.#host.emit({ type: "incoming", session });
    return session;
  }

  #sign(nearId: number, skrc: Uint8Array, skic: Uint8Array): Uint8Array {
    const writer = new ByteWriter(new Uint8Array(16 + skrc.length));
    writeStartupChunk(writer, replyOf(nearId, skrc, EMPTY));
    return this.#host.profile.sign(concatBytes(writer.bytes.subarray(0, writer.pos), skic));
  }
}

function replyOf(nearId: number, skrc: Uint8Array, signature: Uint8Array): RIKeyingChunk {
  return { type: ChunkType.riKeying, responderSessionId: nearId >>> 0, skrc, signature };
}

function keyOf(initiatorSessionId: number, certificate: FarCertificate): string {
  return `${initiatorSessionId} ${certificate.id}`;
}
