/** rtmfp-client watch */
import { resolve } from "node:path";
import type { FlvTag } from "rtmfp-core/flv";
import { CHANNEL_STREAM } from "../bittube/channel-group.ts";
import { ChannelOutput } from "../bittube/channel-output.ts";
import { HttpFlvServer } from "../bittube/http-flv-server.ts";
import type { HttpPlace } from "../bittube/http-place.ts";
import { recordFlv, TagSink } from "../bittube/recorder.ts";
import type { FlvFileInfo } from "../files.ts";
import { NetStream } from "../net-stream.ts";
import { type ChannelOptions, checkFolder, groupspecOf, recordPath } from "./channel-options.ts";
import { connected } from "./connected.ts";
import { writeStdout } from "./output.ts";
import { formatBytes, Progress } from "./progress.ts";
import { Reporter } from "./reporter.ts";
import { Restarts } from "./restarts.ts";
import { run, tell, type Work } from "./run.ts";
import { Swarm } from "./swarm.ts";
import { Timer } from "./timer.ts";
import { UsageError } from "./usage-error.ts";

export interface WatchOptions extends ChannelOptions {
  /** A file, or "-" for stdout. */
  readonly output?: string;
  readonly http?: HttpPlace;
  /** Seconds; undefined: the sender's window. */
  readonly patience?: number;
  /** Seconds. */
  readonly duration?: number;
  /** Seconds; undefined: for ever. */
  readonly wait?: number;
}

/** Watches a channel until it is told to stop; resolves with the exit code. */
export async function watch(url: string, channel: string, options: WatchOptions): Promise<number> {
  const stdoutIsTaken = options.output === "-";
  const reporter = new Reporter({ json: options.json ?? false, level: options.logLevel, stdoutIsTaken });
  try {
    check(channel, options);
  } catch (error) {
    return tell(error, reporter, options.debug ?? false);
  }
  return run(url, options, reporter, (work) => new Watcher(work, url, channel, options).run(), { reconnect: true });
}

function check(channel: string, options: WatchOptions): void {
  const { group, groupName, output } = options;
  if (group !== undefined && groupName !== undefined)
    throw new UsageError("--group and --group-name both say which group: choose one");
  groupspecOf(channel, options);
  const record = recordPath(channel, options);
  if (output !== undefined && record !== undefined && resolve(output) === resolve(record))
    throw new UsageError(`--output and --record would both write "${record}": choose one, or another name`);
  for (const path of [output, record]) if (path !== undefined && path !== "-") checkFolder(path);
}

class Watcher {
  readonly #work: Work;
  readonly #url: string;
  readonly #channel: string;
  readonly #options: WatchOptions;
  readonly #groupspec: string;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  readonly #output = new ChannelOutput(() => this.#http?.restart());
  readonly #progress: Progress;
  readonly #sinks: TagSink[] = [];
  readonly #waiting = new Timer();
  readonly #silence = new Timer();
  readonly #duration = new Timer();
  #http: HttpFlvServer | undefined;
  #written: TagSink | undefined;
  #recorded: TagSink | undefined;
  #failure: string | undefined;
  #isSilent = false;

  constructor(work: Work, url: string, channel: string, options: WatchOptions) {
    this.#work = work;
    this.#url = url;
    this.#channel = channel;
    this.#options = options;
    this.#groupspec = groupspecOf(channel, options);
    this.#signal = AbortSignal.any([work.signal, this.#stop.signal]);
    this.#progress = new Progress(work.reporter, "received");
  }

