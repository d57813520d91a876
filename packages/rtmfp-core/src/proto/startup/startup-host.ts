/** What the two roles of a handshake need of their endpoint. */
import type { Address } from "../address.ts";
import type { CryptoProfile, KeyingStep } from "../crypto-profile.ts";
import type { Session } from "../session.ts";
import type { SessionHost } from "../session-host.ts";
import type { StartupSender } from "./sender.ts";

/** The endpoint as the handshake sees it. */
export interface StartupHost extends SessionHost {
  readonly profile: CryptoProfile;
  readonly sender: StartupSender;
  readonly sessions: SessionTable;
  /** The socket to reach an address by that the far end of socket `via` named; undefined if there is none. */
  viaFor(address: Address, via: number): number | undefined;
  /** Runs a keying step: at once if it needs no job, else when the job is completed. False if no job slot is free. */
  runStep<T>(step: KeyingStep<T>, now: number, done: (result: T | undefined, now: number) => void): boolean;
}

/** Sessions by receive ID, by far address and by identity. */
export interface SessionTable {
  /** A receive ID that no session has (§3.3). */
  allocateId(): number;
  /** The session that receives on that signed 32-bit ID. */
  get(id: number): Session | undefined;
  /** The session in S_OPEN whose DESTADDR this is. */
  atAddress(address: Address): Session | undefined;
  /** Sessions in S_OPEN with that identity, oldest first. */
  withIdentity(id: string): readonly Session[];
  /** Sessions that are being opened. */
  readonly opening: Iterable<Session>;
  add(session: Session): void;
  /** The session is in S_OPEN now: index it. */
  opened(session: Session): void;
}
