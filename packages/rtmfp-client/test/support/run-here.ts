import { vi } from "vitest";
import { main } from "../../src/cli.ts";

/** What a command run in this process did. */
export interface RunHere {
  readonly code: number;
  readonly stdout: string;
  /** Lines on stderr. */
  readonly lines: readonly string[];
}

/** Runs the rtmfp-client command in this process, one at a time: much sooner than a process of its own. */
export async function runHere(...args: string[]): Promise<RunHere> {
  const text = { stdout: "", stderr: "" };
  const spies = (["stdout", "stderr"] as const).map((name) =>
    vi.spyOn(process[name], "write").mockImplementation((chunk) => {
      text[name] += typeof chunk === "string" ? chunk : Buffer.from(chunk).toString("latin1");
      return true;
    }),
  );
  try {
    const code = await main(["node", "rtmfp-client", ...args]);
    return { code, stdout: text.stdout, lines: text.stderr.split("\n").slice(0, -1) };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}
