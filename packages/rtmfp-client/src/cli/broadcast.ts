/** rtmfp-client broadcast */
import { statSync } from "node:fs";
import { resolve } from "node:path";
import { CHANNEL_STREAM } from "../bittube/channel-group.ts";
import { BroadcastChannel, type BroadcastOptions, type Plan } from "./broadcast-channel.ts";
import { checkFolder, groupspecOf, PLACE, recordPath } from "./channel-options.ts";
import { formatBytes, Progress } from "./progress.ts";
import { Reporter } from "./reporter.ts";
import { run, tell, type Work } from "./run.ts";
import { UsageError } from "./usage-error.ts";
import { shellWord, viewersGroupspec } from "./viewer-words.ts";

/** Sends channels to their groups until their sources end; resolves with the exit code. */
export async function broadcast(url: string, channels: readonly string[], options: BroadcastOptions): Promise<number> {
  const reporter = new Reporter({ json: options.json ?? false, level: options.logLevel });
  let plans: readonly Plan[];
  try {
    plans = channels.map(parsePlan);
    check(plans, options);
  } catch (error) {
    return tell(error, reporter, options.debug ?? false);
  }
  return run(url, options, reporter, (work) => new Broadcast(work, url, plans, options).run(), { reconnect: true });
}

function parsePlan(text: string): Plan {
  const at = text.indexOf("=");
  if (at <= 0 || at === text.length - 1)
    throw new UsageError(`expected CHANNEL=SOURCE, as in news=http://host/live.flv, got "${text}"`);
  return { channel: text.slice(0, at), from: text.slice(at + 1) };
}

function check(plans: readonly Plan[], options: BroadcastOptions): void {
  const { group, groupName, record, loop, follow } = options;
  const twice = plans.find(({ channel }, i) => plans.findIndex((other) => other.channel === channel) < i);
  if (twice !== undefined)
    throw new UsageError(`the channel "${twice.channel}" is on air already: it is given twice; choose another name`);
  if (plans.filter(({ from }) => from === "-").length > 1)
    throw new UsageError("standard input can be the source of one channel only");
  if (loop === true && plans.some(({ from }) => from === "-"))
    throw new UsageError("--loop needs a file: standard input ends once");
  if (loop === true && follow === true)
    throw new UsageError("--loop is for finished files, --follow for those being written: choose one");
  if (group !== undefined && groupName !== undefined)
    throw new UsageError("--group and --group-name both say which group: choose one");
  for (const { channel } of plans) groupspecOf(channel, options);
  const sources = new Set(plans.map(({ from }) => identityOf(from)));
  const records = plans.flatMap(({ channel }) => recordPath(channel, options) ?? []);
  for (const path of records) checkFolder(path);
  const replaced = records.find((path) => sources.has(identityOf(path)));
  if (replaced !== undefined)
    throw new UsageError(`--record would replace the source "${replaced}": choose another name`);
  if (plans.length === 1) return;
  if (group !== undefined)
    throw new UsageError("--group is one group, and each channel needs its own: use --group-name");
  for (const [name, value] of [["--group-name", groupName] as const, ["--record", record] as const]) {
    if (value?.includes(PLACE) === false)
      throw new UsageError(`with several channels ${name} needs ${PLACE} in it, for the name of each`);
  }
}

/** The same for all names of a file that is there, links too. */
function identityOf(path: string): string {
  try {
    const { dev, ino } = statSync(path, { bigint: true });
    return `${dev} ${ino}`;
  } catch {
    return resolve(path);
  }
}

/** All channels of one command. */
class Broadcast {
  readonly #work: Work;
  readonly #url: string;
  readonly #options: BroadcastOptions;
  readonly #channels: readonly BroadcastChannel[];
  readonly #progress: Progress;
  readonly #stop = new AbortController();
  #refusal: string | undefined;
  #isOver = false;

  constructor(work: Work, url: string, plans: readonly Plan[], options: BroadcastOptions) {
    this.#work = work;
    this.#url = url;
    this.#options = options;
    this.#progress = new Progress(work.reporter, "sent");
    const signal = AbortSignal.any([work.signal, this.#stop.signal]);
    const onFailure = ({ name, failure }: BroadcastChannel): void => {
      // What ends the command is told at its end.
      if (plans.length > 1)
        work.reporter.log("error", "channelFailed", { channel: name, message: failure }, `${name}: ${failure}`);
    };
    this.#channels = plans.map((plan) => new BroadcastChannel(work, plan, options, signal, this.#progress, onFailure));
  }

  async run(): Promise<void> {
    const { connection } = this.#work;
    connection.on("status", ({ code, description }) => this.#onStatus(code, description));
    try {
      await Promise.all(this.#channels.map((channel) => channel.open()));
      if (this.#work.signal.aborted) return;
      if (this.#channels.some(({ failure }) => failure === undefined)) this.#tellReady();
      await Promise.all(this.#channels.map((channel) => channel.send()));
      if (this.#refusal !== undefined) throw new Error(this.#refusal);
      if (!this.#work.signal.aborted) this.#tellDone();
    } finally {
      this.#isOver = true;
      this.#progress.stop();
    }
  }

  #tellReady(): void {
    const channels = this.#channels.filter(({ failure }) => failure === undefined);
    const described = channels.map(({ name, groupspec, opened }) => ({
      channel: name,
      groupspec: viewersGroupspec(groupspec),
      source: opened?.source.name,
      kind: opened?.kind,
    }));
    const { group, groupName } = this.#options;
    const how =
      group !== undefined
        ? ` --group ${viewersGroupspec(group)}`
        : groupName !== undefined
          ? ` --group-name ${shellWord(groupName)}`
          : "";
    const lines = channels.map(
      ({ name, opened }) =>
        `broadcasting ${name} from ${KINDS[opened?.kind ?? "file"]}${opened?.source.name}; ` +
        `watch it with: rtmfp-client watch ${shellWord(this.#url)} ${shellWord(name)}${how} --http 8080`,
    );
    const peerId = this.#work.connection.nearID;
    this.#work.reporter.event("publishing", { stream: CHANNEL_STREAM, peerId, channels: described }, lines.join("\n"));
  }

  #tellDone(): void {
    const failed = this.#channels.filter(({ failure }) => failure !== undefined);
    const { tags, bytes } = this.#progress;
    const channels = this.#channels.map((channel) => channel.result);
    if (failed.length === 0 || tags > 0)
      this.#work.reporter.event(
        "done",
        { stream: CHANNEL_STREAM, tags, bytes, channels },
        `sent ${tags} tags, ${formatBytes(bytes)}`,
      );
    if (failed.length === 0) return;
    if (this.#channels.length === 1) throw new Error(failed[0]?.failure);
    throw new Error(
      `${failed.length} of ${this.#channels.length} channels failed: ${failed.map(({ name }) => name).join(", ")}`,
    );
  }

  /** Groups go on without their server, and the connection comes back by itself, unless the server refuses. */
  #onStatus(code: string, description = code): void {
    const { reporter } = this.#work;
    if (code === "NetConnection.Connect.Closed" && !this.#isOver && !this.#work.signal.aborted)
      reporter.log("warn", "disconnected", { message: description }, `${description}; trying to come back`);
    else if (code === "NetConnection.Connect.Success") reporter.log("info", "reconnected", {}, "connected again");
    else if (code === "NetConnection.Connect.Rejected" || code === "NetConnection.Connect.InvalidApp") {
      this.#refusal = `the server does not take us back: ${description}`;
      this.#stop.abort();
    }
  }
}

const KINDS = { http: "the stream ", growing: "the growing file ", file: "the finished file ", stdin: "" } as const;
