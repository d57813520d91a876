/** Who may connect at a server that has keys for tokens; the tokens are those of rtmfp-cpp's tcserver. § means RFC 7425. */
import { authKey, authToken, boundToken, type CryptoProvider, equalSecrets } from "rtmfp-core/crypto";
import type { AmfValue } from "rtmfp-core/tc";
import { KeyFile } from "./key-list.ts";
import { parseUser, type User } from "./user.ts";

/** Secrets in a file: one per line, first word, as in a file of developer keys; read again when it changes. */
export interface AuthKeyFile {
  /** Path of the file. */
  readonly file: string;
}

/** Secrets, or a file of them, by any of which tokens may be made. While there is none, nobody is let in. */
export type AuthKeys = readonly string[] | AuthKeyFile;

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
  readonly #warn: (message: string) => void;
  #keys: KeySource | undefined;
  /** Of applications that have their own, by name; undefined for one that asks for no token. */
  readonly #own = new Map<string, KeySource | undefined>();

  /** Without `keys` no token is asked for. Throws BAD_ARGUMENT for a file that cannot be read. */
  constructor(provider: CryptoProvider, keys: AuthKeys | undefined, warn: (message: string) => void) {
    this.#provider = provider;
    this.#warn = warn;
    this.setKeys(keys);
  }

  /**
   * Puts other keys in place: those of one application, "off" if it asks for no token, undefined for those of the server; or
   * without `name` these. Throws like the constructor, and then nothing changes.
   */
  setKeys(keys: AuthKeys | "off" | undefined, name?: string): void {
    const source = keys === undefined || keys === "off" ? undefined : this.#sourceOf(keys);
    if (name === undefined) this.#keys = source;
    else if (keys === undefined) this.#own.delete(name);
    else this.#own.set(name, source);
  }

  /**
   * Lets a client in by what it gave to `connect`: a token of the path `app`, which begins with the application's name, or a
   * user's name and token. A string says why not. `wallMs` is ms since 1970.
   */
  check(app: string, args: readonly AmfValue[], nonces: Nonces, wallMs: number): Admission | string {
    const [name = ""] = app.split("/", 1);
    const source = this.#own.has(name) ? this.#own.get(name) : this.#keys;
    if (source === undefined) return { user: undefined, args, proof: undefined };
    const keys = [...source()];
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

  #sourceOf(keys: AuthKeys): KeySource {
    if (!("file" in keys)) {
      if (keys.length === 0) this.#warn("authKeys holds no key, so no token is taken and nobody is let in");
      return () => keys;
    }
    const file = new KeyFile(keys.file, this.#warn);
    return () => file.all();
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

/** Asked at every check, so that keys can change. */
type KeySource = () => Iterable<string>;

function equalTexts(a: string, b: string): boolean {
  return equalSecrets(UTF8.encode(a), UTF8.encode(b));
}

const UTF8 = new TextEncoder();
