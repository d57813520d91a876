/** A NetConnection and its NetStreams, called at random. */
import {
  NetConnection,
  type NetConnectionOptions,
  NetStream,
  type PublishType,
  Responder,
  type StatusEvent,
} from "rtmfp-client";
import type { FlvTag } from "rtmfp-core/flv";
import { type AmfValue, isStatusCode, levelOf } from "rtmfp-core/tc";
import type { Prng } from "rtmfp-core/testing";
import { anyValue } from "./amf.ts";
import { pick } from "./packets.ts";
import type { Watch } from "./watch.ts";

/** Calls what the API offers, in any order, with arguments good and bad. */
export class WildClient {
  readonly nc: NetConnection;
  readonly streams: NetStream[] = [];
  /** Events told. */
  events = 0;
  readonly #prng: Prng;
  readonly #watch: Watch;
  readonly #words: string[];
  readonly #urls: readonly string[];
  /** Loops over streams; those over streams that play nothing end when their stream is closed. */
  readonly #reads = new Map<NetStream, Promise<void>>();
  #timestamp = 0;

  /** `urls` are what it connects to; `words` names of streams and peer IDs, of which it learns more. */
  constructor(options: NetConnectionOptions, prng: Prng, watch: Watch, words: string[], urls: readonly string[]) {
    this.#prng = prng;
    this.#watch = watch;
    this.#words = words;
    this.#urls = urls;
    this.nc = new NetConnection(options);
    this.nc.on("status", (event) => this.#onStatus(event));
    this.nc.on("asyncError", () => {});
    this.nc.expose({
      hello: (...args: unknown[]) => args[0],
      fail: () => {
        throw new Error("as asked");
      },
      odd: () => () => {},
    });
  }

  connect(): void {
    const url = this.#prng.chance(0.95) ? pick(this.#prng, this.#urls) : pick(this.#prng, [null, "http://x", ""]);
    const args = Array.from({ length: this.#prng.int(3) }, () => this.#value());
    if (this.#prng.chance(0.3)) this.nc.objectEncoding = pick(this.#prng, [0, 3] as const);
    this.#watch.call("connect", async () => {
      await this.nc.connect(url, ...args);
      this.#words.push(this.nc.nearID);
      if (this.#words.length > 40) this.#words.splice(10, 1);
    });
  }

  /** Ends the connection; nothing that was called may wait any longer. */
  close(): void {
    this.#watch.call("NetConnection.close", () => this.nc.close());
  }

  /** Ends the streams that never began, too. */
  closeStreams(): void {
    for (const stream of this.streams) this.#watch.call("NetStream.close", () => stream.close());
    this.#watch.call("read", () => Promise.all(this.#reads.values()));
  }

  /** One call out of many. */
  act(): void {
    const prng = this.#prng;
    const stream = pick(prng, this.streams) as NetStream | undefined;
    const call = (what: string, run: () => unknown): void => this.#watch.call(what, run);
    const word = (): string => pick(prng, this.#words);
    switch (prng.int(26)) {
      case 0:
        if (!this.nc.connected) this.connect();
        return;
      case 1:
        if (prng.chance(0.1)) call("NetConnection.close", () => this.nc.close());
        return;
      case 2:
      case 3:
        call("NetConnection.call", () => this.nc.call(pick(prng, METHODS), null, ...this.#args()));
        return;
      case 4: {
        const responder = new Responder(() => {}, prng.chance(0.5) ? () => {} : null, {
          ...(prng.chance(0.2) ? { timeoutMs: prng.int(2_000) } : {}),
        });
        call("NetConnection.call with a Responder", () =>
          this.nc.call(pick(prng, METHODS), responder, ...this.#args()),
        );
        return;
      }
      case 5:
      case 6:
        call("new NetStream", () => this.#makeStream());
        return;
      case 7:
      case 8:
        call("publish", () =>
          stream?.publish(
            prng.chance(0.9) ? word() : pick(prng, [null, false]),
            (prng.chance(0.8) ? "live" : word()) as PublishType,
          ),
        );
        return;
      case 9:
      case 10:
        call("play", () => stream?.play(prng.chance(0.95) ? word() : null, ...pick(prng, PLAY_ARGS)));
        return;
      case 11:
        call("NetStream.close", () => stream?.close());
        return;
      case 12:
        // A stream has one reader at a time.
        if (stream !== undefined && !this.#reads.has(stream)) this.#reads.set(stream, this.#read(stream));
        return;
      case 13:
        call("feed", () => stream?.feed(Array.from({ length: prng.int(20) }, () => this.#tag())));
        return;
      case 14:
        call("send", () => stream?.send(word(), ...this.#args()));
        return;
      case 15:
        call("receiveAudio", () => stream?.receiveAudio(prng.chance(0.5)));
        call("receiveVideo", () => stream?.receiveVideo(prng.chance(0.5)));
        return;
      case 16:
        call("getters", () => this.#look(stream));
        return;
      case 17:
        call("pause", () => pick(prng, [() => stream?.togglePause(), () => stream?.seek(prng.int(9) - 1)])());
        call("receiveVideoFPS", () => stream?.receiveVideoFPS(prng.int(2)));
        return;
      case 18:
        if (prng.chance(0.1)) call("attach", () => stream?.attach(this.nc));
        else if (stream !== undefined && prng.chance(0.02)) {
          this.streams.splice(this.streams.indexOf(stream), 1);
          call("dispose", () => stream.dispose());
        } else call("play2", () => stream?.play2({ streamName: word(), transition: pick(prng, TRANSITIONS) }));
        return;
      case 19:
        call("peers", () => stream?.peerStreams[0]?.close());
        return;
      default:
        call("writeTag", () => stream?.writeTag(this.#tag()).done);
    }
  }

  #makeStream(): void {
    const prng = this.#prng;
    const target = prng.chance(0.4)
      ? NetStream.CONNECT_TO_FMS
      : prng.chance(0.5)
        ? NetStream.DIRECT_CONNECTIONS
        : pick(prng, this.#words);
    const controller = new AbortController();
    const stream = new NetStream(this.nc, target, prng.chance(0.2) ? { signal: controller.signal } : {});
    stream.on("status", (event) => this.#onStatus(event));
    stream.client = {
      onMetaData: () => {},
      onPeerConnect: () => (prng.chance(0.3) ? prng.chance(0.5) : Promise.resolve(prng.chance(0.7))),
    };
    this.streams.push(stream);
    if (this.streams.length > 12) {
      const old = this.streams.shift();
      this.#watch.call("NetStream.close", () => old?.close());
    }
    if (prng.chance(0.02)) controller.abort();
  }

  /** Reads a few tags, then leaves. */
  async #read(stream: NetStream): Promise<void> {
    let left = 1 + this.#prng.int(30);
    for await (const _ of stream) if (--left <= 0) break;
    this.#reads.delete(stream);
  }

  #look(stream: NetStream | undefined): unknown {
    const { nc } = this;
    const ids = [nc.nearID, nc.farID, nc.nearNonce, nc.farNonce, stream?.farID, stream?.nearNonce];
    const figures = [nc.stats, stream?.info, stream?.time, stream?.bufferLength, stream?.currentFPS];
    return [ids, figures, nc.unconnectedPeerStreams, nc.nearAddresses, stream?.isPublishing];
  }

  #tag(): FlvTag {
    const prng = this.#prng;
    this.#timestamp = prng.chance(0.95) ? this.#timestamp + prng.int(40) : prng.u32();
    const type = pick(prng, ["audio", "video", "data"] as const);
    const first = pick(prng, [0x17, 0x12, 0x22, 0x2f, 0xaf, 0x02]);
    const size = prng.int(prng.chance(0.03) ? 60_000 : 60);
    return { type, timestamp: this.#timestamp, data: Uint8Array.of(first, prng.int(2), ...prng.bytes(size)) };
  }

  #args(): AmfValue[] {
    return Array.from({ length: this.#prng.int(3) }, () => this.#value());
  }

  #value(): AmfValue {
    return anyValue(this.#prng, this.#words);
  }

  #onStatus(event: StatusEvent): void {
    this.events++;
    const isProper = isStatusCode(event.code) && event.level === levelOf(event.code);
    if (!isProper)
      this.#watch.blame("status event", new Error(`code ${String(event.code)} at level ${String(event.level)}`));
  }
}

const PLAY_ARGS: readonly [start?: number, len?: number, reset?: boolean][] = [[], [-2], [0, -1, true], [Number.NaN]];
const TRANSITIONS = ["reset", "append", "stop", "switch"] as const;
const METHODS: readonly string[] = [
  "echo",
  "fail",
  "later",
  "odd",
  "relay",
  "watch",
  "broadcast",
  "kick",
  "none",
  "connect",
];
