import type { FlvTag } from "./flv-tag.ts";
import { isKeyFrame, isSequenceHeader } from "./tag-info.ts";

/**
 * Lets no picture through whose group of pictures has lost an earlier one: from a gap to the next key frame a decoder
 * would show what it cannot know. Sound, data and codec configuration always pass.
 */
export class GopGuard {
  #broken = false;
  /** Where pictures come from: what is missing there may have been one. */
  readonly #sources = new WeakSet<object>();

  /** Whether the tag may be shown; `missing` counts what its `source`, such as a flow, has lost in front of it. */
  passes(tag: FlvTag, source: object, missing: number): boolean {
    if (tag.type === "video") this.#sources.add(source);
    if (missing > 0 && this.#sources.has(source)) this.#broken = true;
    if (!this.#broken || tag.type !== "video" || isSequenceHeader(tag)) return true;
    if (!isKeyFrame(tag)) return false;
    this.#broken = false;
    return true;
  }
}
