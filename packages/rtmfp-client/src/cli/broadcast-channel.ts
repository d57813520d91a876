/** One channel of rtmfp-client broadcast. */
import type { FlvTag } from "rtmfp-core/flv";
import { ChannelSender } from "../bittube/channel-stream.ts";
import { isOnAir } from "../bittube/on-air.ts";
import { type OpenedSource, openSource } from "../bittube/open-source.ts";
import { realtime } from "../bittube/realtime.ts";
import { recordFlv, type TagSink } from "../bittube/recorder.ts";
import { type ChannelOptions, groupspecOf, recordPath } from "./channel-options.ts";
import { connected } from "./connected.ts";
import type { Progress } from "./progress.ts";
import type { Work } from "./run.ts";
import { Swarm } from "./swarm.ts";

export interface BroadcastOptions extends ChannelOptions {
  readonly loop?: boolean;
  /** Undefined: as the file looks. */
  readonly follow?: boolean;
  /** Do not look whether the channel is on air. */
  readonly force?: boolean;
}

/** A channel and where it comes from, as typed. */
export interface Plan {
  readonly channel: string;
  readonly from: string;
}

/** One channel: its source, its stream and its recording. A failure ends it, and no other. */
export class BroadcastChannel {
  readonly name: string;
  readonly groupspec: string;
  opened: OpenedSource | undefined;
  /** Why it has ended, in one line. */
  failure: string | undefined;
  readonly #work: Work;
  readonly #plan: Plan;
  readonly #options: BroadcastOptions;
  readonly #signal: AbortSignal;
  readonly #progress: Progress;
  readonly #onFailure: (channel: BroadcastChannel) => void;
  /** Ends the source when the channel has failed. */
  readonly #end = new AbortController();
  #swarm: Swarm | undefined;
  #source: AsyncIterator<FlvTag> | undefined;
  #tags: AsyncGenerator<FlvTag, void, undefined> | undefined;
  #sender: ChannelSender | undefined;
  #record: TagSink | undefined;
  #tagCount = 0;
  #bytes = 0;

  /** `onFailure` is called when the channel has ended for a reason, while the others go on. */
  constructor(
    work: Work,
    plan: Plan,
    options: BroadcastOptions,
    signal: AbortSignal,
    progress: Progress,
    onFailure: (channel: BroadcastChannel) => void,
  ) {
    this.name = plan.channel;
    this.groupspec = groupspecOf(plan.channel, options);
    this.#work = work;
    this.#plan = plan;
    this.#options = options;
    this.#signal = signal;
    this.#progress = progress;
    this.#onFailure = onFailure;
  }

  /** Puts the channel on air. */
  open(): Promise<void> {
    return this.#attempt(async () => {
      const { connection } = this.#work;
      const { loop = false, follow } = this.#options;
      this.opened = await openSource(this.#plan.from, {
        signal: AbortSignal.any([this.#signal, this.#end.signal]),
        loop,
        ...(follow === undefined ? {} : { follow }),
        onNotice: (line) => this.#warn(line),
      });
      const first = this.#read(this.opened);
      first.catch(() => {});
      // From here on: those who wait for the channel are neighbours by the time that it begins.
      this.#joinSwarm();
      if (this.#options.force !== true && (await this.#isOnAir()))
        throw new Error(
          `the channel "${this.name}" is on air already: choose another name, or take it over with --force`,
        );
      // A source that is none has shown it by now, mostly.
      await Promise.race([first, Promise.resolve()]);
      await connected(connection, this.#signal);
      this.#signal.throwIfAborted();
      this.#sender = new ChannelSender(connection, this.groupspec, (line) => this.#warn(line));
      await this.#sender.open().catch((error: unknown) => {
        // It publishes when the connection has come back.
        if (connection.connected) throw error;
      });
      connection.on("status", ({ code }) => {
        if (code === "NetConnection.Connect.Success" && this.#swarm !== undefined) this.#joinSwarm();
      });
      const path = recordPath(this.name, this.#options);
      if (path !== undefined)
        this.#record = recordFlv(path, (error) =>
          this.#warn(`${(error as Error).message}; the recording ends here, the channel goes on`),
        );
    });
  }

