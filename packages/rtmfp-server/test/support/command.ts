/** The command as a process of its own, run from source. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** How a process ended and what it wrote. */
export interface Outcome {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** A running command. */
export class RunningCommand {
  readonly ended: Promise<Outcome>;
  readonly #child: ChildProcess;
  #out = "";
  #err = "";
  #isOver = false;
  readonly #waiting = new Set<() => void>();

  /** Runs rtmfp-server, or another package's command. */
  constructor(args: readonly string[], env: Readonly<Record<string, string>> = {}, name = "rtmfp-server") {
    const command = ["--conditions=source", "--import=tsx", "tools/cli.ts", name, ...args];
    this.#child = spawn(process.execPath, command, { cwd: ROOT, env: { ...process.env, ...env } });
    this.#child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.#out += text;
      this.#wake();
    });
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#err += text;
      this.#wake();
    });
    this.ended = once(this.#child, "close").then(([code]) => {
      this.#isOver = true;
      this.#wake();
      return { code: code as number | null, out: this.#out, err: this.#err };
    });
  }

  /** Number of the process. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Events on stdout so far. */
  get events(): Record<string, unknown>[] {
    const lines = this.#out.split("\n").slice(0, -1);
    return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  /** Resolves with the `nth` event of that name. */
  async event(name: string, nth = 0): Promise<Record<string, unknown>> {
    await this.until(() => this.events.filter(({ event }) => event === name).length > nth);
    return this.events.filter(({ event }) => event === name)[nth] as Record<string, unknown>;
  }

  /** Resolves when stderr matches. */
  async stderr(pattern: RegExp): Promise<string> {
    await this.until(() => pattern.test(this.#err));
    return this.#err;
  }

  /** Its stdout has no reader from now on. */
  closeOutput(): void {
    this.#child.stdout?.destroy();
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Resolves when what it has written makes that true. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      if (this.#isOver) throw new Error(`the command ended: ${this.#err}${this.#out}`);
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  #wake(): void {
    for (const resolve of [...this.#waiting]) resolve();
    this.#waiting.clear();
  }
}

const ROOT: string = fileURLToPath(new URL("../../../..", import.meta.url));
