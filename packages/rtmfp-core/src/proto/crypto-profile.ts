/**
 * What RFC 7016 asks of a cryptography profile (§3.2, §2.2.3). proto owns this interface and contains no
 * primitive; the Flash profile of RFC 7425 implements it in ../crypto. § means RFC 7016.
 */

/** One end's cryptography: its certificate, its judgement of others, and the keying steps of a handshake. */
export interface CryptoProfile {
  /** Our certificate as sent in RHello and IIKeying. Owned by the profile; do not modify. */
  readonly certificate: Uint8Array;
  /** Stable text name of our identity (the Flash profile: the peer ID, 64 lower-case hex digits). */
  readonly id: string;
  /** Seals and opens packets under the Default Session Key (§2.2.2). Holds no per-peer state. */
  readonly startupCipher: PacketCipher;
  /** True if the endpoint discriminator selects our own certificate (§3.2). Borrows `epd`. */
  selectsSelf(epd: Uint8Array): boolean;
  /** Parses a far certificate; undefined unless it is well formed and authentic. Copies what it keeps. */
  parseCertificate(bytes: Uint8Array): FarCertificate | undefined;
  /** Glare (§3.5.1.3): true if the near end, with our certificate, prevails as Initiator over `far`. */
  prevailsOver(far: FarCertificate): boolean;
  /** Session override (§3.5.1.1.2): true if a session keyed with `next` may replace one with `current`. */
  overrides(next: FarCertificate, current: FarCertificate): boolean;
  /** Initiator, on RHello: builds our keying component; undefined if no group is shared. */
  initiate(far: FarCertificate): KeyingStep<InitiatorKeying> | undefined;
  /**
   * Responder, on IIKeying: builds our component and the session keys; undefined if `skic` is unacceptable. Copies what
   * it keeps of `skic`.
   */
  respond(far: FarCertificate, skic: Uint8Array): KeyingStep<ResponderKeying> | undefined;
  /** Signature over keying parameters (§2.3.7, §2.3.8), which may be empty; do not modify. Borrows `parameters`. */
  sign(parameters: Uint8Array): Uint8Array;
  /** True if the signature over `parameters` is acceptable. Borrows both. */
  verify(signature: Uint8Array, parameters: Uint8Array): boolean;
  /** HMAC-SHA256(key, message): cookies and mobility probes. 32 fresh bytes. */
  hmac(key: Uint8Array, message: Uint8Array): Uint8Array;
  /** Runs a public-key job, synchronously, on any thread that has an equal profile. */
  runJob(job: PublicKeyJob): PublicKeyResult;
}

/** A far certificate found authentic. */
export interface FarCertificate {
  /** The certificate's bytes, owned by this object. */
  readonly bytes: Uint8Array;
  /** Stable text name of the identity; see {@link CryptoProfile.id}. */
  readonly id: string;
  /** The endpoint discriminator that names just this identity (§3.2). Owned by this object; do not modify. */
  readonly canonicalEpd: Uint8Array;
  /** True if the discriminator selects this certificate. Borrows `epd`. */
  selectedBy(epd: Uint8Array): boolean;
}

/**
 * Public-key work as plain data, so that it can be posted to a worker. The shape belongs to the profile.
 */
export type PublicKeyJob = Readonly<Record<string, number | string | Uint8Array>>;
/** What a job gave, as plain data. An empty object means that the job failed. */
export type PublicKeyResult = Readonly<Record<string, number | string | Uint8Array>>;

/** A keying step in two halves around one public-key job. */
export interface KeyingStep<T> {
  /** The work to run; undefined if none is needed: call `finish({})` at once. */
  readonly job: PublicKeyJob | undefined;
  /** True if the job takes so much more time than others that a responder takes on few of them. Default false. */
  readonly costly?: boolean;
  /** Makes the outcome from the job's result; undefined if the far key proved unacceptable. */
  finish(result: PublicKeyResult): T | undefined;
}

