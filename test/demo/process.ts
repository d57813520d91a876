/** A command of ours as a child process that reports JSON events, line by line. */
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/** One event of `--json`. */
export interface CommandEvent {
  readonly event: string;
  readonly [field: string]: unknown;
}

/** A running command. */
export class Command {
  readonly name: string;
  readonly exited: Promise<number>;
  readonly #child: ChildProcess;
  #events: CommandEvent[] = [];
  readonly #waiting = new Set<() => void>();
  #errors = "";
  #code: number | undefined;

  /** `program` is rtmfp-server or rtmfp-client. Prints the command as it can be typed by hand, then runs it. */
  constructor(
    name: string,
    program: "rtmfp-server" | "rtmfp-client",
    args: readonly string[],
    env: Record<string, string>,
  ) {
    this.name = name;
    const shown = program === "rtmfp-server" ? "start" : "client";
    const variables = Object.entries(env).map(([key, value]) => `${key}="${value}" `);
    console.log(`$ ${variables.join("")}npx -y pnpm@10.34.9 ${[shown, ...args].join(" ")}`);
    this.#child = spawn(process.execPath, ["--conditions=source", "--import=tsx", "tools/cli.ts", program, ...args], {
      cwd: ROOT,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#readLines();
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#errors += text;
    });
    this.exited = new Promise((resolve) => {
      this.#child.once("close", (code) => {
        this.#code = code ?? 1;
        this.#wakeAll();
        resolve(this.#code);
      });
    });
  }

  /** The first event of that name that has not been taken. Rejects when the process ends first, or at the limit. */
  async take(event: string, limitMs: number): Promise<CommandEvent> {
    const deadline = AbortSignal.timeout(limitMs);
    for (;;) {
      const index = this.#events.findIndex((each) => each.event === event);
      if (index >= 0) return this.#events.splice(index, 1)[0] as CommandEvent;
      this.check();
      if (deadline.aborted)
        throw new Error(`${this.name} did not report "${event}" within ${limitMs} ms: ${this.#errors.trim()}`);
      await this.#change(deadline);
    }
  }

  /** The newest event of that name; those before it are forgotten. Undefined before the first. */
  latest(event: string): CommandEvent | undefined {
    const all = this.#events.filter((each) => each.event === event);
    const newest = all.pop();
    if (all.length > 0) this.#events = this.#events.filter((each) => !all.includes(each));
    return newest;
  }

  /** Throws, with what it wrote to stderr, if the process has ended. */
  check(): void {
    if (this.#code !== undefined) throw new Error(`${this.name} ended with code ${this.#code}: ${this.#errors.trim()}`);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  get running(): boolean {
    return this.#code === undefined;
  }

  #change(deadline: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#waiting.delete(wake);
        deadline.removeEventListener("abort", wake);
        resolve();
      };
      this.#waiting.add(wake);
      deadline.addEventListener("abort", wake);
    });
  }

  #readLines(): void {
    let rest = "";
    this.#child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) if (line.startsWith("{")) this.#events.push(JSON.parse(line) as CommandEvent);
      this.#wakeAll();
    });
  }

  #wakeAll(): void {
    for (const wake of [...this.#waiting]) wake();
  }
}

/** The repository's root. */
export const ROOT: string = fileURLToPath(new URL("../..", import.meta.url));
