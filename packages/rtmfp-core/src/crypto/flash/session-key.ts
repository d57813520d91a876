/** Session key derivation (§4.6.3 to §4.6.5). § means RFC 7425. */
import { type CryptoProvider, hmacSha256 } from "../primitives.ts";

/** What the derivation starts from. Near is the component this end sent, far the one it received (§4.6). */
export interface KeyMaterial {
  /** The shared secret as §4.6.2 wants it; see `agree`. Borrowed for the call. */
  readonly dhSecret: Uint8Array;
  /** The keying component that this end sent. Borrowed for the call. */
  readonly nearComponent: Uint8Array;
  /** The one it received. Borrowed for the call. */
  readonly farComponent: Uint8Array;
}

/**
 * What it gives: 32 bytes each. The AES-128 keys are the first 16 bytes of encryptKey and decryptKey. The bytes are
 * owned by this object.
 */
export interface DerivedKeys {
  /** ENCRYPT_KEY, 32 bytes (§4.6.3). Owned by this object, like the other five. */
  readonly encryptKey: Uint8Array;
  /** DECRYPT_KEY, 32 bytes: the far end's ENCRYPT_KEY. Owned by this object. */
  readonly decryptKey: Uint8Array;
  /** HMAC_SEND_KEY, 32 bytes (§4.6.4). Owned by this object. */
  readonly hmacSendKey: Uint8Array;
  /** HMAC_RECV_KEY, 32 bytes: the far end's HMAC_SEND_KEY. Owned by this object. */
  readonly hmacRecvKey: Uint8Array;
  /** SESSION_NEAR_NONCE, 32 bytes (§4.6.5). Owned by this object. */
  readonly nearNonce: Uint8Array;
  /** SESSION_FAR_NONCE, 32 bytes: the far end's near nonce. Owned by this object. */
  readonly farNonce: Uint8Array;
}

/** Derives one end's keys and nonces; the other end gets the mirror image. */
export function deriveSessionKeys(provider: CryptoProvider, material: KeyMaterial): DerivedKeys {
  const { dhSecret, nearComponent, farComponent } = material;
  const secret = provider.createHmacKey(dhSecret);
  const underSecret = (message: Uint8Array): Uint8Array => secret.digest(message);
  const encryptKey = underSecret(hmacSha256(provider, farComponent, nearComponent));
  const decryptKey = underSecret(hmacSha256(provider, nearComponent, farComponent));
  return {
    encryptKey,
    decryptKey,
    hmacSendKey: underSecret(encryptKey),
    hmacRecvKey: underSecret(decryptKey),
    nearNonce: underSecret(nearComponent),
    farNonce: underSecret(farComponent),
  };
}
