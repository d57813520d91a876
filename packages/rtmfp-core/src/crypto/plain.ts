/**
 * A profile WITHOUT ANY PROTECTION, for simulations of many endpoints: no encryption, no integrity, no proof of
 * identity. A certificate is an opaque name, its discriminator the same bytes. § means RFC 7016.
 */
import { EMPTY, equalBytes, toHex } from "../proto/bytes.ts";
import type { CryptoProfile, FarCertificate, OpenFailure, PacketCipher, SessionKeys } from "../proto/crypto-profile.ts";
import { ordersFirst } from "./flash/certificate.ts";
import { type CryptoProvider, hmacSha256 } from "./primitives.ts";
import { defaultProvider } from "./provider.ts";

/** Settings of an unprotected profile. */
export interface PlainProfileOptions {
  /** What {@link SessionKeys.farHmac} claims, to switch address mobility. Default true. */
  readonly farHmac?: boolean;
  /** What {@link SessionKeys.farSequence} claims: whether abuse ends a session. Default true. */
  readonly farSequence?: boolean;
  /**
   * Source of the nonces that stand for keying components: `length` bytes that the profile then owns. Default: the
   * provider's CSPRNG.
   */
  readonly random?: (length: number) => Uint8Array;
  /** For the HMAC of cookies and probes, which is real. Default: the process's choice. */
  readonly provider?: CryptoProvider;
}

/** Makes an unprotected profile named `name` (at least one byte). For tests and simulations only. `name` is copied. */
export function createUnprotectedTestProfile(name: Uint8Array, options: PlainProfileOptions = {}): CryptoProfile {
  const provider = options.provider ?? defaultProvider();
  const random = options.random ?? ((length: number) => provider.randomBytes(length));
  const { farHmac = true, farSequence = true } = options;
  const own = plainCertificate(name);
  return {
    certificate: own.bytes,
    id: own.id,
    startupCipher: new PlainCipher(),
    selectsSelf: (epd) => own.selectedBy(epd),
    parseCertificate: (bytes) => (bytes.length === 0 ? undefined : plainCertificate(bytes)),
    prevailsOver: (far) => ordersFirst(own.bytes, far.bytes),
    overrides: (next, current) => equalBytes(next.bytes, current.bytes),
    initiate: () => ({
      job: undefined,
      finish: () => {
        const skic = random(NONCE_BYTES);
        return {
          skic,
          complete: (skrc) => {
            if (skrc.length !== NONCE_BYTES) return undefined;
            const keys = plainKeys(skic, skrc.slice(), farHmac, farSequence);
            return { job: undefined, finish: () => keys };
          },
        };
      },
    }),
    respond: (_far, skic) => {
      if (skic.length !== NONCE_BYTES) return undefined;
      const skrc = random(NONCE_BYTES);
      const keys = plainKeys(skrc, skic.slice(), farHmac, farSequence);
      return { job: undefined, finish: () => ({ skrc, keys }) };
    },
    sign: () => EMPTY,
    verify: () => true,
    hmac: (key, message) => hmacSha256(provider, key, message),
    runJob: () => ({}),
  };
}

function plainCertificate(name: Uint8Array): FarCertificate {
  const bytes = name.slice();
  return { bytes, id: toHex(bytes), canonicalEpd: bytes, selectedBy: (epd) => equalBytes(epd, bytes) };
}

function plainKeys(nearNonce: Uint8Array, farNonce: Uint8Array, farHmac: boolean, farSequence: boolean): SessionKeys {
  return { cipher: new PlainCipher(), nearNonce, farNonce, farHmac, farSequence, description: { unprotected: true } };
}

/** Adds nothing and takes nothing away; what it opens is a copy, as the contract wants. */
class PlainCipher implements PacketCipher {
  readonly headroom = 0;
  readonly exhausted = false;
  readonly failure: OpenFailure = "size";

  packetCapacity(datagramBytes: number): number {
    return Math.max(0, datagramBytes - SESSION_ID_BYTES);
  }

  seal(_buffer: Uint8Array, _start: number, end: number): number {
    return end;
  }

  open(sealed: Uint8Array): Uint8Array | undefined {
    return sealed.length === 0 ? undefined : sealed.slice();
  }

  openAll(sealed: readonly Uint8Array[]): (Uint8Array | OpenFailure)[] {
    return sealed.map((bytes) => this.open(bytes) ?? this.failure);
  }
}

const NONCE_BYTES = 32;
const SESSION_ID_BYTES = 4;
