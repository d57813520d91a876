import type { FlvTag, FlvTagType } from "rtmfp-core/flv";
import {
  DEFAULT_MULTICAST_SETTINGS,
  type MulticastSettings,
  type MulticastSink,
  NO_MULTICAST_INFO,
} from "rtmfp-core/group";
import { decodeMessage, encodeData, type RtmpMessage } from "rtmfp-core/tc";
import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { systemClock } from "../../src/clock.ts";
import type { ConnectionCore } from "../../src/connection-core.ts";
import { playFromGroup } from "../../src/group/group-playback.ts";
import { GroupPublication } from "../../src/group/group-publication.ts";
import type { JoinedGroup } from "../../src/group/joined-group.ts";
import { MulticastControls } from "../../src/group/multicast-settings.ts";
import type { Playback, PlaybackHost, PlayRequest } from "../../src/playback.ts";

const core = { clock: systemClock } as unknown as ConnectionCore;
const VIDEO = 9;
const AUDIO = 8;
/** H.263: a key frame, and one that builds on others. MP3. */
const KEY = Uint8Array.of(0x12, 1);
const INTER = Uint8Array.of(0x22, 1);
const SOUND = Uint8Array.of(0x2f, 1);

/** Lets what was put off run. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A group of which a test says what comes. */
class FakeGroup {
  sink!: MulticastSink;
  settings: MulticastSettings = { ...DEFAULT_MULTICAST_SETTINGS };
  isClosed = false;
  readonly written: [type: number, timestamp: number, payload: Uint8Array][] = [];
  neighborCount = 1;
  readonly group = {
    publishing: new Set<string>(),
    engine: this,
    multicast: {
      play: (name: string, sink: MulticastSink) => {
        this.sink = sink;
        return this.#stream(name);
      },
      publish: (name: string) => this.#stream(name),
    },
  } as unknown as JoinedGroup;

  say(type: number, timestamp: number, payload: Uint8Array, missing = 0): void {
    this.sink.message({ type, timestamp, payload }, missing);
  }

  #stream(name: string): object {
    const fake = this;
    const stream = {
      name,
      get settings() {
        return fake.settings;
      },
      info: { ...NO_MULTICAST_INFO, fragmentsPushedFromPeers: 7 },
      waitingBytes: 0,
      onClosed: undefined as (() => void) | undefined,
      set: (changes: Partial<MulticastSettings>) => Object.assign(this.settings, changes),
      write: (type: number, timestamp: number, payload: Uint8Array) => this.written.push([type, timestamp, payload]),
      close: () => {
        this.isClosed = true;
        queueMicrotask(() => stream.onClosed?.());
      },
    };
    return stream;
  }
}

/** What a player is told. */
class Told implements PlaybackHost {
  readonly tags: [FlvTagType, number][] = [];
  readonly all: unknown[] = [];
  tag({ type, timestamp }: FlvTag): void {
    this.tags.push([type, timestamp]);
  }
  lost(type: FlvTagType): void {
    this.all.push(`lost ${type}`);
  }
  status({ code, reason }: { code: string; reason?: string }): void {
    this.all.push(reason === undefined ? code : `${code} ${reason}`);
  }
  data(name: string, args: readonly unknown[]): void {
    this.all.push([name, ...args]);
  }
  connected(): void {}
  ended(): void {}
}

async function play(): Promise<{ fake: FakeGroup; told: Told; playback: Playback; controls: MulticastControls }> {
  const [fake, told, controls] = [new FakeGroup(), new Told(), new MulticastControls()];
  const request = {
    name: "cam",
    args: [],
    addresses: [],
    signal: new AbortController().signal,
  } as unknown as PlayRequest;
  const started = playFromGroup(core, fake.group, request, controls, told);
  fake.sink.published();
  const { playback, event } = await started;
  expect(event.code).toBe("NetStream.Play.Start");
  expect(told.all.splice(0)).toEqual(["NetStream.Play.PublishNotify", "NetStream.Play.Start"]);
  return { fake, told, playback, controls };
}

