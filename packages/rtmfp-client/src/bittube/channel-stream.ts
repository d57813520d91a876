/** The stream of a channel in its group, as long as anybody wants it: it outlives connections. */
import type { FlvTag } from "rtmfp-core/flv";
import type { MulticastInfo } from "rtmfp-core/group";
import type { NetConnection } from "../net-connection.ts";
import { NetStream } from "../net-stream.ts";
import { CHANNEL_STREAM } from "./channel-group.ts";

/** Publishes a channel, again each time the connection has come back. */
export class ChannelSender {
  readonly #stream: NetStream;
  readonly #onStatus: (event: { readonly code: string }) => void;
  readonly #connection: NetConnection;
  #isClosed = false;

  /** The connection is connected. `onTrouble` takes why the channel could not be published again, in one line. */
  constructor(connection: NetConnection, groupspec: string, onTrouble: (line: string) => void) {
    this.#connection = connection;
    this.#stream = new NetStream(connection, groupspec);
    this.#onStatus = ({ code }) => {
      if (code !== "NetConnection.Connect.Success" || this.#isClosed) return;
      this.#stream.publish(CHANNEL_STREAM).catch((error: Error) => onTrouble(error.message));
    };
    connection.on("status", this.#onStatus);
  }

  /** Publishes for the first time. Rejects with the reason, in one line. */
  async open(): Promise<void> {
    await this.#stream.publish(CHANNEL_STREAM);
  }

  /** Resolves when there is room for another tag. */
  get ready(): Promise<unknown> {
    return this.#stream.ready;
  }

  /** What it costs in its group. */
  get multicastInfo(): MulticastInfo {
    return this.#stream.multicastInfo;
  }

  /** Sends a tag; without a connection nobody gets it. */
  write(tag: FlvTag): void {
    this.#stream.writeTag(tag);
  }

  /** Ends the stream; resolves when the neighbours have what they asked for. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#connection.off("status", this.#onStatus);
    await this.#stream.close();
  }
}
