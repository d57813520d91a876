/** A stream that a client has created: it publishes by it, or plays. § means RFC 7425. */
import type { FlvTagType } from "rtmfp-core/flv";
import {
  type AmfObject,
  type AmfValue,
  type Command,
  decodeData,
  encodeCommand,
  type MessageTree,
  type ObjectEncoding,
  type RtmpMessage,
  type StatusCode,
  statusInfo,
} from "rtmfp-core/tc";
import { withoutFirstValue } from "./data-frame.ts";
import type { LiveStream, Publisher } from "./live-stream.ts";
import type { StreamBroker } from "./stream-broker.ts";
import { StreamFlows } from "./stream-flows.ts";
import { StreamMessage } from "./stream-message.ts";
import { Subscription } from "./subscription.ts";

/** What a stream needs of its connection. */
export interface StreamHost {
  readonly tree: MessageTree;
  readonly clientId: string;
  readonly objectEncoding: ObjectEncoding;
  readonly streams: StreamBroker;
  /** Publish and play are refused. */
  readonly introduceOnly: boolean;
  onMedia(payloadBytes: number): void;
  onDropped(): void;
  log(event: "publish" | "unpublish" | "play" | "stop", fields: Readonly<Record<string, string>>): void;
}

/** See the file's head. */
export class ServerStream implements Publisher {
  readonly id: number;
  readonly #host: StreamHost;
  #flows: StreamFlows;
  #published: LiveStream | undefined;
  #played: { readonly stream: LiveStream; readonly subscription: Subscription } | undefined;

  constructor(host: StreamHost, id: number) {
    this.#host = host;
    this.id = id;
    this.#flows = new StreamFlows(host.tree, id);
  }

  get clientId(): string {
    return this.#host.clientId;
  }

  /** A command on the stream. False if there is none of that name. */
  onCommand({ name, args }: Command): boolean {
    const [first] = args;
    const subscription = this.#played?.subscription;
    switch (name) {
      case "publish":
        if (first === false) this.#stop();
        else this.#publish(first);
        return true;
      case "play":
        if (first === false) this.#stop();
        else this.#play(args);
        return true;
      case "closeStream":
        this.#stop();
        return true;
      case "pause":
      case "pauseRaw":
        subscription?.pause(first !== false);
        return true;
      case "receiveAudio":
        subscription?.receiveAudio(first !== false);
        return true;
      case "receiveVideo":
        subscription?.receiveVideo(first !== false);
        return true;
      // A live stream has one place to be.
      case "seek":
        return true;
      default:
        return false;
    }
  }

  /** Audio, video or data on the stream. @throws AmfError for data that is none. */
  onMessage(kind: FlvTagType, message: RtmpMessage): void {
    const stream = this.#published;
    if (stream === undefined) return;
    if (kind === "data") this.#onData(stream, message);
    else {
      this.#host.onMedia(message.payload.length);
      stream.relay(new StreamMessage(kind, message));
    }
  }

  /** The far end has rejected a flow of the stream: it does not want the rest (§5.3.5.3). */
  onRefused(): void {
    this.#flows.close();
    this.#endPlay();
  }

  /** The stream is deleted, or its connection gone. */
  end(): void {
    this.#endPublish();
    this.#endPlay();
    this.#flows.close();
  }

  #publish(name: AmfValue): void {
    this.#stop();
    this.#renewFlows();
    if (this.#host.introduceOnly) {
      this.#status("NetStream.Publish.Denied", "This server only introduces peers.");
      return;
    }
    if (typeof name !== "string" || name === "" || name.length > MAX_NAME) {
      this.#status("NetStream.Publish.BadName", "A stream needs a name.");
      return;
    }
    // The publisher hears of its success before anybody hears of the stream.
    if (this.#host.streams.streams.get(name)?.publisher !== undefined) {
      this.#status("NetStream.Publish.BadName", `${name} is already published.`, { details: name });
      this.#host.log("publish", { stream: name, outcome: "taken" });
      return;
    }
    this.#status("NetStream.Publish.Start", `${name} is now published.`, { details: name });
    this.#published = this.#host.streams.publish(name, this);
    this.#host.log("publish", { stream: name, outcome: "started" });
  }

  #play([name, start, , reset]: readonly AmfValue[]): void {
    this.#endPublish();
    this.#endPlay();
    this.#renewFlows();
    if (this.#host.introduceOnly) {
      this.#status("NetStream.Play.Failed", "This server only introduces peers.");
      return;
    }
    if (typeof name !== "string" || name === "" || name.length > MAX_NAME) {
      this.#status("NetStream.Play.Failed", "A stream needs a name.");
      return;
    }
    // From 0 on, `start` asks for a recording (Adobe's NetStream.play).
    if (typeof start === "number" && start >= 0) {
      this.#status("NetStream.Play.StreamNotFound", `There is no recording of ${name}.`, { details: name });
      return;
    }
    const { objectEncoding, clientId } = this.#host;
    const subscription = new Subscription({
      name,
      streamId: this.id,
      flows: this.#flows,
      objectEncoding,
      clientId,
      onDropped: () => this.#host.onDropped(),
    });
    subscription.start(reset !== false && reset !== 0);
    this.#played = { stream: this.#host.streams.subscribe(name, subscription), subscription };
    this.#host.log("play", { stream: name });
  }

  #onData(stream: LiveStream, message: RtmpMessage): void {
    const data = decodeData(message);
    if (data.name === "@setDataFrame" && typeof data.args[0] === "string") {
      stream.setDataFrame(data.args[0], new StreamMessage("data", withoutFirstValue(message, data)));
    } else if (data.name === "@clearDataFrame") stream.clearDataFrame(data.args[0]);
    else stream.relay(new StreamMessage("data", message));
  }

  #stop(): void {
    if (this.#published !== undefined) {
      const { name } = this.#published;
      this.#endPublish();
      this.#status("NetStream.Unpublish.Success", `${name} is now unpublished.`, { details: name });
    }
    this.#played?.subscription.stop();
    this.#endPlay();
  }

  #endPublish(): void {
    const stream = this.#published;
    this.#published = undefined;
    if (stream === undefined) return;
    this.#host.streams.unpublish(stream, this);
    this.#host.log("unpublish", { stream: stream.name });
  }

  #endPlay(): void {
    const played = this.#played;
    this.#played = undefined;
    if (played === undefined) return;
    this.#host.streams.unsubscribe(played.stream, played.subscription);
    this.#host.log("stop", { stream: played.stream.name });
  }

  /** Once the far end has refused the stream's flows, only its asking anew makes it wanted again. */
  #renewFlows(): void {
    if (this.#flows.isWanted) return;
    this.#host.tree.clearRefused(this.id);
    this.#flows = new StreamFlows(this.#host.tree, this.id);
  }

  #status(code: StatusCode, description: string, more: AmfObject = {}): void {
    const { clientId, objectEncoding } = this.#host;
    const info = statusInfo(code, description, { clientid: clientId, ...more });
    this.#flows.write(
      "main",
      encodeCommand({ name: "onStatus", transactionId: 0, commandObject: null, args: [info] }, { objectEncoding }),
    );
  }
}

/** Longest name of a stream, in UTF-16 units. */
const MAX_NAME = 1_024;
