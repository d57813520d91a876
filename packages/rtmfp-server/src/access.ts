/** Who may connect at a server that has keys for tokens; the tokens are those of rtmfp-cpp's tcserver. § means RFC 7425. */
import { authKey, authToken, boundToken, type CryptoProvider, equalSecrets } from "rtmfp-core/crypto";
import type { AmfValue } from "rtmfp-core/tc";
import { parseUser, type User } from "./user.ts";

/** The secrets of a session that tokens are bound to (§4.6.5). */
export interface Nonces {
  readonly nearNonce: Uint8Array;
  readonly farNonce: Uint8Array;
}

/** A client that a token has let in. */
export interface Admission {
  /** Undefined for the token of a whole application. */
  readonly user: User | undefined;
  /** What the client gave beyond the token. */
  readonly args: readonly AmfValue[];
  /** Shows the client that the server knows the token too; undefined where no token is asked for. */
  readonly proof: string | undefined;
}

/** Checks tokens: by themselves, or bound to the session's nonce, which gives nothing away. */
export class Access {
  readonly #provider: CryptoProvider;
  readonly #keys: (() => Iterable<string>) | undefined;

  /**
   * `keys` is asked at every check, so that they can change; while it gives none, nobody is let in. Without it no token is
   * asked for.
   */
  constructor(provider: CryptoProvider, keys: (() => Iterable<string>) | undefined) {
    this.#provider = provider;
    this.#keys = keys;
  }

  /**
   * Lets a client in by what it gave to `connect`: a token of the application `app`, or a user's name and token. A string
   * says why not. `wallMs` is ms since 1970.
   */
  check(app: string, args: readonly AmfValue[], nonces: Nonces, wallMs: number): Admission | string {
    if (this.#keys === undefined) return { user: undefined, args, proof: undefined };
    const keys = [...this.#keys()];
    const [first, second] = args;
    if (typeof first !== "string") return "A token is needed.";
    const byUser = typeof second === "string" ? this.#proof(keys, app, first, second, nonces) : undefined;
    if (byUser !== undefined) {
      const user = parseUser(first);
      if (wallMs < user.connectFrom) return "The token is not valid yet.";
      if (wallMs > user.connectUntil) return "The token has expired.";
      return { user, args: args.slice(2), proof: byUser };
    }
    const proof = this.#proof(keys, app, undefined, first, nonces);
    return proof === undefined ? "The token is not valid here." : { user: undefined, args: args.slice(1), proof };
  }

  /** The proof to answer with, if `given` is the token by one of the keys. All keys are tried: time tells nothing. */
  #proof(
    keys: readonly string[],
    app: string,
    user: string | undefined,
    given: string,
    { nearNonce, farNonce }: Nonces,
  ): string | undefined {
    let proof: string | undefined;
    for (const key of keys) {
      const token = authToken(this.#provider, authKey(key), app, user);
      const isPlain = equalTexts(given, token);
      const isBound = equalTexts(given, boundToken(this.#provider, nearNonce, token));
      if (isPlain || isBound) proof = boundToken(this.#provider, farNonce, token);
    }
    return proof;
  }
}

function equalTexts(a: string, b: string): boolean {
  return equalSecrets(UTF8.encode(a), UTF8.encode(b));
}

const UTF8 = new TextEncoder();
