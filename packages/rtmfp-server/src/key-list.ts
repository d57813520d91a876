/** Which developer keys a server takes. */
import { readFileSync, statSync } from "node:fs";
import { RtmfpError } from "rtmfp-core";
import { fileReason } from "./file-reason.ts";

/** Tells whether a key, the first segment of a URL's path, is taken. */
export interface KeyList {
  allows(key: string): boolean;
}

/** Takes every key, and none. */
export const ANY_KEY: KeyList = { allows: () => true };

/** Takes the keys listed. */
export function fixedKeys(keys: readonly string[]): KeyList {
  const set = new Set(keys);
  return { allows: (key) => set.has(key) };
}

/**
 * Takes the keys in a file: one per line, first word; what follows it is a comment, as is a line that begins with `#`.
 * The file is looked at whenever somebody connects and read again when it has changed; while it cannot be read, the
 * keys known last hold, and `onTrouble` is told once, as it is of a file that holds no key. Throws BAD_ARGUMENT if it
 * cannot be read at first.
 */
export class KeyFile implements KeyList {
  readonly #path: string;
  readonly #onTrouble: (message: string) => void;
  #keys: ReadonlySet<string>;
  #version: string;
  #troubled = false;

  constructor(path: string, onTrouble: (message: string) => void = () => {}) {
    this.#path = path;
    this.#onTrouble = onTrouble;
    try {
      this.#version = versionOf(path);
      this.#keys = this.#read();
    } catch (error) {
      throw new RtmfpError("BAD_ARGUMENT", this.#trouble(error));
    }
  }

  allows(key: string): boolean {
    return this.all().has(key);
  }

  /** The keys, as they are now. */
  all(): ReadonlySet<string> {
    try {
      const version = versionOf(this.#path);
      // Where a file system's clock is coarse, one that comes back may look like the one that went.
      if (this.#troubled || version !== this.#version) this.#keys = this.#read();
      this.#version = version;
      this.#troubled = false;
    } catch (error) {
      if (!this.#troubled) this.#onTrouble(`${this.#trouble(error)}; the keys known last hold`);
      this.#troubled = true;
    }
    return this.#keys;
  }

  #read(): ReadonlySet<string> {
    const keys = parseKeys(readFileSync(this.#path, "utf8"));
    if (keys.size === 0) this.#onTrouble(`the key file ${this.#path} holds no key, so nobody is let in by one`);
    return keys;
  }

  #trouble(error: unknown): string {
    return `the key file ${this.#path} cannot be read: ${fileReason(error, "read")}`;
  }
}

/** The keys in the text of a key file. */
export function parseKeys(text: string): ReadonlySet<string> {
  const words = text.split(/\r?\n/).map((line) => line.trim().split(/\s+/)[0] ?? "");
  return new Set(words.filter((word) => word !== "" && !word.startsWith("#")));
}

/** Differs when the file was written or replaced, but for one of the same size within a tick of the file system's clock. */
function versionOf(path: string): string {
  const { ino, size, mtimeNs } = statSync(path, { bigint: true });
  return `${ino} ${size} ${mtimeNs}`;
}
