/** Publishes a stream on the server. */
import { type FlvTag, tagInfo } from "rtmfp-core/flv";
import { Amf0Writer, type AmfValue, encodeData, type RtmpMessage, type StatusEvent } from "rtmfp-core/tc";
import type { ConnectionCore, StreamInput } from "./connection-core.ts";
import type { TagReceipt } from "./feed.ts";
import { MediaFlows } from "./media-flows.ts";
import { NOT_TAKEN, type Publication, type PublicationHost } from "./publication.ts";
import { ServerStream, statusIn } from "./server-stream.ts";
import { makeStatus, statusError } from "./status-error.ts";
import type { Reliability } from "./stream-settings.ts";

export class ServerPublication implements Publication {
  readonly #stream: ServerStream;
  readonly #media: MediaFlows;

  private constructor(stream: ServerStream, reliability: Readonly<Reliability>) {
    this.#stream = stream;
    this.#media = new MediaFlows(stream.core.tree, stream.id, reliability);
  }

  /** Resolves with the event of NetStream.Publish.Start; rejects with the one that says why not. */
  static async open(
    core: ConnectionCore,
    name: string,
    type: string,
    reliability: Readonly<Reliability>,
    host: PublicationHost,
    signal: AbortSignal,
  ): Promise<{ publication: ServerPublication; event: StatusEvent }> {
    let settle: ((event: StatusEvent) => void) | undefined;
    let started = false;
    const answer = new Promise<StatusEvent>((resolve) => {
      settle = resolve;
    });
    const onEnd = (description: string): void => {
      settle?.(makeStatus("NetStream.Failed", description));
      if (started) host.ended();
    };
    const input: StreamInput = {
      message: (message: RtmpMessage) => {
        const event = statusIn(message);
        if (event === undefined) return;
        if (event.code === "NetStream.Publish.Start" || event.level === "error") settle?.(event);
        host.status(event);
      },
      refused: () => onEnd("the server refused the stream"),
      closed: () => onEnd("the server connection ended"),
    };
    const stream = await ServerStream.create(core, input, signal);
    const onAbort = (): void => settle?.(makeStatus("NetStream.Failed", "the stream was closed"));
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
    const cancel = core.clock.after(core.host.timeoutMs, () =>
      settle?.(
        makeStatus("NetStream.Failed", `the server did not answer "publish" within ${core.host.timeoutMs / 1000} s`),
      ),
    );
    stream.command("publish", [name, type]);
    const event = await answer;
    cancel();
    signal.removeEventListener("abort", onAbort);
    settle = undefined;
    if (event.code !== "NetStream.Publish.Start") {
      stream.end([]);
      throw statusError(event);
    }
    started = true;
    return { publication: new ServerPublication(stream, reliability), event };
  }

  get ready(): Promise<unknown> {
    return this.#media.ready;
  }

  write(tag: FlvTag): TagReceipt {
    return this.#media.write(toServer(tag)) ?? NOT_TAKEN;
  }

  send(handler: string, args: readonly AmfValue[]): void {
    this.#media.writeData(encodeData({ name: handler, args }, this.#stream.core));
  }

  async close(): Promise<void> {
    this.#stream.end(this.#media.flows);
    await this.#media.close();
  }
}

/** A server keeps as metadata what comes by @setDataFrame. */
function toServer(tag: FlvTag): FlvTag {
  const info = tag.type === "data" ? tagInfo(tag) : undefined;
  if (info?.kind !== "data" || !info.metadata || info.name === SET_DATA_FRAME) return tag;
  const writer = new Amf0Writer();
  writer.write(SET_DATA_FRAME);
  const prefix = writer.finish();
  const data = new Uint8Array(prefix.length + tag.data.length);
  data.set(prefix);
  data.set(tag.data, prefix.length);
  return { ...tag, data };
}

const SET_DATA_FRAME = "@setDataFrame";