  async run(): Promise<void> {
    this.#work.connection.on("status", ({ code, description }) => this.#onConnection(code, description));
    try {
      await this.#open();
      this.#await();
      while (!this.#signal.aborted) await this.#watch();
      const [written, recorded] = await Promise.all([this.#written?.close(), this.#recorded?.close()]);
      this.#tellHoles();
      if (this.#failure !== undefined) throw new Error(this.#failure);
      this.#tellDone(written, recorded);
    } finally {
      for (const timer of [this.#waiting, this.#silence, this.#duration]) timer.clear();
      this.#stop.abort();
      this.#progress.stop();
      await this.#http?.close();
    }
  }

  /** What the tags go to. */
  async #open(): Promise<void> {
    const { output, http } = this.#options;
    if (output !== undefined) {
      this.#written = output === "-" ? this.#stdout() : recordFlv(output, (error) => this.#onLost(error));
      this.#sinks.push(this.#written);
    }
    const record = recordPath(this.#channel, this.#options);
    if (record !== undefined) {
      this.#recorded = recordFlv(record, (error) => this.#onLost(error));
      this.#sinks.push(this.#recorded);
    }
    if (http === undefined) return;
    const token = process.env[TOKEN_VARIABLE] || undefined;
    this.#http = await HttpFlvServer.open({ ...http, channel: this.#channel, token });
    const { url } = this.#http;
    const shown = token === undefined ? url : `${url}?token=...`;
    this.#work.reporter.event("http", { url }, `serving ${this.#channel}; play it with: ffplay ${shown}`);
  }

  #await(): void {
    const { reporter } = this.#work;
    const { wait } = this.#options;
    if (wait !== undefined) this.#waiting.set(wait * 1000, () => this.#fail(`${this.#absent} (waited ${wait} s)`));
    else
      this.#waiting.set(HINT_MS, () =>
        reporter.log("info", "waiting", { channel: this.#channel }, `${this.#absent} yet; waiting for it`),
      );
  }

  /** As long as the connection lasts, or until it has come back. */
  async #watch(): Promise<void> {
    const { connection } = this.#work;
    await connected(connection, this.#signal);
    if (this.#signal.aborted) return;
    // What was before came on another connection.
    if (this.#progress.tags > 0) this.#output.restart();
    const swarm = new Swarm(this.#work, this.#groupspec, () => stream, this.#channel);
    const lost = new AbortController();
    const onClosed = ({ code }: { readonly code: string }): void => {
      if (code === "NetConnection.Connect.Closed") lost.abort();
    };
    connection.on("status", onClosed);
    const stream = new NetStream(connection, this.#groupspec, {
      signal: AbortSignal.any([this.#signal, lost.signal]),
    });
    try {
      await this.#play(stream);
    } catch (error) {
      // A connection that ends takes its streams along before it says so.
      if (!this.#signal.aborted && connection.connected) throw error;
    } finally {
      connection.off("status", onClosed);
      await stream.close();
      swarm.stop();
    }
  }

  async #play(stream: NetStream): Promise<void> {
    const restarts = new Restarts(stream);
    this.#be(stream);
    stream.on("status", ({ code }) => {
      this.#work.reporter.log("debug", "status", { code }, code);
      if (code === "NetStream.MulticastStream.Reset") this.#be(stream);
      else if (code === "NetStream.Play.UnpublishNotify") this.#onSilence("the sender has stopped");
    });
    await stream.play(CHANNEL_STREAM);
    for await (const tag of stream) {
      for (let count = restarts.before(tag); count > 0; count--) this.#restart();
      for (const each of this.#output.take(tag)) this.#show(each);
    }
  }

  /** What is set is for one sender. Those who wait less ask sooner for what is missing, and keep as much for others. */
  #be(stream: NetStream): void {
    const { patience } = this.#options;
    if (patience === undefined) return;
    const kept = stream.multicastWindowDuration + stream.multicastRelayMarginDuration;
    stream.multicastWindowDuration = patience;
    stream.multicastRelayMarginDuration = Math.max(0, kept - patience);
    stream.multicastFetchPeriod = Math.min(stream.multicastFetchPeriod, patience / ATTEMPTS);
  }

  #restart(): void {
    this.#output.restart();
    const { restarts } = this.#output;
    this.#work.reporter.log("info", "reset", { channel: this.#channel, restarts }, "the sender has started over");
  }

  #show(tag: FlvTag): void {
    if (this.#progress.tags === 0) this.#onFirst(tag);
    if (this.#isSilent) this.#work.reporter.log("info", "resumed", { channel: this.#channel }, "it goes on");
    this.#isSilent = false;
    this.#silence.set(SILENCE_MS, () => this.#onSilence(`nothing has come for ${SILENCE_MS / 1000} s`));
    this.#progress.count(tag.data.length);
    for (const sink of this.#sinks) sink.add(tag);
    this.#http?.add(tag);
  }

  #onFirst(tag: FlvTag): void {
    this.#waiting.clear();
    const fields = { channel: this.#channel, stream: CHANNEL_STREAM, firstTimestamp: tag.timestamp };
    this.#work.reporter.event("playing", fields, `playing ${this.#channel} from ${this.#url}`);
    const { duration } = this.#options;
    if (duration !== undefined) this.#duration.set(duration * 1000, () => this.#stop.abort());
  }

  #onSilence(why: string): void {
    this.#silence.clear();
    if (this.#isSilent || this.#progress.tags === 0) return;
    this.#isSilent = true;
    this.#work.reporter.log(
      "warn",
      "interrupted",
      { channel: this.#channel, message: why },
      `${why}; waiting for more`,
    );
  }

  #onConnection(code: string, description = code): void {
    const { reporter } = this.#work;
    if (code === "NetConnection.Connect.Closed" && !this.#signal.aborted)
      reporter.log("warn", "disconnected", { message: description }, `${description}; trying to come back`);
    else if (code === "NetConnection.Connect.Rejected" || code === "NetConnection.Connect.InvalidApp")
      this.#fail(`the server does not take us back: ${description}`);
  }

  /** A sink has failed: the rest goes on, if there is a rest. */
  #onLost(error: unknown): void {
    const { message } = error as Error;
    const isLast = this.#http === undefined && this.#sinks.every(({ failed }) => failed);
    if (isLast) this.#fail(message);
    else this.#work.reporter.log("error", "writeFailed", { message }, `${message}; the rest goes on`);
  }

  #fail(line: string): void {
    this.#failure ??= line;
    this.#stop.abort();
  }

  #stdout(): TagSink {
    return new TagSink(
      (tags) => writeStdout(tags, this.#work.signal),
      (error) => {
        if (!this.#work.signal.aborted) this.#onLost(error);
      },
    );
  }

  #tellHoles(): void {
    const { output = "" } = this.#options;
    for (const [sink, path] of [
      [this.#written, output === "-" ? "standard output" : `"${output}"`] as const,
      [this.#recorded, "the recording"] as const,
    ]) {
      if (sink?.holes === undefined) continue;
      const { dropped } = sink;
      this.#work.reporter.log("warn", "writeSlow", { to: path, dropped }, `${path} has holes: ${sink.holes}`);
    }
  }

  #tellDone(written: FlvFileInfo | undefined, recorded: FlvFileInfo | undefined): void {
    const { tags, bytes } = this.#progress;
    const fields = {
      channel: this.#channel,
      tags,
      bytes,
      restarts: this.#output.restarts,
      ...(written === undefined ? {} : { fileBytes: written.bytes }),
      ...(recorded === undefined ? {} : { recorded: recorded.bytes }),
      ...(this.#http === undefined ? {} : { viewers: this.#http.served, dropped: this.#http.dropped }),
    };
    this.#work.reporter.event("done", fields, `received ${tags} tags, ${formatBytes(bytes)}`);
  }

  get #absent(): string {
    return `nobody broadcasts "${this.#channel}" at ${this.#url}`;
  }
}

/** Who watches beyond this host must bear it. */
const TOKEN_VARIABLE = "RTMFP_HTTP_TOKEN";
/** Times that something missing can be asked for while it is waited for. */
const ATTEMPTS = 4;
const HINT_MS = 3_000;
const SILENCE_MS = 5_000;
