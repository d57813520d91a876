/** A child process that runs one side of a work, seen from its parent. */
import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Answer, Call } from "./child.ts";
import type { WorkName } from "./work/index.ts";

/** How the processes are started. */
export interface Launch {
  /** Node's program. */
  readonly node: string;
  /** Folder for CPU profiles; without it none is taken. */
  readonly profiles: string | undefined;
}

/** See above. */
export class Remote {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  #nextId = 1;
  #ended: Error | undefined;

  /** Starts the compiled `child.ts`. `label` names the file of its CPU profile. */
  constructor(work: WorkName, { node, profiles }: Launch, label: string) {
    const profile = profiles === undefined ? [] : [join(profiles, `${label}${PROFILE_SUFFIX}`)];
    this.#child = fork(fileURLToPath(new URL("./dist/bench/child.js", import.meta.url)), [work, ...profile], {
      execPath: node,
      execArgv: ["--expose-gc"],
    });
    this.#child.on("message", (answer: Answer) => {
      const waiting = this.#waiting.get(answer.id);
      this.#waiting.delete(answer.id);
      if (answer.error === undefined) waiting?.resolve(answer.value as never);
      else waiting?.reject(new Error(`${work}: ${answer.error}`));
    });
    const onEnd = (why: string): void => {
      this.#ended = new Error(`the process of ${work} ended: ${why}`);
      for (const { reject } of this.#waiting.values()) reject(this.#ended);
      this.#waiting.clear();
    };
    this.#child.once("error", (error) => onEnd(error.message));
    this.#child.once("exit", (code, signal) => onEnd(signal ?? `code ${code}`));
  }

  /** Calls a handler of the child; rejects with what it throws, when the child ends, or when it takes too long. */
  call<T>(name: Call["name"], argument?: unknown): Promise<T> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    const id = this.#nextId++;
    return new Promise<T>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no answer to ${name} for ${LIMIT_MS / 1_000} s`)), LIMIT_MS);
      const settle =
        <V>(then: (value: V) => void) =>
        (value: V): void => {
          clearTimeout(timer);
          then(value);
        };
      this.#waiting.set(id, { resolve: settle(resolve), reject: settle(reject) });
      this.#child.send({ id, name, argument } satisfies Call);
    });
  }

  stop(): void {
    this.#child.kill("SIGKILL");
  }
}

const LIMIT_MS = 600_000;
/** What the names of profiles end with. */
export const PROFILE_SUFFIX = ".cpuprofile";
