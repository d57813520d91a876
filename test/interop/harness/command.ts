import { accessSync, constants } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";
import type { Peer, Role, RoleName } from "./peer-file.ts";

/** What stands for `{name}` in an argument. */
export type Values = Readonly<Record<string, string>>;

/** A program cannot be had here, so that its cell proves nothing either way. */
export class Unavailable extends Error {
  override readonly name = "Unavailable";
}

/** A role's ready pattern and its argument vector, options filled in and values still open. */
export interface Command {
  readonly role: Role;
  readonly argv: readonly string[];
  readonly ready: string;
}

/** The command of a role with the options asked for. @throws Unavailable if the peer has no such role or option. */
export function commandOf(peer: Peer, name: RoleName, asked: readonly string[] = []): Command {
  const role = peer.roles[name];
  if (role === undefined) throw new Unavailable(`${peer.name} has no ${name}`);
  const options = asked.map((option) => {
    const found = role.options?.[option];
    if (found === undefined) throw new Unavailable(`${peer.name}'s ${name} has no option ${option}`);
    return found;
  });
  const args = options.flatMap((option) => option.args);
  const ready = options.findLast((option) => option.ready !== undefined)?.ready ?? role.ready;
  return { role, argv: role.argv.flatMap((arg) => (arg === "{options}" ? args : [arg])), ready };
}

/** Replaces every `{name}` in every argument. @throws Error that names a `{name}` without a value. */
export function substitute(argv: readonly string[], values: Values): string[] {
  return argv.map((arg) =>
    arg.replace(PLACEHOLDER, (_, name: string) => {
      const value = values[name];
      if (value === undefined) throw new Error(`{${name}} in ${JSON.stringify(arg)} has no value in this cell`);
      return value;
    }),
  );
}

/** True if an argument mentions `{name}`. */
export function mentions(argv: readonly string[], name: string): boolean {
  return argv.some((arg) => arg.includes(`{${name}}`));
}

/**
 * The folder of a peer's programs, from the environment; empty for a peer that needs none.
 * @throws Unavailable if the variable is not set.
 */
export function folderOf(peer: Peer, env: Readonly<Record<string, string | undefined>>): string {
  if (peer.folder === undefined) return "";
  const folder = env[peer.folder];
  if (folder === undefined || folder === "") throw new Unavailable(`${peer.folder} is not set`);
  return folder;
}

/**
 * Checks that the program and whatever else is named inside `{dir}` are there.
 * @throws Unavailable that names the first one that is missing.
 */
export function checkPresent(argv: readonly string[], dir: string, path: string = process.env["PATH"] ?? ""): void {
  const inside = argv.filter((arg) => arg.startsWith("{dir}")).map((arg) => arg.replace("{dir}", dir));
  const missing = inside.find((file) => !canRun(file));
  if (missing !== undefined) throw new Unavailable(`there is no program ${missing}`);
  const program = argv[0]!;
  if (program.includes("{") || isAbsolute(program)) return;
  const found = path.split(delimiter).some((folder) => canRun(join(folder, program)));
  if (!found) throw new Unavailable(`there is no program ${program} in PATH`);
}

function canRun(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

const PLACEHOLDER = /\{([A-Za-z]+)\}/g;
