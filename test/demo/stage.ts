/** What a demo runs on: a folder for its files, and processes that do not outlive it. */
import { claim } from "./options.ts";
import { Command } from "./process.ts";
import { DELAY_MS, LOSS } from "./settings.ts";

/** One run of a demo. */
export class Stage {
  /** Without delay and loss. */
  readonly clean: boolean;
  readonly #running: Command[] = [];

  constructor(clean: boolean) {
    this.clean = clean;
  }

  /** Runs a demo in its folder, prints `demo: FAIL` and why if it throws, and leaves no process behind. */
  async run(out: string, demo: (folder: string) => Promise<void>): Promise<void> {
    process.once("SIGINT", () => this.#endBy(130));
    process.once("SIGTERM", () => this.#endBy(143));
    try {
      const folder = claim(out);
      try {
        console.log(
          this.clean ? "Clean network." : `Every leg: ${DELAY_MS} ms and ${LOSS * 100} % loss, inside each process.`,
        );
        await demo(folder.path);
      } finally {
        folder.release();
      }
    } catch (error) {
      console.log(`demo: FAIL ${error instanceof Error ? error.message : String(error)}`);
      process.exitCode = 1;
    } finally {
      this.#killAll();
    }
  }

  /** Starts one of our programs, on a link of its own. */
  start(name: string, program: "rtmfp-server" | "rtmfp-client", args: readonly string[]): Command {
    const link = `delay=${DELAY_MS},loss=${LOSS},seed=${this.#running.length + 1}`;
    const command = new Command(name, program, [...args, "--json"], this.clean ? {} : { RTMFP_TEST_LINK: link });
    this.#running.push(command);
    return command;
  }

  /** Also a process that is stopped goes. */
  #killAll(): void {
    for (const command of this.#running) if (command.running) command.signal("SIGKILL");
  }

  #endBy(code: number): void {
    this.#killAll();
    process.exit(code);
  }
}
