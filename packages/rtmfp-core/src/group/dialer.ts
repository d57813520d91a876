/** Attempts to open sessions with members: how many at a time, and how soon again after one that failed. */
import type { WireAddress } from "../proto/address.ts";
import type { GroupStats } from "./group-stats.ts";
import type { Member } from "./member-list.ts";
import { DIAL_MS, DIAL_PAUSES_MS, MAX_DIALS, MAX_DIALS_TOLD_BY_ONE, MAX_FAR_DIALS } from "./params.ts";
import type { GroupSession } from "./session.ts";

/** What the dialer needs of its group. */
export interface DialerHost {
  readonly stats: GroupStats;
  now(): number;
  /** See GroupHost.connect. */
  connect(peerId: string, addresses: readonly WireAddress[], timeoutMs: number): Promise<GroupSession>;
  /** A session that was asked for. */
  opened(member: Member, session: GroupSession): void;
  /** It could not be reached; the member knows when it may be tried again. */
  failed(member: Member): void;
}

/** See the head of the file. */
export class Dialer {
  readonly #host: DialerHost;
  readonly #active = new Set<Member>();

  constructor(host: DialerHost) {
    this.#host = host;
  }

  /** Attempts under way. */
  get active(): number {
    return this.#active.size;
  }

  /** Tries to reach a member, unless it is busy, resting, or too many are being tried; `isNear`: the ring needs it. */
  dial(member: Member, isNear: boolean): void {
    const now = this.#host.now();
    if (member.link !== undefined || member.isDialing || now < member.notBefore) return;
    if (this.#active.size >= (isNear ? MAX_DIALS : MAX_FAR_DIALS) || this.#toldBy(member) >= MAX_DIALS_TOLD_BY_ONE)
      return;
    this.#active.add(member);
    member.isDialing = true;
    this.#host.stats.dials++;
    this.#host.connect(member.peerId, member.addresses, DIAL_MS).then(
      (session) => {
        this.#done(member);
        this.#host.opened(member, session);
      },
      () => {
        this.#done(member);
        // It may have reached us meanwhile.
        if (member.link === undefined) {
          this.rest(member);
          // Others may know where it is now.
          member.isOwnWord = false;
        }
        this.#host.stats.dialsFailed++;
        this.#host.failed(member);
      },
    );
  }

  /** One more attempt has failed: the member is left alone for longer each time. */
  rest(member: Member): void {
    const now = this.#host.now();
    const pause = DIAL_PAUSES_MS[Math.min(member.failures, DIAL_PAUSES_MS.length - 1)] as number;
    member.failures++;
    member.failedAt = now;
    member.notBefore = Math.max(member.notBefore, now + pause);
  }

  #done(member: Member): void {
    member.isDialing = false;
    this.#active.delete(member);
  }

  /** Attempts under way that the one who told of `member` caused. */
  #toldBy({ toldBy }: Member): number {
    if (toldBy === undefined) return 0;
    let count = 0;
    for (const member of this.#active) if (member.toldBy === toldBy) count++;
    return count;
  }
}
