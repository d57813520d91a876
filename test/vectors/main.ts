// `pnpm vectors FILE`: replays recorded conversations; the last line is `N passed, N failed`. See README.md here.
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { type CryptoProvider, chooseProvider } from "rtmfp-core/crypto";
import { FormatError } from "./json.ts";
import { readRecording } from "./read.ts";
import { type Report, replay } from "./replay.ts";

// Above the call, because functions reach it only once it has run.
const USAGE = "usage: pnpm vectors FILE [--provider node|noble] [--json OUT]";

process.exitCode = main(process.argv.slice(2));

function main(argv: readonly string[]): number {
  let options: Options;
  try {
    options = parseOptions(argv);
  } catch (error) {
    console.error(`${(error as Error).message}\n${USAGE}`);
    return 2;
  }
  const { file, provider, json } = options;
  let inUse = file;
  try {
    const recording = readRecording(readFileSync(file, "utf8"));
    const report = replay(recording, provider);
    if (json !== undefined) {
      const { format } = recording;
      inUse = json;
      writeFileSync(json, `${JSON.stringify({ file, format, provider: provider.name, ...report }, undefined, 2)}\n`);
    }
    print(`${recording.format} format, primitives by ${provider.name}`, report);
    return report.failures.length === 0 ? 0 : 1;
  } catch (error) {
    const known = error instanceof FormatError || (error as NodeJS.ErrnoException).code !== undefined;
    if (!known) throw error;
    console.error(`${inUse}: ${(error as Error).message}`);
    return 1;
  }
}

interface Options {
  readonly file: string;
  readonly provider: CryptoProvider;
  readonly json: string | undefined;
}

/** Throws for wrong usage. */
function parseOptions(argv: readonly string[]): Options {
  const { values, positionals } = parseArgs({
    args: [...argv],
    options: { provider: { type: "string" }, json: { type: "string" } },
    allowPositionals: true,
  });
  const [file] = positionals;
  if (file === undefined || positionals.length > 1) throw new RangeError("expected one FILE");
  const { provider = process.env["RTMFP_CRYPTO"], json } = values;
  if (values.provider !== undefined && values.provider !== "node" && values.provider !== "noble") {
    throw new RangeError(`expected --provider node or noble, got "${values.provider}"`);
  }
  return { file, provider: chooseProvider(provider), json };
}

function print(title: string, { derivations, handshakes, packets, failures }: Report): void {
  for (const { scenario, what, differences } of failures)
    console.log(`${scenario}, ${what}: ${differences.join("; ")}`);
  const { played, exact } = handshakes;
  console.log(title);
  console.log(
    `derivations: ${derivations.passed} passed, ${derivations.failed} failed; ` +
      `${played} handshake ends went through the profile, ${exact} of them to the recorded bytes`,
  );
  console.log(`packets: ${packets.passed} passed, ${packets.failed} failed`);
  console.log(`${derivations.passed + packets.passed} passed, ${derivations.failed + packets.failed} failed`);
}
