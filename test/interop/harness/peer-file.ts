import { readFileSync } from "node:fs";

/** What a program does in a cell. */
export type RoleName = (typeof ROLE_NAMES)[number];

/** Somebody's programs, as a JSON file describes them; test/interop/README.md explains each field. */
export interface Peer {
  /** What the matrix calls it. */
  readonly name: string;
  /** Environment variable that holds the folder of its programs, `{dir}`; absent if no folder is needed. */
  readonly folder?: string;
  readonly roles: Readonly<Partial<Record<RoleName, Role>>>;
}

/** One program. Patterns are JavaScript regular expressions with the flag `m`, on stdout and stderr together. */
export interface Role {
  /** Program and arguments; `{name}` is replaced, and the element `{options}` by the options that a cell asks for. */
  readonly argv: readonly string[];
  /** Arguments that some cells need; a cell that asks for one that is missing is unavailable. */
  readonly options?: Readonly<Record<string, Option>>;
  /** Says that the program is ready; its named groups become values, such as `port` and `fingerprint`. */
  readonly ready: string;
  /** Says that the program's work is done; without it the work is done when the program exits with 0. */
  readonly done?: string;
  /** How often `done` must match; default 1. */
  readonly doneTimes?: number;
  /** Says that the program failed, so that nobody waits for `done`. */
  readonly failed?: string;
  /** Signal that ends the program when the cell is over; default SIGTERM. */
  readonly stop?: NodeJS.Signals;
  /** For players that write no `{out}`: matches each tag in the output, with the groups type, timestamp, length. */
  readonly tags?: string;
  /**
   * For publishers that hang up with their last tags unsent: the file that they get ends with one more tag, so many
   * milliseconds later, which does not count.
   */
  readonly trailerMs?: number;
}

/** Arguments, and a ready pattern that replaces the role's when the option is in use. */
export interface Option {
  readonly args: readonly string[];
  readonly ready?: string;
}

/** Reads and checks a peer file. @throws Error with one line that names the file and the field. */
export function readPeer(path: string): Peer {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new Error(`${path}: ${(error as Error).message}`);
  }
  try {
    return checkPeer(json);
  } catch (error) {
    throw new Error(`${path}: ${(error as Error).message}`);
  }
}

/** Checks what a peer file holds. @throws Error with one line that names the field. */
export function checkPeer(json: unknown): Peer {
  const peer = fields(json, "the file", ["name", "folder", "roles"]);
  const roles = fields(peer["roles"], "roles", ROLE_NAMES);
  if (Object.keys(roles).length === 0) throw new Error(`roles is empty; it takes ${ROLE_NAMES.join(", ")}`);
  const name = text(peer["name"], "name");
  const folder = optional(peer["folder"], "folder", text);
  const checked = Object.entries(roles).map(([role, value]) => [role, checkRole(value, `roles.${role}`)] as const);
  return { name, ...folder, roles: Object.fromEntries(checked) };
}

function checkRole(json: unknown, where: string): Role {
  const role = fields(json, where, ROLE_FIELDS);
  const argv = texts(role["argv"], `${where}.argv`);
  if (argv.length === 0) throw new Error(`${where}.argv is empty; its first element is the program`);
  const options = Object.entries(fields(role["options"] ?? {}, `${where}.options`)).map(
    ([name, option]) => [name, checkOption(option, `${where}.options.${name}`)] as const,
  );
  if (options.length > 0 && !argv.includes("{options}")) {
    throw new Error(`${where}.argv has no element "{options}", where the options would go`);
  }
  return {
    argv,
    options: Object.fromEntries(options),
    ready: pattern(role["ready"], `${where}.ready`),
    ...optional(role["done"], "done", pattern, where),
    ...optional(role["doneTimes"], "doneTimes", positive, where),
    ...optional(role["failed"], "failed", pattern, where),
    ...optional(role["stop"], "stop", signal, where),
    ...optional(role["tags"], "tags", pattern, where),
    ...optional(role["trailerMs"], "trailerMs", positive, where),
  };
}

function checkOption(json: unknown, where: string): Option {
  if (Array.isArray(json)) return { args: texts(json, where) };
  const option = fields(json, where, ["args", "ready"]);
  return { args: texts(option["args"], `${where}.args`), ...optional(option["ready"], "ready", pattern, where) };
}

function fields(json: unknown, where: string, known?: readonly string[]): Record<string, unknown> {
  if (typeof json !== "object" || json === null || Array.isArray(json)) throw new Error(`${where} must be an object`);
  const unknown = Object.keys(json).find((key) => known !== undefined && !known.includes(key));
  if (unknown !== undefined)
    throw new Error(`${where} has the unknown field ${unknown}; it takes ${known?.join(", ")}`);
  return json as Record<string, unknown>;
}

/** An object with the one field, or without it where the file has none. */
function optional<K extends string, T>(
  json: unknown,
  key: K,
  check: (json: unknown, where: string) => T,
  where?: string,
): { [P in K]?: T } {
  if (json === undefined) return {};
  return { [key]: check(json, where === undefined ? key : `${where}.${key}`) } as { [P in K]?: T };
}

function text(json: unknown, where: string): string {
  if (typeof json !== "string" || json === "") throw new Error(`${where} must be a string that is not empty`);
  return json;
}

function texts(json: unknown, where: string): string[] {
  if (!Array.isArray(json) || !json.every((item) => typeof item === "string")) {
    throw new Error(`${where} must be an array of strings`);
  }
  return json as string[];
}

function positive(json: unknown, where: string): number {
  if (typeof json !== "number" || !(json > 0)) throw new Error(`${where} must be a positive number`);
  return json;
}

function pattern(json: unknown, where: string): string {
  const source = text(json, where);
  try {
    new RegExp(source, "m");
  } catch (error) {
    throw new Error(`${where}: ${(error as Error).message}`);
  }
  return source;
}

function signal(json: unknown, where: string): NodeJS.Signals {
  const name = text(json, where);
  if (!/^SIG[A-Z0-9]+$/.test(name)) throw new Error(`${where} must be the name of a signal, such as SIGINT`);
  return name as NodeJS.Signals;
}

const ROLE_NAMES = [
  "server",
  "publisher",
  "player",
  "echoServer",
  "echoClient",
  "redirector",
  "rules",
  "caller",
  "relay",
  "checkServer",
  "checker",
] as const;
const ROLE_FIELDS = ["argv", "options", "ready", "done", "doneTimes", "failed", "stop", "tags", "trailerMs"];
