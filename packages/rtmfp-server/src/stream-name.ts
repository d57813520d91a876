/** Names of streams as clients send them: a name, and parameters behind a question mark, as tcserver reads them. */
import { createHash } from "node:crypto";

/** A name with its parameters. */
export interface StreamName {
  /** What stands before the first `?`; to play also `sha256:` and the hash of the name in 64 lower-case hex digits. */
  readonly name: string;
  /** What follows, by name; of several alike the last one counts. A parameter without `=` has the value `""`. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** Takes a name apart; undefined for what is no name. Parameters are separated by `&`, `;` or `?`. */
export function parseStreamName(text: unknown): StreamName | undefined {
  if (typeof text !== "string" || text.length > MAX_NAME) return undefined;
  const [name = "", ...rest] = text.split("?");
  if (name === "") return undefined;
  const parameters = new Map<string, string>();
  for (const part of rest.join("&").split(/[&;]/)) {
    const [key = "", ...value] = part.split("=");
    if (key !== "") parameters.set(key, value.join("="));
  }
  return { name, parameters };
}

/** The name by which a stream can be played and not published: `sha256:` and the hash of its plain name. */
export function hashName(name: string): string {
  return HASH_PREFIX + createHash("sha256").update(name).digest("hex");
}

/** Whether a name is the hash of another. */
export function isHashName(name: string): boolean {
  return name.startsWith(HASH_PREFIX);
}

/** The priority asked for, at most `most`; without a parameter of that name, or with one that is no number, the least. */
export function priorityOf({ parameters }: StreamName, most: number): number {
  const text = parameters.get("priority") ?? "";
  const priority = text.trim() === "" ? Number.NaN : Number(text);
  return Number.isNaN(priority) ? Number.NEGATIVE_INFINITY : Math.min(priority, most);
}

const HASH_PREFIX = "sha256:";
/** Longest name of a stream with its parameters, in UTF-16 units. */
export const MAX_NAME = 1_024;
