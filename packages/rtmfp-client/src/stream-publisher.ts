/** The publishing side of a NetStream: one stream at a time. */
import type { FlvTag } from "rtmfp-core/flv";
import type { AmfValue, StatusEvent } from "rtmfp-core/tc";
import type { ConnectionCore } from "./connection-core.ts";
import { type DirectHost, DirectPublication, type PeerStream } from "./direct-publication.ts";
import type { TagReceipt } from "./feed.ts";
import { GroupPublication } from "./group/group-publication.ts";
import type { JoinedGroup } from "./group/joined-group.ts";
import type { MulticastControls } from "./group/multicast-settings.ts";
import { NOT_TAKEN, type Publication, type PublicationHost } from "./publication.ts";
import { ServerPublication } from "./server-publication.ts";
import { makeStatus, statusError } from "./status-error.ts";
import type { PublishType } from "./stream-options.ts";
import type { StreamTags } from "./stream-tags.ts";

/** What a publisher asks of and tells its NetStream. */
export interface PublisherHost extends DirectHost, PublicationHost {
  begun(): void;
}

export class StreamPublisher {
  readonly #tags: StreamTags;
  readonly #host: PublisherHost;
  #publication: Publication | undefined;

  /** `tags` counts what is written. */
  constructor(tags: StreamTags, host: PublisherHost) {
    this.#tags = tags;
    this.#host = host;
  }

  get isPublishing(): boolean {
    return this.#publication !== undefined;
  }

  /** The direct subscribers. */
  get peers(): readonly PeerStream[] {
    return this.#publication instanceof DirectPublication ? [...this.#publication.peers] : [];
  }

  /** Resolves when there is room for another tag. */
  get ready(): Promise<unknown> {
    return this.#publication?.ready ?? Promise.resolve();
  }

  /** All three resolve or return with the event of the start, or throw with the one that says why not. */
  async onServer(core: ConnectionCore, name: string, type: PublishType, signal: AbortSignal): Promise<StatusEvent> {
    const { reliability } = this.#host;
    const { publication, event } = await ServerPublication.open(core, name, type, reliability, this.#host, signal);
    this.#publication = publication;
    this.#host.begun();
    return event;
  }

  inGroup(core: ConnectionCore, group: JoinedGroup, name: string, controls: MulticastControls): StatusEvent {
    this.#publication = new GroupPublication(core, group, name, controls);
    return this.#begun(name);
  }

  direct(core: ConnectionCore, name: string): StatusEvent {
    const publication = new DirectPublication(core, name, this.#host);
    this.#publication = publication;
    if (!core.peers.publish(name, publication)) {
      this.#publication = undefined;
      const description = `"${name}" is already being published by this connection`;
      throw statusError(makeStatus("NetStream.Publish.BadName", description));
    }
    return this.#begun(name);
  }

  write(tag: FlvTag): TagReceipt {
    const publication = this.#publication;
    if (publication === undefined) return NOT_TAKEN;
    this.#tags.add(tag);
    const receipt = publication.write(tag);
    if (receipt !== NOT_TAKEN)
      void receipt.done.then((outcome) => this.#tags.settled(tag.type, outcome === "delivered"));
    return receipt;
  }

  send(handler: string, args: readonly AmfValue[]): void {
    this.#publication?.send(handler, args);
  }

  /** Resolves when everything written has been delivered or abandoned. */
  async stop(): Promise<void> {
    const publication = this.#publication;
    this.#publication = undefined;
    await publication?.close();
  }

  #begun(name: string): StatusEvent {
    this.#host.begun();
    const event = makeStatus("NetStream.Publish.Start", `${name} is now published.`, { details: name });
    this.#host.status(event);
    return event;
  }
}
