/** Plays a stream of a group. */
import type { FlvTagType } from "rtmfp-core/flv";
import type { MediaMessage, MulticastSink, MulticastSubscription } from "rtmfp-core/group";
import { MessageType } from "rtmfp-core/tc";
import type { ConnectionCore } from "../connection-core.ts";
import { type PlayHost, PlayInput } from "../play-input.ts";
import { Answer, type Playback, type PlaybackHost, type PlayRequest, type Started } from "../playback.ts";
import { makeStatus } from "../status-error.ts";
import type { JoinedGroup } from "./joined-group.ts";
import type { MulticastControls } from "./multicast-settings.ts";
import { StartGate } from "./start-gate.ts";
import { checkedName } from "./stream-group.ts";

/** Plays as soon as somebody publishes the name; resolves with NetStream.Play.Start then. Rejects when it is aborted. */
export async function playFromGroup(
  core: ConnectionCore,
  group: JoinedGroup,
  request: PlayRequest,
  controls: MulticastControls,
  host: PlaybackHost,
): Promise<Started> {
  const playback = new GroupPlayback(core, group, request.name, controls, host);
  return { playback, event: await playback.answer.wait(request.signal, playback) };
}

/** One player of one name. The group tells of the stream in the middle of its work: all of it is passed on a little later. */
class GroupPlayback implements Playback {
  readonly session: undefined;
  readonly answer: Answer = new Answer();
  readonly #name: string;
  readonly #controls: MulticastControls;
  readonly #host: PlaybackHost;
  readonly #input: PlayInput;
  readonly #gate = new StartGate();
  readonly #stream: MulticastSubscription;
  readonly #unwanted = new Set<FlvTagType>();
  /** Fragments lost in front of what was not passed on. */
  #missing = 0;
  #isHeld = false;
  #isClosed = false;
  #news: (() => void)[] = [];

  constructor(core: ConnectionCore, group: JoinedGroup, name: string, controls: MulticastControls, host: PlaybackHost) {
    this.#name = name;
    this.#controls = controls;
    this.#host = host;
    const playHost: PlayHost = {
      tag: (tag) => host.tag(tag),
      lost: (type) => host.lost(type),
      status: () => {},
      data: (handler, args) => host.data(handler, args),
      begun: () => {},
    };
    // Fragments put all kinds into one order already.
    this.#input = new PlayInput(playHost, core.clock, 0);
    const sink: MulticastSink = {
      message: (message, missing) => this.#later(() => this.#onMessage(message, missing)),
      reset: () => this.#later(() => this.#onReset()),
      published: () => this.#later(() => this.#onPublished()),
      unpublished: (isOver) => this.#later(() => this.#onUnpublished(isOver)),
    };
    this.#stream = checkedName(() => group.multicast.play(name, sink, controls.own));
    controls.live = this.#stream;
  }

  /** A group is not held back: what comes meanwhile is lost. */
  hold(held: boolean): void {
    this.#isHeld = held;
    if (held) this.#gate.awaitKeyFrame();
  }

  command(): void {}

  /** What is not wanted is relayed all the same. */
  receive(kind: "audio" | "video", wanted: boolean): void {
    if (!wanted) this.#unwanted.add(kind);
    else if (this.#unwanted.delete(kind) && kind === "video") this.#gate.awaitKeyFrame();
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#controls.live === this.#stream) this.#controls.live = undefined;
    this.#stream.close();
    this.#input.end();
  }

  #later(run: () => void): void {
    this.#news.push(run);
    if (this.#news.length > 1) return;
    queueMicrotask(() => {
      const news = this.#news;
      this.#news = [];
      for (const each of news) if (!this.#isClosed) each();
    });
  }

  #onPublished(): void {
    this.#tell("NetStream.Play.PublishNotify", "is now published.");
    if (this.answer.isSettled) return;
    const event = makeStatus("NetStream.Play.Start", `Started playing ${this.#name}.`, { details: this.#name });
    this.answer.settle(event);
    this.#host.status(event);
  }

  #onUnpublished(isOver: boolean): void {
    if (isOver) this.#tell("NetStream.Play.UnpublishNotify", "is now unpublished.");
    else
      this.#tell("NetStream.Play.UnpublishNotify", "is now unpublished: nothing comes any more.", { reason: "lost" });
  }

  #onReset(): void {
    this.#controls.own = {};
    this.#gate.reset();
    this.#missing = 0;
    this.#tell("NetStream.MulticastStream.Reset", "has another publisher.");
  }

  #onMessage({ type, timestamp, payload }: MediaMessage, missing: number): void {
    this.#missing += missing;
    const kind = KINDS.get(type);
    if (kind === undefined || payload.length === 0) return;
    const data = type === MessageType.dataAmf3 ? payload.subarray(1) : payload;
    if (this.#isHeld) {
      this.#host.lost(kind);
      return;
    }
    if (this.#unwanted.has(kind) || !this.#gate.passes({ type: kind, timestamp, data })) return;
    this.#input.message({ type, timestamp, payload }, this, this.#missing);
    this.#missing = 0;
  }

  #tell(
    code: "NetStream.Play.PublishNotify" | "NetStream.Play.UnpublishNotify" | "NetStream.MulticastStream.Reset",
    what: string,
    more: object = {},
  ): void {
    this.#host.status(makeStatus(code, `${this.#name} ${what}`, { details: this.#name, ...more }));
  }
}

/** What messages carry; others, such as commands of old publishers, say nothing that the group does not. */
const KINDS: ReadonlyMap<number, FlvTagType> = new Map([
  [MessageType.audio, "audio"],
  [MessageType.video, "video"],
  [MessageType.dataAmf0, "data"],
  [MessageType.dataAmf3, "data"],
]);
