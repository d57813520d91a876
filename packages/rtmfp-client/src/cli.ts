/** The rtmfp-client command. */
import { Argument, Command, CommanderError } from "commander";
import { letHeapGrow } from "rtmfp-core";
import { defaultProvider } from "rtmfp-core/crypto";
import type { BroadcastOptions } from "./cli/broadcast-channel.ts";
import { call } from "./cli/call.ts";
import { check } from "./cli/check.ts";
import { type GroupOptions, groupInfo } from "./cli/group.ts";
import {
  type CommonOptions,
  parseCount,
  parseGroup,
  parseHttp,
  parseId,
  parseName,
  parseSeconds,
  parseStreamGroup,
  parseUrl,
  withChannelOptions,
  withCommonOptions,
} from "./cli/options.ts";
import { guardOutput } from "./cli/output.ts";
import { type PlayOptions, play } from "./cli/play.ts";
import { type PublishOptions, publish } from "./cli/publish.ts";
import { UsageError } from "./cli/usage-error.ts";
import type { WatchOptions } from "./cli/watch.ts";
import { packageVersion } from "./version.ts";

/** Runs one command; resolves with the exit code. `argv` is as in `process.argv`. */
export async function main(argv: readonly string[]): Promise<number> {
  guardOutput();
  letHeapGrow();
  let code = 0;
  const program = makeProgram((exitCode) => {
    code = exitCode;
  });
  try {
    await program.parseAsync(argv as string[]);
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE_EXIT;
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`rtmfp-client: ${error.message}\n`);
    return USAGE_EXIT;
  }
}

function makeProgram(exit: (code: number) => void): Command {
  const program = new Command("rtmfp-client")
    .description("Publishes, plays and calls over RTMFP, through a server or from peer to peer.")
    .version(`${packageVersion()} (cryptography: ${defaultProvider().name})`, "--version")
    .helpOption("--help", "show this help")
    .exitOverride()
    .configureOutput({
      outputError: (text, write) =>
        write(`rtmfp-client: ${text.replace(/^error: /, "").replace(/\.?\s*$/, "")}; see --help\n`),
    });
  // Subcommands take over these settings only when they are made by the program itself.
  withCommonOptions(program.command("publish").description("publish an FLV file, or stdin"))
    .argument("<url>", "rtmfp://host[:port]/app")
    .argument("<stream>", "name of the stream", parseName)
    .argument("<file>", "FLV file, or - for stdin")
    .option("--loop", "begin again at the end of the file")
    .option("--p2p", "send to viewers directly; they play with --peer and the ID shown")
    .option("--group <spec>", "send to the members of this group, who pass it on", parseStreamGroup)
    .option("--drop-late", "give up what is late, pictures by whole groups: for live sources")
    .option(
      "--wait <viewers>",
      "hold the first tag until so many direct viewers, or neighbours in the group, are there",
      parseCount,
    )
    .action(async (url: string, stream: string, file: string, options: PublishOptions) => {
      parseUrl(url);
      exit(await publish(url, stream, file, options));
    });
  withCommonOptions(program.command("play").description("play a stream, into a file or for its figures"))
    .argument("<url>", "rtmfp://host[:port]/app")
    .argument("<stream>", "name of the stream", parseName)
    .option("-o, --output <file>", "write FLV to this file, or to stdout with -")
    .option("--peer <id>", "play from this peer directly", parseId)
    .option("--group <spec>", "play from the members of this group, and pass it on", parseStreamGroup)
    .option("--duration <seconds>", "stop so long after the first tag", parseSeconds)
    .option(
      "--wait <seconds>",
      "how long to wait for the stream to appear (default: 10), or to come back in a group (default: for ever)",
      parseSeconds,
    )
    .action(async (url: string, stream: string, options: PlayOptions) => {
      parseUrl(url);
      exit(await play(url, stream, options));
    });
  withCommonOptions(program.command("call").description("call a method of the server's; the reply is JSON on stdout"))
    .argument("<url>", "rtmfp://host[:port]/app")
    .argument("<method>", "name of the method", parseName)
    .argument("[args...]", "arguments, each one JSON value")
    .action(async (url: string, method: string, args: string[], options: CommonOptions) => {
      parseUrl(url);
      exit(await call(url, method, args, options));
    });
  withCommonOptions(program.command("group").description("tell who is in a group, as one more member sees it"))
    .argument("<url>", "rtmfp://host[:port]/app")
    .addArgument(new Argument("<what>", "what to do").choices(["info"]))
    .requiredOption("--group <spec>", "the group", parseGroup)
    .option("--wait <seconds>", "how long to wait for other members", parseSeconds, 10)
    .action(async (url: string, _what: string, options: GroupOptions) => {
      parseUrl(url);
      exit(await groupInfo(url, options));
    });
  // Channels have a part of their own, which the other commands do without.
  withChannelOptions(program.command("broadcast").description("send live channels, each to the group that watches it"))
    .argument("<url>", "rtmfp://host[:port]/app")
    .argument("<channel=source...>", "name of a channel, and http(s) URL of FLV, FLV file, or - for stdin")
    .option("--loop", "begin again at the end of a finished file")
    .option("--follow", "a file is being written: send what is added (default: if it has just changed, and grows)")
    .option("--no-follow", "a file is finished: send it from its beginning")
    .option("--force", "take the channel over if somebody else sends it")
    .action(async (url: string, channels: string[], options: BroadcastOptions) => {
      parseUrl(url);
      exit(await (await import("./cli/broadcast.ts")).broadcast(url, channels, options));
    });
  withChannelOptions(program.command("watch").description("watch a channel, and pass it on to others who do"))
    .argument("<url>", "rtmfp://host[:port]/app")
    .argument("<channel>", "name of the channel", parseName)
    .option("-o, --output <file>", "write FLV to this file, or to stdout with -")
    .option("--http <[host:]port>", "serve it to players as HTTP-FLV, by default on 127.0.0.1", parseHttp)
    .option(
      "--patience <seconds>",
      "skip what is lost after so long (default: the sender says, mostly 8)",
      parseSeconds,
    )
    .option("--duration <seconds>", "stop so long after the first tag", parseSeconds)
    .option("--wait <seconds>", "give up if nothing has come by then (default: never)", parseSeconds)
    .action(async (url: string, channel: string, options: WatchOptions) => {
      parseUrl(url);
      exit(await (await import("./cli/watch.ts")).watch(url, channel, options));
    });
  withCommonOptions(program.command("check").description("tell what this network allows, in words"))
    .argument("<url>", "rtmfp://host[:port]")
    .action(async (url: string, options: CommonOptions) => {
      parseUrl(url);
      exit(await check(url, options));
    });
  return program;
}

/** Exit code for wrong usage. */
const USAGE_EXIT = 2;
