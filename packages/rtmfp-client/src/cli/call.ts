/** rtmfp-client call */
import type { AmfValue } from "rtmfp-core/tc";
import { Responder } from "../responder.ts";
import { fromJson, toJson } from "./json.ts";
import type { CommonOptions } from "./options.ts";
import { Reporter } from "./reporter.ts";
import { run, tell } from "./run.ts";
import { UsageError } from "./usage-error.ts";

/** Calls a method of the server's and prints the reply; resolves with the exit code. */
export async function call(
  url: string,
  method: string,
  jsonArgs: readonly string[],
  options: CommonOptions,
): Promise<number> {
  const reporter = new Reporter({ json: options.json ?? false, level: options.logLevel });
  let args: AmfValue[];
  try {
    args = jsonArgs.map(parseArgument);
  } catch (error) {
    return tell(error, reporter, options.debug ?? false);
  }
  return run(url, options, reporter, async ({ connection, signal }) => {
    const responder = new Responder(null, null, { timeoutMs: options.timeout * 1000, signal });
    const value = toJson(await connection.call(method, responder, ...args));
    if (reporter.json) reporter.event("result", { method, value }, "");
    else process.stdout.write(`${JSON.stringify(value)}\n`);
  });
}

function parseArgument(text: string): AmfValue {
  try {
    return fromJson(JSON.parse(text));
  } catch {
    throw new UsageError(
      `the argument ${text} is not JSON; a string needs quotes, as in '"${text.replace(/["']/g, "")}"'`,
    );
  }
}
