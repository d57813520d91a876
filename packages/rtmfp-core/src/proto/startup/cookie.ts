/** Cookies: proof that an initiator receives at its address, without state (§3.5.1.1.2, AMB-16). § means RFC 7016. */
import { type Address, formatAddress } from "../address.ts";
import { ByteReader, ByteWriter, concatBytes, equalConstantTime } from "../bytes.ts";
import { COOKIE_BYTES, COOKIE_LIFETIME_MS } from "../params.ts";

/** How an echoed cookie stands: good, good but made for another address, or not ours or too old. */
export type CookieVerdict = "valid" | "other-address" | "invalid";

/**
 * Makes and checks cookies of 64 bytes: 8 of time, 24 that prove it ours, 32 that prove the address. A secret of its
 * own it renews every cookie lifetime, and keeps the one before for as long. Processes that share a secret share
 * cookies, provided their clocks agree; that one stays. The clock is the endpoint's.
 */
export class CookieJar {
  readonly #hmac: (key: Uint8Array, message: Uint8Array) => Uint8Array;
  readonly #fresh: (() => Uint8Array) | undefined;
  #secret: Uint8Array;
  #previous: Uint8Array | undefined;
  /** When the secret was first used; undefined before. */
  #since: number | undefined;

  /** `secret` is one that is shared, or makes a new one. */
  constructor(hmac: (key: Uint8Array, message: Uint8Array) => Uint8Array, secret: Uint8Array | (() => Uint8Array)) {
    this.#hmac = hmac;
    this.#fresh = typeof secret === "function" ? secret : undefined;
    this.#secret = typeof secret === "function" ? secret() : secret;
  }

  make(now: number, address: Address): Uint8Array {
    this.#renew(now);
    const writer = new ByteWriter(new Uint8Array(TIME_BYTES));
    const time = Math.floor(now);
    writer.u32(Math.floor(time / 2 ** 32));
    writer.u32(time >>> 0);
    const secret = this.#secret;
    return concatBytes(writer.bytes, this.#own(secret, writer.bytes), this.#place(secret, writer.bytes, address));
  }

  check(now: number, cookie: Uint8Array, address: Address): CookieVerdict {
    if (cookie.length !== COOKIE_BYTES) return "invalid";
    const age = this.age(now, cookie);
    if (age < -1 || age > COOKIE_LIFETIME_MS) return "invalid";
    this.#renew(now);
    const time = cookie.subarray(0, TIME_BYTES);
    const own = cookie.subarray(TIME_BYTES, TIME_BYTES + OWN_BYTES);
    const place = cookie.subarray(TIME_BYTES + OWN_BYTES);
    for (const secret of [this.#secret, this.#previous]) {
      if (secret === undefined || !equalConstantTime(own, this.#own(secret, time))) continue;
      return equalConstantTime(place, this.#place(secret, time, address)) ? "valid" : "other-address";
    }
    return "invalid";
  }

  /** How long ago the cookie was made, ms; for one that checks. */
  age(now: number, cookie: Uint8Array): number {
    const reader = new ByteReader(cookie);
    return now - (reader.u32() * 2 ** 32 + reader.u32());
  }

  /** Cookies of a secret that was followed by two more are too old to be looked at. */
  #renew(now: number): void {
    this.#since ??= now;
    if (this.#fresh === undefined || now - this.#since <= COOKIE_LIFETIME_MS) return;
    this.#previous = this.#secret;
    this.#secret = this.#fresh();
    this.#since = now;
  }

  #own(secret: Uint8Array, time: Uint8Array): Uint8Array {
    return this.#hmac(secret, time).subarray(0, OWN_BYTES);
  }

  #place(secret: Uint8Array, time: Uint8Array, address: Address): Uint8Array {
    return this.#hmac(secret, concatBytes(time, new TextEncoder().encode(formatAddress(address))));
  }
}

const TIME_BYTES = 8;
const OWN_BYTES = 24;
