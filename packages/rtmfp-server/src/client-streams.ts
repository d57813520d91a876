/** The streams that one client has created, by ID. */
import { MAX_STREAM_ID } from "rtmfp-core/tc";
import type { UnpublishReason } from "./live-stream.ts";
import { ServerStream, type StreamHost } from "./server-stream.ts";

/** See the file's head. */
export class ClientStreams {
  readonly #host: StreamHost;
  /** Made with the first stream: most clients of a rendezvous have none. */
  #streams: Map<number, ServerStream> | undefined;
  #nextId = 1;

  constructor(host: StreamHost) {
    this.#host = host;
  }

  get size(): number {
    return this.#streams?.size ?? 0;
  }

  /** Streams by which the client publishes. */
  get published(): number {
    let count = 0;
    for (const stream of this.#streams?.values() ?? []) if (stream.isPublished) count++;
    return count;
  }

  /** The client publishes or plays. */
  get isInUse(): boolean {
    for (const stream of this.#streams?.values() ?? []) if (stream.isInUse) return true;
    return false;
  }

  of(id: number): ServerStream | undefined {
    return this.#streams?.get(id);
  }

  /** A new stream's ID; each is used once, until all 24 bits have been used. */
  create(): number {
    const id = this.#freeId();
    this.#streams ??= new Map();
    this.#streams.set(id, new ServerStream(this.#host, id));
    return id;
  }

  /** The far end has rejected a flow of a stream, which may be gone already. */
  onRefused(id: number): void {
    const stream = this.#streams?.get(id);
    if (stream === undefined) this.#host.tree.clearRefused(id);
    else stream.onRefused();
  }

  delete(id: number): void {
    const stream = this.#streams?.get(id);
    if (stream === undefined) return;
    stream.end();
    this.#streams?.delete(id);
    this.#host.tree.rejectStream(id);
    // Nobody will ask again whether it is refused.
    this.#host.tree.clearRefused(id);
  }

  /** The connection is gone; `reason`, if not as the client wanted. */
  end(reason?: UnpublishReason): void {
    for (const stream of this.#streams?.values() ?? []) stream.end(reason);
    this.#streams = undefined;
  }

  #freeId(): number {
    for (;;) {
      const id = this.#nextId;
      this.#nextId = (id % MAX_STREAM_ID) + 1;
      if (this.#streams?.has(id) !== true) return id;
    }
  }
}