describe("a stream played from a group", () => {
  it(...rfc("G-3"), "goes on after a gap with the next key frame, and sound without a pause", async () => {
    const { fake, told } = await play();
    fake.say(VIDEO, 0, KEY);
    fake.say(AUDIO, 10, SOUND);
    fake.say(AUDIO, 40, SOUND, 3);
    fake.say(VIDEO, 50, INTER);
    fake.say(VIDEO, 60, KEY);
    fake.say(VIDEO, 70, new Uint8Array(0));
    await settled();
    expect(told.tags).toEqual([
      ["video", 0],
      ["audio", 10],
      ["audio", 40],
      ["video", 60],
    ]);
    expect(told.all).toEqual(["lost audio", "lost video"]);
  });

  it(...rfc("G-3"), "leaves out what is not wanted, and what its reader is too slow for", async () => {
    const { fake, told, playback } = await play();
    fake.say(VIDEO, 0, KEY);
    await settled();
    playback.receive("video", false);
    fake.say(VIDEO, 1, INTER);
    fake.say(AUDIO, 2, SOUND);
    await settled();
    playback.receive("video", true);
    fake.say(VIDEO, 3, INTER);
    fake.say(VIDEO, 4, KEY);
    await settled();
    playback.hold(true);
    fake.say(VIDEO, 5, KEY);
    fake.say(AUDIO, 6, SOUND);
    await settled();
    playback.hold(false);
    fake.say(VIDEO, 7, INTER);
    fake.say(AUDIO, 8, SOUND);
    fake.say(VIDEO, 9, KEY);
    await settled();
    expect(told.tags.map(([, timestamp]) => timestamp)).toEqual([0, 2, 4, 8, 9]);
    expect(told.all).toEqual(["lost video", "lost audio"]);
  });

  it(...rfc("G-3"), "begins anew with another publisher, whose settings it takes, and tells of both ends", async () => {
    const { fake, told, playback, controls } = await play();
    fake.say(VIDEO, 500, KEY);
    controls.set("fetchMs", 1_000, "multicastFetchPeriod");
    expect([fake.settings.fetchMs, controls.get("fetchMs"), controls.live?.info.fragmentsPushedFromPeers]).toEqual([
      1_000, 1_000, 7,
    ]);
    fake.settings.fetchMs = 2_500;
    fake.sink.reset();
    fake.say(VIDEO, 0, INTER);
    fake.say(VIDEO, 1, KEY);
    fake.sink.unpublished(true);
    fake.sink.published();
    fake.sink.unpublished(false);
    await settled();
    expect([controls.own, controls.get("fetchMs")]).toEqual([{}, 2_500]);
    expect(told.tags.map(([, timestamp]) => timestamp)).toEqual([500, 1]);
    expect(told.all).toEqual([
      "NetStream.MulticastStream.Reset",
      "NetStream.Play.UnpublishNotify",
      "NetStream.Play.PublishNotify",
      "NetStream.Play.UnpublishNotify lost",
    ]);
    fake.say(VIDEO, 2, INTER);
    await playback.close();
    await settled();
    expect([told.tags.length, fake.isClosed, controls.live]).toEqual([2, true, undefined]);
  });

  it(...rfc("P-4"), "calls handlers in order with the tags, and reads nothing that is none", async () => {
    const { fake, told } = await play();
    const { type, payload } = decodeMessage(encodeData({ name: "onText", args: ["hello", 7] })) as RtmpMessage;
    fake.say(type, 5, payload);
    fake.say(15, 6, Uint8Array.of(0, ...payload));
    fake.say(type, 7, Uint8Array.of(0xff));
    fake.say(20, 8, payload);
    await settled();
    expect(told.all).toEqual([
      ["onText", "hello", 7],
      ["onText", "hello", 7],
    ]);
  });
});

describe("a stream published to a group", () => {
  it(...rfc("B-3"), "is delivered as far as there is somebody to give it to, and has its name to itself", async () => {
    const fake = new FakeGroup();
    const controls = new MulticastControls();
    const publication = new GroupPublication(core, fake.group, "cam", controls);
    expect(() => new GroupPublication(core, fake.group, "cam", controls)).toThrow("already being published");
    const tag: FlvTag = { type: "video", timestamp: 40, data: KEY };
    expect(await publication.write(tag).done).toBe("delivered");
    publication.send("onText", ["hello"]);
    fake.neighborCount = 0;
    expect(await publication.write({ ...tag, timestamp: 80 }).done).toBe("abandoned");
    expect(fake.written.map(([type, timestamp]) => [type, timestamp])).toEqual([
      [9, 40],
      [18, 40],
      [9, 80],
    ]);
    controls.set("pushLimit", 2, "multicastPushNeighborLimit");
    expect([fake.settings.pushLimit, controls.live?.info.fragmentsPushedFromPeers]).toEqual([2, 7]);
    await publication.close();
    expect([controls.live, fake.isClosed]).toEqual([undefined, true]);
    new GroupPublication(core, fake.group, "cam", controls);
  });
});
