/** Session key derivation (§4.6.3 to §4.6.5). § means RFC 7425. */
import type { CryptoProvider } from "../primitives.ts";

/** What the derivation starts from. Near is the component this end sent, far the one it received (§4.6). */
export interface KeyMaterial {
  /** The shared secret as §4.6.2 wants it; see `agree`. */
  readonly dhSecret: Uint8Array;
  readonly nearComponent: Uint8Array;
  readonly farComponent: Uint8Array;
}

/** What it gives: 32 bytes each. The AES-128 keys are the first 16 bytes of encryptKey and decryptKey. */
export interface DerivedKeys {
  readonly encryptKey: Uint8Array;
  readonly decryptKey: Uint8Array;
  readonly hmacSendKey: Uint8Array;
  readonly hmacRecvKey: Uint8Array;
  readonly nearNonce: Uint8Array;
  readonly farNonce: Uint8Array;
}

/** Derives one end's keys and nonces; the other end gets the mirror image. */
export function deriveSessionKeys(provider: CryptoProvider, material: KeyMaterial): DerivedKeys {
  const { dhSecret, nearComponent, farComponent } = material;
  const secret = provider.createHmacKey(dhSecret);
  const near = provider.createHmacKey(nearComponent);
  const far = provider.createHmacKey(farComponent);
  const encryptKey = secret.digest(far.digest(nearComponent));
  const decryptKey = secret.digest(near.digest(farComponent));
  return {
    encryptKey,
    decryptKey,
    hmacSendKey: secret.digest(encryptKey),
    hmacRecvKey: secret.digest(decryptKey),
    nearNonce: secret.digest(nearComponent),
    farNonce: secret.digest(farComponent),
  };
}
