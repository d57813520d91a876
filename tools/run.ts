import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/** How a child process is run. */
export interface RunOptions {
  /** Working directory; the repository's root by default. */
  readonly cwd?: string;
  /** Variables added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** The child is killed after this long; 10 minutes by default. */
  readonly timeoutMs?: number;
  /** Print the child's output as it comes; true by default. */
  readonly show?: boolean;
}

/** How a child process ended. */
export interface RunResult {
  /** Exit code; 1 if it was killed or could not be started. */
  readonly code: number;
  /** Standard output, whole. */
  readonly stdout: string;
  /** Standard output and standard error as they came, for a message about a failure. */
  readonly output: string;
}

/** The repository's root, with a trailing slash. */
export const root: string = fileURLToPath(new URL("..", import.meta.url));

/** An argument vector that runs a TypeScript file from source. */
export function script(file: string, ...args: string[]): string[] {
  return [process.execPath, `${root}node_modules/tsx/dist/cli.mjs`, "--conditions=source", `${root}${file}`, ...args];
}

/** An argument vector that runs a JavaScript file of an installed package, without a shell or a PATH look-up. */
export function tool(file: string, ...args: string[]): string[] {
  return [process.execPath, `${root}node_modules/${file}`, ...args];
}

/**
 * An argument vector for pnpm: the one that runs this script, or the pinned one through npx.
 */
export function pnpm(...args: string[]): string[] {
  const self = process.env["npm_execpath"];
  return self?.includes("pnpm") ? [process.execPath, self, ...args] : ["npx", "-y", "pnpm@10.34.9", ...args];
}

/** Runs a program to its end, never through a shell. */
export function run(argv: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const [command = "", ...args] = argv;
  const show = options.show ?? true;
  return new Promise((resolve) => {
    let stdout = "";
    let output = "";
    const child = spawn(command, args, {
      cwd: options.cwd ?? root,
      env: { ...process.env, ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
      timeout: options.timeoutMs ?? TEN_MINUTES_MS,
    });
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
      output += text;
      if (show) process.stdout.write(text);
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      if (show) process.stderr.write(text);
    });
    child.on("error", (error) => resolve({ code: 1, stdout, output: `${output}${command}: ${error.message}\n` }));
    child.on("close", (code, signal) => {
      if (signal !== null) output += `${command} was ended by ${signal}\n`;
      resolve({ code: code ?? 1, stdout, output });
    });
  });
}

const TEN_MINUTES_MS = 600_000;
