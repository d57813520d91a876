import { createSocket } from "node:dgram";
import { once } from "node:events";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { checkPresent, commandOf, folderOf, mentions, substitute, type Values } from "./command.ts";
import type { Peer, Role, RoleName } from "./peer-file.ts";
import { type Ending, Program } from "./program.ts";

/** How a program is started in a cell. */
export interface StartOptions {
  /** Names of the role's options that the cell needs. */
  readonly options?: readonly string[];
  /** Values for `{name}` beyond those that every program has: dir, folder, host, node, tsx and root. */
  readonly values?: Values;
}

/** A program in its role. */
export interface Actor {
  readonly program: Program;
  readonly role: Role;
  /** All values, with those that the ready pattern captured once the program is ready. */
  readonly values: Values;
  /** Waits until the program is ready, and returns it with what its ready pattern captured. */
  ready(): Promise<Actor>;
  /** True if the ready pattern has matched. */
  isReady(): boolean;
  /** Waits until the program's work is done. */
  done(): Promise<void>;
  /** Waits until the program has ended by itself. */
  ended(): Promise<Ending>;
}

/** Where one cell plays: our programs, a peer's, and a folder of its own for logs and files. */
export class Stage {
  /** Our programs and theirs, each as its file describes them. */
  readonly ours: Peer;
  readonly peer: Peer;
  /** Holds a log per program and the media files of this cell. */
  readonly folder: string;
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #programs: Program[] = [];

  constructor(ours: Peer, peer: Peer, folder: string, env: Readonly<Record<string, string | undefined>>) {
    this.ours = ours;
    this.peer = peer;
    this.folder = folder;
    this.#env = env;
  }

  /** Starts a program and waits until it is ready. @throws Unavailable if it cannot be had. */
  async start(who: Peer, role: RoleName, options: StartOptions = {}): Promise<Actor> {
    const actor = await this.launch(who, role, options);
    return actor.ready();
  }

  /** Starts a program without waiting for anything. @throws Unavailable if it cannot be had. */
  async launch(who: Peer, name: RoleName, options: StartOptions = {}): Promise<Actor> {
    const { role, argv, ready } = commandOf(who, name, options.options);
    const dir = folderOf(who, this.#env);
    checkPresent(argv, dir);
    const values: Values = { ...COMMON, dir, folder: this.folder, ...options.values };
    const needsPort = mentions(argv, "port") && values["port"] === undefined;
    const complete = needsPort ? { ...values, port: String(await freePort()) } : values;
    const label = `${who.name} ${name}`;
    const log = join(
      this.folder,
      `${String(this.#programs.length + 1).padStart(2, "0")}-${label.replaceAll(" ", "-")}.log`,
    );
    const program = new Program(label, substitute(argv, complete), log, this.folder, role.stop);
    this.#programs.push(program);
    return new RunningActor(program, role, ready, complete);
  }

  /** Ends all programs of the cell, the last one first. */
  async close(): Promise<void> {
    for (const program of this.#programs.toReversed()) await program.stop();
  }
}

class RunningActor implements Actor {
  readonly program: Program;
  readonly role: Role;
  readonly #ready: string;
  #values: Values;

  constructor(program: Program, role: Role, ready: string, values: Values) {
    this.program = program;
    this.role = role;
    this.#ready = ready;
    this.#values = values;
  }

  get values(): Values {
    return this.#values;
  }

  async ready(): Promise<Actor> {
    const match = await this.program.waitFor(this.#ready, READY_LIMIT_MS, this.#failed());
    this.#values = { ...this.#values, ...match.groups };
    return this;
  }

  isReady(): boolean {
    return this.program.matches(this.#ready).length > 0;
  }

  async done(): Promise<void> {
    const { done, doneTimes, failed } = this.role;
    if (done !== undefined) {
      await this.program.waitFor(done, DONE_LIMIT_MS, { times: doneTimes ?? 1, ...this.#failed() });
      return;
    }
    const { code, how } = await this.program.waitForEnd(DONE_LIMIT_MS, failed);
    if (code !== 0)
      throw new Error(`${this.program.label} ${how}: ${this.program.output.trimEnd().split("\n").at(-1)}`);
  }

  ended(): Promise<Ending> {
    return this.program.waitForEnd(DONE_LIMIT_MS);
  }

  #failed(): { failed?: string } {
    return this.role.failed === undefined ? {} : { failed: this.role.failed };
  }
}

/** A UDP port of the loopback address that was free just now, for programs that cannot report one of their own. */
async function freePort(): Promise<number> {
  const socket = createSocket("udp4");
  socket.bind(0, HOST);
  await once(socket, "listening");
  const { port } = socket.address();
  socket.close();
  await once(socket, "close");
  return port;
}

/** Everything meets here. */
const HOST = "127.0.0.1";
/** Values that every program has. */
const COMMON: Values = {
  credentials: "",
  host: HOST,
  node: process.execPath,
  tsx: import.meta.resolve("tsx"),
  root: dirname(fileURLToPath(new URL("../../../package.json", import.meta.url))),
};
const READY_LIMIT_MS = 60_000;
const DONE_LIMIT_MS = 40_000;