/** Initiator after building its session key initiator component. */
export interface InitiatorKeying {
  /** The component to put into IIKeying. Owned by this object. */
  readonly skic: Uint8Array;
  /**
   * On RIKeying: session keys from the responder's component; undefined if it is unacceptable. Copies what it keeps of
   * `skrc`.
   */
  complete(skrc: Uint8Array): KeyingStep<SessionKeys> | undefined;
}

/** Responder after building its session key responder component. */
export interface ResponderKeying {
  /** The component to put into RIKeying. Owned by this object. */
  readonly skrc: Uint8Array;
  /** The keys of the session, ready for use. */
  readonly keys: SessionKeys;
}

/** What a completed key agreement gives a session. */
export interface SessionKeys {
  /** Seals and opens the session's packets; used by this session alone. */
  readonly cipher: PacketCipher;
  /**
   * Session-unique secrets, mirrored: one end's near is the other's far (RFC 7425 §4.6.5). 32 bytes. Owned by this
   * object; do not modify.
   */
  readonly nearNonce: Uint8Array;
  /** What the far end has as its `nearNonce`. Owned by this object; do not modify. */
  readonly farNonce: Uint8Array;
  /** True if packets we receive carry an HMAC: what secure address mobility rests on. */
  readonly farHmac: boolean;
  /** True if packets we receive carry sequence numbers: {@link PacketCipher.open} refuses one that comes again. */
  readonly farSequence: boolean;
  /** Facts for stats and logs: `{ group, legacy, nearHmac, farHmac, nearSequence, farSequence }`. */
  readonly description: Readonly<Record<string, number | boolean>>;
  /** What the keys were made from; only if the profile was told to expose it. */
  readonly secrets?: SessionSecrets;
}

/**
 * What session keys are derived from (RFC 7425 §4.6). Whoever has it can read the session. The bytes are owned by this
 * object.
 */
export interface SessionSecrets {
  /** DH_SECRET. */
  readonly dhSecret: Uint8Array;
  /** The keying component that this end sent, SKIC or SKRC. */
  readonly nearComponent: Uint8Array;
  /** The one it received. */
  readonly farComponent: Uint8Array;
}

/**
 * Encrypts and decrypts the packets of one session (or of startup). A datagram is
 * `[4-byte scrambled session ID][what this cipher makes]`; the cipher sees only the second part.
 */
export interface PacketCipher {
  /** Bytes that {@link seal} will write before the next RTMFP packet (sequence number, checksum). */
  readonly headroom: number;
  /** True once the sequence numbers are used up (RFC 7425 §4.6.6): the session must close. */
  readonly exhausted: boolean;
  /** Largest RTMFP packet (flags byte to last chunk) that fits a datagram of `datagramBytes`, ID included. */
  packetCapacity(datagramBytes: number): number;
  /**
   * Seals the RTMFP packet at `buffer[start, end)` in place; `buffer` stays the caller's own, borrowed for the call.
   * `start - headroom` is the first byte written; padding and HMAC go behind `end`. Returns the end of the sealed
   * bytes. `buffer` must have 48 spare bytes.
   */
  seal(buffer: Uint8Array, start: number, end: number): number;
  /**
   * Verifies and decrypts the datagram's part after the session ID, which it borrows. Returns the RTMFP packet, flags
   * byte first, in memory that the caller owns; undefined if it fails, with the reason in {@link failure}.
   */
  open(sealed: Uint8Array): Uint8Array | undefined;
  /**
   * {@link open} for several datagrams in the order in which they arrived: each one's packet, or why it failed. The
   * packets are the caller's, but up to four of them, of up to 6144 bytes together, may share memory.
   */
  openAll(sealed: readonly Uint8Array[]): readonly (Uint8Array | OpenFailure)[];
  /** Why the last {@link open} gave undefined. */
  readonly failure: OpenFailure;
}

/** Why a packet was refused: its size, its checksum or HMAC, or a sequence number seen before or too old. */
export type OpenFailure = "size" | "verify" | "replay";
