/** `rtmfp-server token`: makes the tokens that a server with `--auth-keys` asks for. */
import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { authKey, authToken, defaultProvider } from "rtmfp-core/crypto";
import { fileReason } from "../file-reason.ts";
import { parseKeys } from "../key-list.ts";
import { USAGE_EXIT } from "./command-line.ts";

/** Writes one token per line to stdout, by the first key of the file. `argv` is what follows `token`; gives the exit code. */
export function tokenCommand(argv: readonly string[]): number {
  let code = 0;
  const program = new Command("rtmfp-server token")
    .description("Makes tokens, one per line: of an application (live/12345) or of a user in it (mike@live/12345).")
    .argument("<who...>", "application, or user@application; a user may be a list of settings: 'name=mike;pri=5'")
    .requiredOption("--auth-keys <file>", "the server's file of secrets; the first one is used")
    .helpOption("--help", "show this help")
    .exitOverride()
    .configureOutput({
      outputError: (text, write) => write(`rtmfp-server token: ${text.replace(/^error: /, "").trim()}; see --help\n`),
    })
    .action((who: readonly string[], { authKeys }: { readonly authKeys: string }) => {
      code = writeTokens(who, authKeys);
    });
  try {
    program.parse(argv as string[], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? 0 : USAGE_EXIT;
  }
  return code;
}

function writeTokens(who: readonly string[], path: string): number {
  let key: string | undefined;
  try {
    key = [...parseKeys(readFileSync(path, "utf8"))][0];
  } catch (error) {
    process.stderr.write(`rtmfp-server: the key file ${path} cannot be read: ${fileReason(error, "read")}\n`);
    return 1;
  }
  if (key === undefined) {
    process.stderr.write(`rtmfp-server: the key file ${path} holds no key: write one to its first line\n`);
    return 1;
  }
  // A user's token is that of the text "user@application", and so is what is given here.
  const secret = authKey(key);
  for (const each of who) process.stdout.write(`${authToken(defaultProvider(), secret, each)}\n`);
  return 0;
}
