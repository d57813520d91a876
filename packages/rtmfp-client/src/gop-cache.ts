/** What a viewer who joins late needs first. */
import { type FlvTag, isKeyFrame, isMetadata, isSequenceHeader } from "rtmfp-core/flv";

/** Keeps metadata, codec configuration and the current group of pictures of a stream. */
export class GopCache {
  #metadata: FlvTag | undefined;
  readonly #headers = new Map<FlvTag["type"], FlvTag>();
  #gop: FlvTag[] = [];
  #gopBytes = 0;
  #hasGop = false;
  #sawVideo = false;

  add(tag: FlvTag): void {
    if (isMetadata(tag)) this.#metadata = tag;
    else if (isSequenceHeader(tag)) {
      this.#headers.set(tag.type, tag);
      // Frames before it cannot be decoded with it.
      if (tag.type === "video") this.#dropGop();
    } else this.#addFrame(tag);
  }

  /** Tags to send first; the frames among them begin with a key frame. */
  get opening(): readonly FlvTag[] {
    const metadata = this.#metadata === undefined ? [] : [this.#metadata];
    const headers = [this.#headers.get("video"), this.#headers.get("audio")].filter((tag) => tag !== undefined);
    return [...metadata, ...headers, ...(this.#hasGop ? this.#gop : [])];
  }

  /** True if pictures flow and {@link opening} has none: the viewer's pictures begin with the next key frame. */
  get awaitsKeyFrame(): boolean {
    return this.#sawVideo && !this.#hasGop;
  }

  #addFrame(tag: FlvTag): void {
    if (tag.type === "video") this.#sawVideo = true;
    if (isKeyFrame(tag)) {
      this.#dropGop();
      this.#hasGop = true;
    }
    if (!this.#hasGop) return;
    this.#gop.push(tag);
    this.#gopBytes += tag.data.length;
    if (this.#gopBytes > MAX_GOP_BYTES) this.#dropGop();
  }

  #dropGop(): void {
    this.#gop = [];
    this.#gopBytes = 0;
    this.#hasGop = false;
  }
}

/** A longer group is not kept; it must fit the send buffer of a viewer's flow. */
const MAX_GOP_BYTES = 768 * 1024;
