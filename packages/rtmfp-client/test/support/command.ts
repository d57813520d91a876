import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterEach } from "vitest";

/** A run of the rtmfp-client command, from source. */
export class CommandRun {
  readonly child: ChildProcessWithoutNullStreams;
  /** Text so far. */
  stdout = "";
  stderr = "";
  /** Exit code, or signal. */
  readonly exit: Promise<number | string>;
  readonly #watchers = new Set<() => void>();

  constructor(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.child = spawn(process.execPath, ["--import", TSX, "--conditions=source", CLI, "rtmfp-client", ...args], {
      cwd: ROOT,
      env: { ...process.env, ...env },
    });
    this.child.stdout.on("data", (bytes: Buffer) => this.#add("stdout", bytes.toString("latin1")));
    this.child.stderr.on("data", (bytes: Buffer) => this.#add("stderr", bytes.toString()));
    this.exit = new Promise((resolve) => {
      this.child.on("close", (code, signal) => resolve(code ?? signal ?? "unknown"));
    });
  }

  /** Events of `--json` so far, without one that has come in part. */
  get events(): Record<string, unknown>[] {
    const lines = this.stdout.split("\n").slice(0, -1);
    return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  /** Resolves with the event of that name once it has come; rejects if the command ends without it. */
  async event(name: string): Promise<Record<string, unknown>> {
    for (;;) {
      const found = this.events.find(({ event }) => event === name);
      if (found !== undefined) return found;
      const more = new Promise<"more">((resolve) => this.#watchers.add(() => resolve("more")));
      if ((await Promise.race([more, this.exit])) !== "more" && !this.events.some(({ event }) => event === name))
        throw new Error(`no event "${name}"; stderr: ${this.stderr}`);
    }
  }

  #add(to: "stdout" | "stderr", text: string): void {
    this[to] += text;
    for (const watcher of this.#watchers) watcher();
    this.#watchers.clear();
  }
}

const running: CommandRun[] = [];

afterEach(async () => {
  for (const run of running.splice(0)) {
    run.child.kill("SIGKILL");
    await run.exit;
  }
});

/** Starts the command; it ends with the test at the latest. */
export function command(...args: string[]): CommandRun {
  return commandWith({}, ...args);
}

/** {@link command} with variables in its environment. */
export function commandWith(env: Readonly<Record<string, string>>, ...args: string[]): CommandRun {
  const run = new CommandRun(args, env);
  running.push(run);
  return run;
}

const ROOT = fileURLToPath(new URL("../../../../", import.meta.url));
const TSX = import.meta.resolve("tsx");
const CLI = fileURLToPath(new URL("../../../../tools/cli.ts", import.meta.url));
