/** rtmfp-client play */
import type { FlvTag } from "rtmfp-core/flv";
import { writeFlv } from "../files.ts";
import { NetStream } from "../net-stream.ts";
import { GoingOn } from "./going-on.ts";
import type { CommonOptions } from "./options.ts";
import { writeStdout } from "./output.ts";
import { formatBytes, Progress } from "./progress.ts";
import { PublisherWatch } from "./publisher-watch.ts";
import { Reporter } from "./reporter.ts";
import { Restarts } from "./restarts.ts";
import { run, tell, type Work } from "./run.ts";
import { Swarm } from "./swarm.ts";
import { Timer } from "./timer.ts";
import { UsageError } from "./usage-error.ts";

export interface PlayOptions extends CommonOptions {
  /** A file, or "-" for stdout. */
  readonly output?: string;
  readonly peer?: string;
  /** A groupspec. */
  readonly group?: string;
  /** Seconds. */
  readonly duration?: number;
  /** Seconds; undefined: 10 for the stream to appear, for ever to come back in a group. */
  readonly wait?: number;
}

/** Plays a stream of the server's or of a peer's; resolves with the exit code. */
export function play(url: string, stream: string, options: PlayOptions): Promise<number> {
  const reporter = new Reporter({
    json: options.json ?? false,
    level: options.logLevel,
    stdoutIsTaken: options.output === "-",
  });
  if (options.group !== undefined && options.peer !== undefined) {
    const error = new UsageError("--group and --peer are two ways to the publisher: choose one");
    return Promise.resolve(tell(error, reporter, options.debug ?? false));
  }
  // A group goes on without the server, and its members meet newcomers at the next.
  const more = { reconnect: options.group !== undefined };
  return run(url, options, reporter, (work) => new Player(work, url, stream, options).run(), more);
}

/** One playing of one stream. */
class Player {
  readonly #work: Work;
  readonly #name: string;
  readonly #options: PlayOptions;
  readonly #where: string;
  readonly #stream: NetStream;
  readonly #restarts: Restarts;
  readonly #end = new AbortController();
  readonly #waiting = new Timer();
  readonly #duration = new Timer();
  readonly #publisher: PublisherWatch;
  readonly #progress: Progress;
  readonly #swarm: Swarm | undefined;
  #isTimeUp = false;
  /** The peer has gone without a word. */
  #isLost = false;
  #failure: string | undefined;

