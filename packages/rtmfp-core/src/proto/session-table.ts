/** The sessions of an endpoint: by receive ID, by far address, by identity (§3.3, §3.5). § means RFC 7016. */
import { type Address, formatAddress } from "./address.ts";
import { ByteReader } from "./bytes.ts";
import type { EndpointConfig } from "./config.ts";
import type { Session } from "./session.ts";
import type { SessionTable } from "./startup/startup-host.ts";
import type { EndpointStats } from "./stats.ts";

/** See the file's head. */
export class Sessions implements SessionTable {
  readonly #config: EndpointConfig;
  readonly #stats: EndpointStats;
  readonly #byId = new Map<number, Session>();
  readonly #byAddress = new Map<string, Session>();
  /** Most have one; a far end may have as many as it likes, so that none of them may cost a look at the others. */
  readonly #byIdentity = new Map<string, Session | Set<Session>>();
  readonly #opening = new Set<Session>();

  constructor(config: EndpointConfig, stats: EndpointStats) {
    this.#config = config;
    this.#stats = stats;
  }

  get size(): number {
    return this.#byId.size;
  }

  get all(): Iterable<Session> {
    return this.#byId.values();
  }

  get opening(): Iterable<Session> {
    return this.#opening;
  }

  /** The session that receives on that signed 32-bit ID. */
  get(id: number): Session | undefined {
    return this.#byId.get(id);
  }

  atAddress(address: Address): Session | undefined {
    const session = this.#byAddress.get(formatAddress(address));
    return session?.isOpen === true ? session : undefined;
  }

  withIdentity(id: string): readonly Session[] {
    const found = this.#byIdentity.get(id) ?? [];
    return [...(Symbol.iterator in found ? found : [found])].filter((session) => session.isOpen);
  }

  allocateId(): number {
    for (;;) {
      const id = this.#config.allocateSessionId?.() ?? new ByteReader(this.#config.random(4)).u32();
      if (id !== 0 && !this.#byId.has(id | 0)) return id | 0;
    }
  }

  add(session: Session): void {
    this.#byId.set(session.nearId, session);
    if (session.opening !== undefined) this.#opening.add(session);
  }

  opened(session: Session): void {
    this.#opening.delete(session);
    this.#stats.sessionsOpened++;
    if (session.address !== undefined) this.#byAddress.set(formatAddress(session.address), session);
    if (session.peerId === undefined) return;
    const same = this.#byIdentity.get(session.peerId);
    if (same === undefined) this.#byIdentity.set(session.peerId, session);
    else if (same instanceof Set) same.add(session);
    else this.#byIdentity.set(session.peerId, new Set([same, session]));
  }

  moved(session: Session, fromKey: string): void {
    if (this.#byAddress.get(fromKey) === session) this.#byAddress.delete(fromKey);
    if (session.address !== undefined) this.#byAddress.set(formatAddress(session.address), session);
  }

  remove(session: Session): void {
    this.#byId.delete(session.nearId);
    this.#opening.delete(session);
    if (session.address !== undefined) {
      const key = formatAddress(session.address);
      if (this.#byAddress.get(key) === session) this.#byAddress.delete(key);
    }
    if (session.peerId === undefined) return;
    const same = this.#byIdentity.get(session.peerId);
    if (same instanceof Set) same.delete(session);
    if (same === session || (same instanceof Set && same.size === 0)) this.#byIdentity.delete(session.peerId);
  }
}
