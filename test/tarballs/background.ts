import { spawn } from "node:child_process";

/** A program that runs until it is stopped. */
export interface Running {
  /** Number of its process. */
  readonly pid: number;
  /** The first line of its standard output that matches; rejects if it ends or is silent for 30 s. */
  line(pattern: RegExp): Promise<string>;
  /** Ends it and waits until it is gone. */
  stop(): Promise<void>;
}

/** Starts a program in the background, never through a shell. */
export function start(argv: readonly string[], cwd: string): Running {
  const [command = "", ...args] = argv;
  const child = spawn(command, args, { cwd, stdio: ["ignore", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const gone = new Promise<string>((resolve) => {
    child.on("error", (error) => resolve(error.message));
    child.on("close", (code, signal) => resolve(`ended with ${signal ?? code}`));
  });
  return {
    pid: child.pid ?? 0,
    line: (pattern) =>
      new Promise((resolve, reject) => {
        const fail = (why: string): void => reject(new Error(`${argv.join(" ")}: ${why}\n${stdout}${stderr}`));
        const timer = setTimeout(() => fail(`no line ${pattern} within 30 s`), THIRTY_SECONDS_MS);
        const look = (): void => {
          const complete = stdout.split("\n").slice(0, -1);
          const found = complete.find((line) => pattern.test(line));
          if (found === undefined) return;
          clearTimeout(timer);
          resolve(found);
        };
        child.stdout.on("data", look);
        gone.then((how) => {
          clearTimeout(timer);
          fail(how);
        }, reject);
        look();
      }),
    stop: async () => {
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), THIRTY_SECONDS_MS);
      await gone;
      clearTimeout(timer);
    },
  };
}

const THIRTY_SECONDS_MS = 30_000;