  constructor(work: Work, url: string, name: string, options: PlayOptions) {
    const { connection, reporter, signal } = work;
    this.#work = work;
    this.#name = name;
    this.#options = options;
    const { peer, group } = options;
    this.#where = group !== undefined ? "the group" : peer === undefined ? url : `peer ${peer.slice(0, 12)}…`;
    this.#stream = new NetStream(connection, group ?? peer ?? NetStream.CONNECT_TO_FMS, {
      signal: AbortSignal.any([signal, this.#end.signal]),
      ...(options.output === undefined ? {} : { reorderMs: FILE_REORDER_MS }),
    });
    this.#restarts = new Restarts(this.#stream);
    this.#swarm = group === undefined ? undefined : new Swarm(work, group, () => this.#stream);
    this.#progress = new Progress(reporter, "received");
    const onOver = (): void => this.#end.abort();
    this.#publisher = new PublisherWatch({
      name,
      isInGroup: group !== undefined,
      wait: options.wait,
      reporter,
      onOver,
    });
    this.#stream.on("status", (event) => {
      reporter.log("debug", "status", { code: event.code }, event.code);
      this.#publisher.onStatus(event);
    });
  }

  async run(): Promise<void> {
    try {
      await this.#start();
      const fileBytes = await this.#write(this.#watch());
      if (this.#failure !== undefined) throw new Error(this.#failure);
      const { connection, signal, ended } = this.#work;
      if (!connection.connected && !signal.aborted) throw new Error(`${await ended}; ${this.#before}`);
      if (!signal.aborted && !this.#isTimeUp) this.#check();
      this.#done(fileBytes);
    } catch (error) {
      throw this.#explain(error);
    } finally {
      for (const timer of [this.#waiting, this.#publisher, this.#duration]) timer.clear();
      this.#progress.stop();
      await this.#stream.close();
      this.#swarm?.stop();
    }
  }

  /** `--wait` counts from the moment when the publisher could have been heard. */
  async #start(): Promise<void> {
    const { wait = WAIT_S, peer, group } = this.#options;
    const count = (): void =>
      this.#waiting.set(wait * 1000, () => {
        this.#failure = `${this.#absent} (waited ${wait} s): start the publisher first, or wait longer with --wait`;
        this.#end.abort();
      });
    if (peer === undefined && group === undefined) count();
    else
      this.#work.connection.on("status", ({ code }) => {
        if (code === "NetStream.Connect.Success") count();
        else if (code === "NetStream.Connect.Closed") this.#onPeerClosed();
      });
    await this.#stream.play(this.#name);
  }

  async *#watch(): AsyncGenerator<FlvTag> {
    const time = new GoingOn();
    for await (const tag of this.#stream) {
      if (this.#restarts.before(tag) > 0) time.restart();
      if (this.#progress.tags === 0) this.#onFirst(tag);
      this.#progress.count(tag.data.length);
      this.#publisher.onTag();
      yield time.place(tag);
    }
  }

  #onFirst(tag: FlvTag): void {
    this.#waiting.clear();
    const fields = { stream: this.#name, firstTimestamp: tag.timestamp };
    this.#work.reporter.event("playing", fields, `playing ${this.#name} from ${this.#where}`);
    const { duration } = this.#options;
    if (duration === undefined) return;
    this.#duration.set(duration * 1000, () => {
      this.#isTimeUp = true;
      this.#end.abort();
    });
  }

  /** Whoever ends a stream says so first. */
  #onPeerClosed(): void {
    const isOurs = this.#end.signal.aborted || this.#work.signal.aborted;
    this.#isLost = this.#options.peer !== undefined && !isOurs && this.#publisher.end === undefined;
  }

  /** Resolves with the bytes of the FLV stream written, if any was. */
  async #write(tags: AsyncIterable<FlvTag>): Promise<number | undefined> {
    const { output } = this.#options;
    if (output === "-") return (await writeStdout(tags, this.#work.signal)).bytes;
    if (output !== undefined) return (await writeFlv(output, tags)).bytes;
    for await (const _tag of tags);
    return undefined;
  }

  /** Throws unless the stream has ended as its publisher wanted. */
  #check(): void {
    const { end } = this.#publisher;
    const { group, wait } = this.#options;
    if (this.#isLost || end === "lost") {
      const who = this.#isLost ? this.#where : "the publisher";
      const waited = group === undefined ? "" : ` and has not come back within ${wait} s`;
      throw new Error(`${who} was lost${waited}; ${this.#before}: look whether its program and its network still run`);
    }
    if (end === "removed")
      throw new Error(`the server has ended the publisher's stream; ${this.#before}: ask whoever runs the server`);
    if (this.#progress.tags === 0) throw new Error(this.#absent);
  }

  #done(fileBytes: number | undefined): void {
    const { tags, bytes } = this.#progress;
    const { output } = this.#options;
    const into = output === undefined || output === "-" ? "" : ` into ${output}`;
    const [reason, why] = this.#reason;
    const fields = { stream: this.#name, tags, bytes, ...(fileBytes === undefined ? {} : { fileBytes }), reason };
    this.#work.reporter.event("done", fields, `received ${tags} tags, ${formatBytes(bytes)}${into}: ${why}`);
  }

  /** Why it is done: for programs, and for people. */
  get #reason(): readonly [string, string] {
    if (this.#work.signal.aborted) return ["stopped", "stopped"];
    if (this.#isTimeUp) return ["duration", "the time of --duration is over"];
    return ["ended", "the stream has ended"];
  }

  get #absent(): string {
    const { peer, group } = this.#options;
    if (peer !== undefined) return `${this.#where} does not publish "${this.#name}"`;
    return `nobody publishes "${this.#name}" ${group === undefined ? "at" : "in"} ${this.#where}`;
  }

  get #before(): string {
    return `received ${this.#progress.tags} tags of "${this.#name}" before`;
  }

  #explain(error: unknown): unknown {
    if (this.#failure !== undefined) return new Error(this.#failure);
    const code = (error as { code?: string }).code;
    if (code === "NetStream.Play.StreamNotFound")
      return new Error(`${this.#absent}: check the name, or start the publisher`);
    return error;
  }
}

/** A file is in no haste: its tags wait longer for their turn; ms. */
const FILE_REORDER_MS = 10_000;
/** How long a stream may take to appear; seconds. */
const WAIT_S = 10;
