/** rtmfp-client check */
import type { StatusEvent } from "rtmfp-core/tc";
import type { NetConnection } from "../net-connection.ts";
import { describeCheck } from "./check-words.ts";
import type { CommonOptions } from "./options.ts";
import { parseUrl } from "./options.ts";
import { Reporter } from "./reporter.ts";
import { run } from "./run.ts";
import { Timer } from "./timer.ts";

/** What a connectivity check found out. */
export type CheckResults = Extract<StatusEvent, { code: "NetConnection.ConnectivityCheck.Results" }>;

/** Tells what this network allows, as the server sees it; resolves with the exit code. */
export async function check(url: string, options: CommonOptions): Promise<number> {
  const reporter = new Reporter({ json: options.json ?? false, level: options.logLevel });
  const target = checkUrl(url);
  return run(target, options, reporter, async ({ connection, signal }) => {
    const timer = new Timer();
    try {
      const {
        code: _code,
        level: _level,
        description: _description,
        ...results
      } = await new Promise<CheckResults>((resolve, reject) => {
        const fail = (): void => reject(new Error(`${target} tells no results: it has no connectivity check`));
        onResults(connection, resolve, fail);
        timer.set(options.timeout * 1000, fail);
        signal.addEventListener("abort", () => reject(new Error("interrupted")), { once: true });
      });
      const lines = describeCheck(results);
      if (reporter.json) reporter.event("check", { ...results, verdict: lines.at(-1)?.replace(/^verdict: /, "") }, "");
      else process.stdout.write(`${lines.join("\n")}\n`);
    } finally {
      timer.clear();
    }
  });
}

function onResults(connection: NetConnection, take: (results: CheckResults) => void, fail: () => void): void {
  connection.on("status", (event) => {
    if (event.code === "NetConnection.ConnectivityCheck.Results") take(event);
    else if (event.code === "NetConnection.Connect.Closed") fail();
  });
}

/** A URL without a path asks for the application that does the check. */
function checkUrl(url: string): string {
  const { app } = parseUrl(url);
  return app === "" ? `${url.replace(/\/$/, "")}/check` : url;
}
