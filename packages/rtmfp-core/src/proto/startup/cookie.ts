/** Cookies: proof that an initiator receives at its address, without state (§3.5.1.1.2, AMB-16). § means RFC 7016. */
import { type Address, formatAddress } from "../address.ts";
import { ByteReader, ByteWriter, concatBytes, equalConstantTime } from "../bytes.ts";
import { COOKIE_BYTES, COOKIE_LIFETIME_MS } from "../params.ts";

/** How an echoed cookie stands: good, good but made for another address, or not ours or too old. */
export type CookieVerdict = "valid" | "other-address" | "invalid";

/**
 * Makes and checks cookies of 64 bytes: 8 of time, 24 that prove it ours, 32 that prove the address. Processes that
 * share a secret share cookies, provided their clocks agree; the clock is the endpoint's.
 */
export class CookieJar {
  readonly #hmac: (key: Uint8Array, message: Uint8Array) => Uint8Array;
  readonly #secret: Uint8Array;

  constructor(hmac: (key: Uint8Array, message: Uint8Array) => Uint8Array, secret: Uint8Array) {
    this.#hmac = hmac;
    this.#secret = secret;
  }

  make(now: number, address: Address): Uint8Array {
    const writer = new ByteWriter(new Uint8Array(TIME_BYTES));
    const time = Math.floor(now);
    writer.u32(Math.floor(time / 2 ** 32));
    writer.u32(time >>> 0);
    return concatBytes(writer.bytes, this.#own(writer.bytes), this.#place(writer.bytes, address));
  }

  check(now: number, cookie: Uint8Array, address: Address): CookieVerdict {
    if (cookie.length !== COOKIE_BYTES) return "invalid";
    const time = cookie.subarray(0, TIME_BYTES);
    if (!equalConstantTime(cookie.subarray(TIME_BYTES, TIME_BYTES + OWN_BYTES), this.#own(time))) return "invalid";
    const age = this.age(now, cookie);
    if (age < -1 || age > COOKIE_LIFETIME_MS) return "invalid";
    const place = cookie.subarray(TIME_BYTES + OWN_BYTES);
    return equalConstantTime(place, this.#place(time, address)) ? "valid" : "other-address";
  }

  /** How long ago the cookie was made, ms; for one that checks. */
  age(now: number, cookie: Uint8Array): number {
    const reader = new ByteReader(cookie);
    return now - (reader.u32() * 2 ** 32 + reader.u32());
  }

  #own(time: Uint8Array): Uint8Array {
    return this.#hmac(this.#secret, time).subarray(0, OWN_BYTES);
  }

  #place(time: Uint8Array, address: Address): Uint8Array {
    return this.#hmac(this.#secret, concatBytes(time, new TextEncoder().encode(formatAddress(address))));
  }
}

const TIME_BYTES = 8;
const OWN_BYTES = 24;
