import { type ChildProcess, spawn } from "node:child_process";
import { appendFileSync } from "node:fs";

/** How a program ended. */
export interface Ending {
  /** Exit code; undefined if a signal ended it or it never started. */
  readonly code?: number;
  /** In words, for a message. */
  readonly how: string;
}

/** A running program whose output is watched; it does not outlive this process. */
export class Program {
  /** For messages, such as `rtmfp-cpp player`. */
  readonly label: string;
  /** Settles, and never rejects, when the program is gone and its output is complete. */
  readonly ended: Promise<Ending>;
  readonly #child: ChildProcess;
  readonly #stopSignal: NodeJS.Signals;
  readonly #watchers = new Set<() => void>();
  #output = "";
  #ending: Ending | undefined;

  /** Starts the program, never through a shell; all its output goes to the log file, after the command itself. */
  constructor(label: string, argv: readonly string[], logFile: string, cwd: string, stop: NodeJS.Signals = "SIGTERM") {
    const [command = "", ...args] = argv;
    this.label = label;
    this.#stopSignal = stop;
    appendFileSync(logFile, `$ ${argv.map(quoted).join(" ")}\n`);
    this.#child = spawn(command, args, { cwd, stdio: ["ignore", "pipe", "pipe"] });
    const take = (text: string): void => {
      this.#output += text;
      appendFileSync(logFile, text);
      for (const watcher of this.#watchers) watcher();
    };
    this.#child.stdout?.setEncoding("utf8").on("data", take);
    this.#child.stderr?.setEncoding("utf8").on("data", take);
    const killWithUs = (): void => void this.#child.kill("SIGKILL");
    process.once("exit", killWithUs);
    this.ended = new Promise((resolve) => {
      // A program that cannot be started reports an error and then that it closed.
      const end = (ending: Ending): void => {
        if (this.#ending !== undefined) return;
        process.off("exit", killWithUs);
        this.#ending = ending;
        appendFileSync(logFile, `[${ending.how}]\n`);
        resolve(ending);
        for (const watcher of this.#watchers) watcher();
      };
      this.#child.on("error", (error) => end({ how: `did not start: ${error.message}` }));
      this.#child.on("close", (code, signal) =>
        end(code === null ? { how: `was ended by ${signal}` } : { code, how: `exited with ${code}` }),
      );
    });
  }

  /** Standard output and standard error so far, as they came. */
  get output(): string {
    return this.#output;
  }

  /**
   * Waits until the pattern has matched so many times, and returns the last of these matches.
   * @throws Error if the program ends first, if `failed` matches first, or after the time limit.
   */
  waitFor(
    pattern: string,
    limitMs: number,
    options: { times?: number; failed?: string } = {},
  ): Promise<RegExpMatchArray> {
    const { times = 1, failed } = options;
    return this.#watch(limitMs, `/${pattern}/${times > 1 ? ` ${times} times` : ""}`, () => {
      const failure = failed === undefined ? undefined : this.matches(failed)[0];
      if (failure !== undefined) throw new Error(`${this.label} said: ${failure[0]}`);
      const match = this.matches(pattern)[times - 1];
      if (match === undefined && this.#ending !== undefined) {
        throw new Error(`${this.label} ${this.#ending.how} before it printed /${pattern}/${this.#tellingLine()}`);
      }
      return match;
    });
  }

  /** Waits until the program has ended by itself. @throws Error after the time limit or if `failed` matches first. */
  waitForEnd(limitMs: number, failed?: string): Promise<Ending> {
    return this.#watch(limitMs, "its end", () => {
      const failure = failed === undefined ? undefined : this.matches(failed)[0];
      if (failure !== undefined) throw new Error(`${this.label} said: ${failure[0]}`);
      return this.#ending;
    });
  }

  /** All matches of a pattern in the output so far. */
  matches(pattern: string): RegExpMatchArray[] {
    return [...this.#output.matchAll(new RegExp(pattern, "gm"))];
  }

  /** Ends the program, by force if it does not heed its signal, and waits until it is gone. */
  async stop(): Promise<void> {
    if (this.#ending !== undefined) return;
    this.#child.kill(this.#stopSignal);
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), STOP_LIMIT_MS);
    await this.ended;
    clearTimeout(timer);
  }

  /** Looks now, at each piece of output and at the end, until there is something; whatever `look` throws rejects. */
  #watch<T>(limitMs: number, what: string, look: () => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const finish = (settle: () => void): void => {
        clearTimeout(timer);
        this.#watchers.delete(watcher);
        settle();
      };
      const watcher = (): void => {
        try {
          const found = look();
          if (found !== undefined) finish(() => resolve(found));
        } catch (error) {
          finish(() => reject(error));
        }
      };
      const timer = setTimeout(() => {
        const why = `${this.label}: waited ${limitMs / 1000} s for ${what}${this.#tellingLine()}`;
        finish(() => reject(new Error(why)));
      }, limitMs);
      this.#watchers.add(watcher);
      watcher();
    });
  }

  /** The line that says most: the last one that mentions an error, or the last. */
  #tellingLine(): string {
    const lines = this.#output.split("\n").filter((line) => line.trim() !== "");
    const line = lines.findLast((each) => /\berror\b/i.test(each)) ?? lines.at(-1);
    return line === undefined ? "; it printed nothing" : `; it printed: ${line.trim().slice(0, 200)}`;
  }
}

function quoted(arg: string): string {
  return /^[\w@%+=:,./-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", `'\\''`)}'`;
}

/** A program that ignores its signal is killed after this long. */
const STOP_LIMIT_MS = 5_000;