  /** Sends the source to its end. */
  async send(): Promise<void> {
    const [opened, tags, sender] = [this.opened, this.#tags, this.#sender];
    if (opened === undefined || tags === undefined || sender === undefined || this.failure !== undefined) return;
    await this.#attempt(async () => {
      const { connection } = this.#work;
      await connected(connection, this.#signal);
      if (this.#signal.aborted) return;
      const { clock } = connection.core;
      const ready = (): Promise<unknown> => sender.ready;
      for await (const tag of realtime(tags, { clock, leadMs: opened.leadMs, ready, signal: this.#signal }))
        this.#write(tag, sender);
    });
    this.#leaveSwarm();
    const [recorded] = await Promise.all([this.#record?.close(), sender.close()]);
    if (this.#record?.holes !== undefined) this.#warn(`the recording has holes: ${this.#record.holes}`);
    const result = { ...this.result, ...(recorded === undefined ? {} : { recorded: recorded.bytes }) };
    if (!this.#signal.aborted && this.failure === undefined)
      this.#work.reporter.log("info", "channelEnded", result, `${this.name}: the source has ended`);
  }

  /** For events. */
  get result(): object {
    const { skipped = 0, repaired = 0, beginnings = 0 } = this.opened?.source.stats ?? {};
    const error = this.failure === undefined ? {} : { error: this.failure };
    return { channel: this.name, tags: this.#tagCount, bytes: this.#bytes, skipped, repaired, beginnings, ...error };
  }

  /** Looks again where the connection was lost meanwhile. */
  async #isOnAir(): Promise<boolean> {
    const { connection } = this.#work;
    for (;;) {
      await connected(connection, this.#signal);
      this.#signal.throwIfAborted();
      const { core } = connection;
      const isHere = (): boolean => connection.connected && connection.core === core;
      const answer = await isOnAir(connection, this.groupspec, this.#signal).catch((error: unknown) => {
        if (isHere()) throw error;
      });
      if (answer !== undefined && (isHere() || this.#signal.aborted)) return answer;
    }
  }

  /** Memberships end with their connection. */
  #joinSwarm(): void {
    this.#leaveSwarm();
    if (this.#work.connection.connected)
      this.#swarm = new Swarm(this.#work, this.groupspec, () => this.#sender, this.name);
  }

  #leaveSwarm(): void {
    this.#swarm?.stop();
    this.#swarm = undefined;
  }

  /** Begins to read; resolves when the first tag is there, and rejects if the source fails before. */
  async #read({ source }: OpenedSource): Promise<void> {
    const tags = source[Symbol.asyncIterator]();
    const first = tags.next();
    this.#source = tags;
    this.#tags = (async function* () {
      const { done, value } = await first;
      if (done !== true) yield value;
      for (let next = await tags.next(); next.done !== true; next = await tags.next()) yield next.value;
    })();
    await first;
  }

  #write(tag: FlvTag, sender: ChannelSender): void {
    if (this.#tagCount === 0)
      this.#work.reporter.log("info", "onAir", { channel: this.name }, `${this.name} is on air`);
    this.#tagCount++;
    this.#bytes += tag.data.length;
    this.#progress.count(tag.data.length);
    this.#record?.add(tag);
    sender.write(tag);
  }

  async #attempt(what: () => Promise<void>): Promise<void> {
    try {
      await what();
    } catch (error) {
      this.#leaveSwarm();
      if (this.#signal.aborted) return;
      this.failure = error instanceof Error ? error.message : String(error);
      this.#onFailure(this);
      this.#end.abort();
      // The signal alone closes no source that waits for its next tag to be asked for.
      await Promise.all([this.#source?.return?.(), this.#sender?.close()]);
    }
  }

  #warn(line: string): void {
    this.#work.reporter.log("warn", "notice", { channel: this.name, message: line }, `${this.name}: ${line}`);
  }
}
