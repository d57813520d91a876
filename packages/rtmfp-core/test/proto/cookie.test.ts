import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { defaultProvider, hmacSha256 } from "../../src/crypto/index.ts";
import { CookieJar } from "../../src/proto/startup/cookie.ts";

const hmac = (key: Uint8Array, message: Uint8Array): Uint8Array => hmacSha256(defaultProvider(), key, message);
const HERE = { host: "192.0.2.1", port: 1 };
const THERE = { host: "192.0.2.1", port: 2 };
const LIFETIME_MS = 110_000;
const STEP_MS = 5_000;

/** A jar that says how many secrets it has made. */
function counting(): { jar: CookieJar; made: () => number } {
  let made = 0;
  return { jar: new CookieJar(hmac, () => new Uint8Array(32).fill(++made)), made: () => made };
}

describe("the secret of cookies", () => {
  it(...rfc("AMB-16"), "is renewed every lifetime, and the one before is kept for one more", () => {
    for (let start = 0; start < 4 * LIFETIME_MS; start += 9_999) {
      for (let age = 0; age <= LIFETIME_MS; age += 10_000) {
        const { jar, made } = counting();
        const cookie = makeLate(jar, start);
        expect(made()).toBeGreaterThanOrEqual(1 + Math.floor(start / (LIFETIME_MS + STEP_MS)));
        expect(jar.check(start + age, cookie, HERE)).toBe("valid");
        expect(jar.check(start + age, cookie, THERE)).toBe("other-address");
      }
    }
  });

  it(...rfc("AMB-16"), "of two lifetimes ago proves nothing, whatever time the cookie names", () => {
    const { jar } = counting();
    const first = jar.make(0, HERE);
    for (let at = 0; at <= 3 * LIFETIME_MS; at += 10_000) jar.make(at, HERE);
    const forged = new CookieJar(hmac, new Uint8Array(32).fill(1)).make(3 * LIFETIME_MS, HERE);
    expect(jar.check(3 * LIFETIME_MS, forged, HERE)).toBe("invalid");
    expect(jar.check(3 * LIFETIME_MS, first, HERE)).toBe("invalid");
  });

  it(...rfc("AMB-16"), "stays if it is shared, so that others' cookies are taken", () => {
    const secret = new Uint8Array(32).fill(9);
    const [one, other] = [new CookieJar(hmac, secret), new CookieJar(hmac, secret)];
    one.make(0, HERE);
    const late = 5 * LIFETIME_MS;
    expect(one.check(late + 50_000, other.make(late, HERE), HERE)).toBe("valid");
  });
});

/** A cookie made at that time by a jar that has been in steady use. */
function makeLate(jar: CookieJar, at: number): Uint8Array {
  for (let earlier = 0; earlier < at; earlier += STEP_MS) jar.make(earlier, HERE);
  return jar.make(at, HERE);
}
