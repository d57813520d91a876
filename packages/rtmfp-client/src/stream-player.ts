/** The playing side of a NetStream: one stream at a time. */
import type { Session } from "rtmfp-core";
import type { AmfValue, StatusCode, StatusEvent } from "rtmfp-core/tc";
import type { Playback, PlaybackHost, Started } from "./playback.ts";
import { Reception } from "./reception.ts";
import { makeStatus } from "./status-error.ts";
import type { StreamTags } from "./stream-tags.ts";

/** What a player tells its NetStream. */
export interface PlayerHost {
  status(event: StatusEvent): void;
  data(handler: string, values: readonly AmfValue[]): void;
  /** An event of the stream's own connection with a peer. */
  connection(code: StatusCode): void;
  begun(): void;
  /** The stream has ended by itself: stops the player. */
  ended(): Promise<void>;
}

export class StreamPlayer {
  readonly #tags: StreamTags;
  readonly #isFromServer: boolean;
  readonly #host: PlayerHost;
  readonly #reception: Reception;
  #playback: Playback | undefined;
  /** The attempt to play that tags are taken from. */
  #attempt: object | undefined;

  /** What comes goes to `tags`. */
  constructor(tags: StreamTags, isFromServer: boolean, host: PlayerHost) {
    this.#tags = tags;
    this.#isFromServer = isFromServer;
    this.#host = host;
    this.#reception = new Reception(isFromServer);
    tags.onFull = (full) => this.#playback?.hold(full);
  }

  get isPlaying(): boolean {
    return this.#playback !== undefined;
  }

  /** The session with the peer that is played from. */
  get session(): Session | undefined {
    return this.#playback?.session;
  }

  get paused(): boolean {
    return this.#reception.paused;
  }

  /** Plays what `start` begins; resolves with the event of the start. The one before has been stopped. */
  async play(start: (host: PlaybackHost) => Promise<Started>): Promise<StatusEvent> {
    const attempt = { isOver: false };
    this.#attempt = attempt;
    const { playback, event } = await start(this.#playbackHost(attempt));
    this.#playback = playback;
    this.#host.begun();
    if (this.#tags.queue.isFull) playback.hold(true);
    if (attempt.isOver) await this.#host.ended();
    else this.#reception.begin(playback);
    return event;
  }

  async stop(): Promise<void> {
    const playback = this.#playback;
    this.#playback = undefined;
    this.#attempt = undefined;
    await playback?.close();
  }

  receiveAudio(wanted: boolean): void {
    this.#reception.receiveAudio(wanted, this.#playback);
  }

  receiveVideo(wanted: boolean): void {
    this.#reception.receiveVideo(wanted, this.#playback);
  }

  pause(paused: boolean): void {
    const playback = this.#playback;
    if (playback === undefined || paused === this.#reception.paused) return;
    this.#reception.pause(paused, playback, this.#tags.meter.lastTimestamp);
    if (!this.#isFromServer) this.#tell(paused ? "NetStream.Pause.Notify" : "NetStream.Unpause.Notify");
  }

  /** To `offset` seconds from the beginning. */
  seek(offset: number): void {
    if (this.#playback === undefined) return;
    if (!(offset >= 0)) this.#tell("NetStream.Seek.InvalidTime", `expected seconds of 0 or more, got ${offset}`);
    else if (this.#isFromServer) this.#playback.command("seek", [offset * 1000]);
    else this.#tell("NetStream.Seek.Failed", "a stream from a peer is live");
  }

  #playbackHost(attempt: { isOver: boolean }): PlaybackHost {
    const { queue } = this.#tags;
    return {
      tag: (tag) => {
        if (attempt.isOver) return;
        this.#tags.add(tag);
        this.#tags.settled(tag.type, true);
        queue.push(tag);
      },
      lost: (type) => this.#tags.settled(type, false),
      status: (event) => this.#host.status(event),
      data: (handler, values) => {
        this.#tags.told(handler, values as AmfValue[]);
        this.#host.data(handler, values as AmfValue[]);
      },
      connected: () => this.#host.connection("NetStream.Connect.Success"),
      ended: (code) => {
        if (attempt.isOver) return;
        attempt.isOver = true;
        // Another stream may be played in its place already.
        if (this.#attempt === attempt) {
          queue.end();
          if (this.#playback !== undefined) void this.#host.ended();
        }
        if (code !== undefined) this.#host.connection(code);
      },
    };
  }

  #tell(code: StatusCode, description?: string): void {
    this.#host.status(makeStatus(code, description));
  }
}
