/** rtmfp-client publish */
import { RtmfpError } from "rtmfp-core";
import { type FlvTag, TimestampRebaser } from "rtmfp-core/flv";
import { readFlv } from "../files.ts";
import { NetStream } from "../net-stream.ts";
import type { CommonOptions } from "./options.ts";
import { formatBytes, Progress } from "./progress.ts";
import { Reporter } from "./reporter.ts";
import { run, tell, type Work } from "./run.ts";
import { Swarm } from "./swarm.ts";
import { UsageError } from "./usage-error.ts";
import { shellWord, viewersGroupspec } from "./viewer-words.ts";

export interface PublishOptions extends CommonOptions {
  readonly loop?: boolean;
  readonly p2p?: boolean;
  /** A groupspec. */
  readonly group?: string;
  /** Late tags are given up. */
  readonly dropLate?: boolean;
  /** Viewers to wait for. */
  readonly wait?: number;
}

/** Publishes a file, or standard input, on the server or to peers; resolves with the exit code. */
export async function publish(url: string, stream: string, file: string, options: PublishOptions): Promise<number> {
  const reporter = new Reporter({ json: options.json ?? false, level: options.logLevel });
  try {
    if (options.group !== undefined && options.p2p === true)
      throw new UsageError("--group and --p2p are two ways to the viewers: choose one");
    if (options.wait !== undefined && options.p2p !== true && options.group === undefined)
      throw new UsageError("--wait counts direct viewers, or neighbours: it needs --p2p or --group");
    if (options.loop === true && file === "-") throw new UsageError("--loop needs a file: standard input ends once");
    // A damaged file is found before anybody watches it.
    if (file !== "-" && !(await hasTags(file)))
      throw new Error(`"${file}" has no tags: there is nothing to publish; choose another file`);
  } catch (error) {
    return tell(error, reporter, options.debug ?? false);
  }
  // A group goes on without the server, and its members meet newcomers at the next.
  const more = { reconnect: options.group !== undefined };
  return run(url, options, reporter, (work) => send(work, url, stream, file, options), more);
}

async function send(work: Work, url: string, name: string, file: string, options: PublishOptions): Promise<void> {
  const { connection, reporter, signal, ended } = work;
  const isDirect = options.p2p === true;
  const target = options.group ?? (isDirect ? NetStream.DIRECT_CONNECTIONS : NetStream.CONNECT_TO_FMS);
  const stream = new NetStream(connection, target);
  const swarm = options.group === undefined ? undefined : new Swarm(work, options.group, () => stream);
  stream.videoReliable = options.dropLate !== true;
  stream.audioReliable = options.dropLate !== true;
  stream.on("status", ({ code }) => reporter.log("debug", "status", { code }, code));
  stream.on("peerJoined", ({ farID }) =>
    reporter.log(
      "info",
      "viewer",
      { peerId: farID, viewers: stream.peerStreams.length },
      `viewer ${farID.slice(0, 8)}… joined`,
    ),
  );
  stream.on("peerLeft", ({ farID }) =>
    reporter.log(
      "info",
      "viewerLeft",
      { peerId: farID, viewers: stream.peerStreams.length },
      `viewer ${farID.slice(0, 8)}… left`,
    ),
  );
  await stream.publish(name).catch((error) => {
    throw error.code === "NetStream.Publish.BadName" ? badName(error, name, url) : error;
  });
  const peerId = connection.nearID;
  const from = isDirect
    ? ` --peer ${peerId}`
    : options.group === undefined
      ? ""
      : ` --group ${viewersGroupspec(options.group)}`;
  const watch = `rtmfp-client play ${shellWord(url)} ${shellWord(name)}${from}`;
  reporter.event("publishing", { stream: name, peerId }, `publishing ${name}; watch it with: ${watch}`);
  if (options.wait !== undefined) {
    const there = swarm === undefined ? viewers(stream, options.wait) : swarm.neighbors(options.wait);
    await Promise.race([there, ended, aborted(signal)]);
  }
  const progress = new Progress(reporter, "sent");
  // Standard input that is quiet would keep the process, and with it the feed, from its end.
  const over = new AbortController();
  const reading = { signal: AbortSignal.any([signal, over.signal]) };
  const source = counted(options.loop === true ? looped(file) : readFlv(file, reading), progress);
  const feeding = stream.feed(source, { signal });
  const result = await Promise.race([feeding, ended.then(lost)]).finally(() => {
    over.abort();
    progress.stop();
  });
  if (!stream.isPublishing && !signal.aborted) {
    if (!connection.connected) lost(await ended);
    throw new Error(`the server ended the stream before its last tag: ${result.delivered} tags delivered`);
  }
  await Promise.race([stream.close(), aborted(signal)]);
  swarm?.stop();
  const { tags, bytes, delivered, abandoned } = result;
  const line = `sent ${tags} tags, ${formatBytes(bytes)}: ${delivered} delivered, ${abandoned} abandoned`;
  reporter.event("done", { stream: name, tags, bytes, delivered, abandoned }, line);
}

/** Servers that do not say why mean that the name is taken. */
function badName({ code, message }: RtmfpError, name: string, url: string): RtmfpError {
  const isTaken = message === code || message.includes("already");
  const line = isTaken
    ? `"${name}" is being published at ${url} already: choose another name`
    : `${url} refuses the name "${name}": ${message.replace(/\.$/, "")}; choose another name`;
  return new RtmfpError(code, line);
}

/** Reads a file to its end. */
async function hasTags(file: string): Promise<boolean> {
  let found = false;
  for await (const _tag of readFlv(file)) found = true;
  return found;
}

/** The file again and again, its time going on. */
async function* looped(file: string): AsyncGenerator<FlvTag> {
  let start = 0;
  for (;;) {
    const rebaser = new TimestampRebaser(start);
    let end = start;
    for await (const tag of readFlv(file)) {
      yield rebaser.rebase(tag);
      end = Math.max(end, rebaser.position);
    }
    start = end + LOOP_GAP_MS;
  }
}

async function* counted(tags: AsyncIterable<FlvTag>, progress: Progress): AsyncGenerator<FlvTag> {
  for await (const tag of tags) {
    progress.count(tag.data.length);
    yield tag;
  }
}

function viewers(stream: NetStream, count: number): Promise<void> {
  return new Promise((resolve) => {
    const check = (): void => {
      if (stream.peerStreams.length >= count) resolve();
    };
    stream.on("peerJoined", check);
    check();
  });
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}

function lost(why: string): never {
  throw new Error(`${why}, before the last tag was sent`);
}

/** Between the last tag of one round and the first of the next: one frame. */
const LOOP_GAP_MS = 40;
