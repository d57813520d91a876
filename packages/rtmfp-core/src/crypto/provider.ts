/** The choice of primitives, our own and of no RFC: node:crypto where it works, noble for the rest, or noble for all. */
import { equalBytes, fromHex } from "../proto/bytes.ts";
import type { ModpGroup } from "./dh-groups.ts";
import { nobleProvider } from "./noble.ts";
import { createNodeProvider, loadNodeCrypto } from "./node.ts";
import type { CryptoProvider, DhKey } from "./primitives.ts";

/**
 * The process's provider, chosen once: noble if the environment says `RTMFP_CRYPTO=noble` or there is no
 * node:crypto, else {@link mixProviders} of both. Throws RangeError if `RTMFP_CRYPTO` is anything but `node` or `noble`.
 */
export function defaultProvider(): CryptoProvider {
  chosen ??= chooseProvider(globalThis.process?.env["RTMFP_CRYPTO"]);
  return chosen;
}

/**
 * The provider that a value of `RTMFP_CRYPTO` asks for; undefined and "" leave the choice to what works. Throws
 * RangeError for any other value but `node` and `noble`.
 */
export function chooseProvider(wish: string | undefined): CryptoProvider {
  if (wish === "noble") return nobleProvider;
  if (wish !== undefined && wish !== "" && wish !== "node") {
    throw new RangeError(`RTMFP_CRYPTO is "${wish}"; set it to "node" or "noble", or leave it out`);
  }
  const crypto = loadNodeCrypto();
  return crypto === undefined ? nobleProvider : mixProviders(createNodeProvider(crypto), nobleProvider);
}

/**
 * `first`, with `second` in place of each primitive that gives a wrong answer or throws when tried. MODP groups
 * are tried one by one on their first use, because that can be slow. The name tells what `second` stands in for.
 */
export function mixProviders(first: CryptoProvider, second: CryptoProvider): CryptoProvider {
  const replaced: string[] = [];
  const pick = (primitive: string, works: () => boolean): CryptoProvider => {
    try {
      if (works()) return first;
    } catch {
      // Refused by policy or missing: the same as wrong.
    }
    replaced.push(primitive);
    return second;
  };
  const cipher = pick("aes-128-cbc", () => cipherWorks(first));
  const hash = pick("sha256", () => equalBytes(first.sha256(ABC), ABC_SHA256));
  const mac = pick("hmac-sha256", () => equalBytes(first.createHmacKey(ABC).digest(ABC), ABC_HMAC));
  const random = pick("random", () => first.randomBytes(16).length === 16);
  const x25519 = pick("x25519", () => keyWorks(first.x25519Key(EXPONENT), second.x25519Key(EXPONENT)));
  const modp = new Map<number, CryptoProvider>();
  const modpProvider = (group: ModpGroup): CryptoProvider => {
    let provider = modp.get(group.id);
    if (provider === undefined) {
      provider = pick(group.name, () => {
        const key = first.modpKey(group, EXPONENT);
        return key.agree(key.publicKey()).length === group.primeBytes.length;
      });
      modp.set(group.id, provider);
    }
    return provider;
  };
  return {
    get name(): string {
      return replaced.length === 0 ? first.name : `${first.name} (${second.name}: ${replaced.join(", ")})`;
    },
    createEncryptor: (key) => cipher.createEncryptor(key),
    createDecryptor: (key) => cipher.createDecryptor(key),
    sha256: (message) => hash.sha256(message),
    createHmacKey: (key) => mac.createHmacKey(key),
    randomBytes: (length) => random.randomBytes(length),
    modpKey: (group, privateKey) => modpProvider(group).modpKey(group, privateKey),
    x25519Key: (privateKey) => x25519.x25519Key(privateKey),
  };
}

function cipherWorks(provider: CryptoProvider): boolean {
  const block = new Uint8Array(16);
  provider.createEncryptor(new Uint8Array(16)).encrypt(block, 0, 16);
  const back = provider.createDecryptor(new Uint8Array(16)).decrypt(block, 16);
  return equalBytes(block, ZERO_AES) && equalBytes(back, new Uint8Array(16));
}

function keyWorks(key: DhKey, reference: DhKey): boolean {
  const publicKey = key.publicKey();
  return equalBytes(publicKey, reference.publicKey()) && equalBytes(key.agree(publicKey), reference.agree(publicKey));
}

let chosen: CryptoProvider | undefined;

/** An exponent for trying out keys: any 32 bytes with the top bit clear do. */
const EXPONENT: Uint8Array = Uint8Array.from({ length: 32 }, (_, i) => 0x41 + i);
const ABC: Uint8Array = Uint8Array.of(0x61, 0x62, 0x63);
/** FIPS 180-2 appendix B.1. */
const ABC_SHA256: Uint8Array = fromHex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
const ABC_HMAC: Uint8Array = fromHex("2f02e24ae2e1fe880399f27600afa88364e6062bf9bbe114b32fa8f23d03608a");
/** AES-128 of a zero block under a zero key. */
const ZERO_AES: Uint8Array = fromHex("66e94bd4ef8a2c3b884cfa59ca342b2e");
