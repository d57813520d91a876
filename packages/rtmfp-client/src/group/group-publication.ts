/** Publishes a stream to a group. */

import type { FlvTag } from "rtmfp-core/flv";
import type { MulticastPublication } from "rtmfp-core/group";
import { type AmfValue, decodeMessage, encodeData, MessageType, type RtmpMessage } from "rtmfp-core/tc";
import { sleep } from "../clock.ts";
import type { ConnectionCore } from "../connection-core.ts";
import type { TagReceipt } from "../feed.ts";
import { NOT_TAKEN, type Publication } from "../publication.ts";
import { makeStatus, statusError } from "../status-error.ts";
import type { JoinedGroup } from "./joined-group.ts";
import type { MulticastControls } from "./multicast-settings.ts";
import { checkedName } from "./stream-group.ts";

/** One published stream: the group repeats codec configuration and metadata for those who join late. */
export class GroupPublication implements Publication {
  readonly #core: ConnectionCore;
  readonly #group: JoinedGroup;
  readonly #controls: MulticastControls;
  readonly #stream: MulticastPublication;
  #timestamp = 0;

  /** Throws NetStream.Publish.BadName for a name that this connection publishes to the group already. */
  constructor(core: ConnectionCore, group: JoinedGroup, name: string, controls: MulticastControls) {
    if (group.publishing.has(name)) {
      const description = `"${name}" is already being published to the group by this connection`;
      throw statusError(makeStatus("NetStream.Publish.BadName", description));
    }
    this.#core = core;
    this.#group = group;
    this.#controls = controls;
    this.#stream = checkedName(() => group.multicast.publish(name, controls.own));
    controls.live = this.#stream;
    group.publishing.add(name);
  }

  /** Resolves when no neighbour has much to take, or after {@link PATIENCE_MS}: those who are slow get the rest from others. */
  get ready(): Promise<unknown> {
    return this.#hasRoom ? Promise.resolve() : this.#waitForRoom();
  }

  /** "delivered" means given to the neighbours; nobody knows what reaches whom in the end. */
  write(tag: FlvTag): TagReceipt {
    this.#timestamp = tag.timestamp;
    this.#stream.write(MESSAGE_TYPES[tag.type], tag.timestamp, tag.data);
    return this.#group.engine.neighborCount > 0 ? GIVEN : NOT_TAKEN;
  }

  send(handler: string, args: readonly AmfValue[]): void {
    const { type, payload } = decodeMessage(encodeData({ name: handler, args })) as RtmpMessage;
    this.#stream.write(type, this.#timestamp, payload);
  }

  /** Resolves when the neighbours have what they asked for, or the window is over. */
  async close(): Promise<void> {
    this.#group.publishing.delete(this.#stream.name);
    if (this.#controls.live === this.#stream) this.#controls.live = undefined;
    const closed = new Promise<void>((resolve) => {
      this.#stream.onClosed = resolve;
    });
    this.#stream.close();
    if (this.#group.engine.neighborCount > 0) await closed;
  }

  get #hasRoom(): boolean {
    return this.#stream.waitingBytes <= ROOM_BYTES;
  }

  async #waitForRoom(): Promise<void> {
    for (let waited = 0; waited < PATIENCE_MS && !this.#hasRoom; waited += LOOK_MS)
      await sleep(this.#core.clock, LOOK_MS);
  }
}

const GIVEN: TagReceipt = { done: Promise.resolve("delivered") };
const MESSAGE_TYPES = { audio: MessageType.audio, video: MessageType.video, data: MessageType.dataAmf0 } as const;
/** As of a stream to a server. */
const ROOM_BYTES = 262_144;
/** How long one slow neighbour holds the source up; ms. */
const PATIENCE_MS = 1_000;
const LOOK_MS = 20;
