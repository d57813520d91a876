/** Calls between the process that runs a flood and its children, over Node's IPC channel. */
import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";

/** What a child offers: named functions with plain data in and out. */
export type Handlers = Readonly<Record<string, (argument: never) => unknown>>;

interface Call {
  readonly id: number;
  readonly name: string;
  readonly argument: unknown;
}

interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

/** In a child: answers calls until the parent is gone. */
export function serve(handlers: Handlers): void {
  process.on("message", (call: Call) => {
    const handler = handlers[call.name] as ((argument: unknown) => unknown) | undefined;
    Promise.resolve(call.argument)
      .then((argument) => {
        if (handler === undefined) throw new Error(`there is no ${call.name}`);
        return handler(argument);
      })
      .then(
        (value) => tell({ id: call.id, value }),
        (error: Error) => tell({ id: call.id, error: error.stack ?? error.message }),
      );
  });
  process.on("disconnect", () => process.exit(0));
}

function tell(answer: Answer): void {
  if (process.connected) process.send?.(answer);
}

/** A child process, seen from its parent. */
export class Remote {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  #nextId = 1;
  #ended: Error | undefined;
  #stopping = false;

  /** Starts a file of this folder, with the collector in reach. */
  constructor(name: string) {
    this.#child = fork(fileURLToPath(new URL(`./${name}.ts`, import.meta.url)), [], {
      execArgv: [...process.execArgv, ...V8_FLAGS],
      env: { ...process.env, ...MALLOC_SETTINGS },
      serialization: "advanced",
    });
    this.#child.on("message", (answer: Answer) => {
      const waiting = this.#waiting.get(answer.id);
      this.#waiting.delete(answer.id);
      if (answer.error === undefined) waiting?.resolve(answer.value as never);
      else waiting?.reject(new Error(`${name}: ${answer.error}`));
    });
    this.#child.on("exit", (code, signal) => {
      if (this.#stopping) return;
      this.#ended = new Error(`the process ${name} ended by ${signal ?? `code ${code}`}`);
      for (const { reject } of this.#waiting.values()) reject(this.#ended);
      this.#waiting.clear();
    });
  }

  /** Calls a handler of the child; rejects with what it throws, or when the child ends. */
  call<T>(name: string, argument?: unknown): Promise<T> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    const id = this.#nextId++;
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as (value: never) => void, reject });
      this.#child.send({ id, name, argument } satisfies Call);
    });
  }

  stop(): void {
    this.#stopping = true;
    this.#child.kill();
  }
}

/** The collector in reach, and a young generation of one size, so that resident memory tells what is kept. */
const V8_FLAGS = ["--expose-gc", "--min-semi-space-size=16", "--max-semi-space-size=16"];
/** Large pieces go back to the system when they are free, as they do before glibc has raised the bound by itself. */
const MALLOC_SETTINGS = { MALLOC_MMAP_THRESHOLD_: "131072" };
