/** What a NetStream is made and published with, its events, and the checks of what callers give. */
import { type Address, parseAddressText, RtmfpError } from "rtmfp-core";
import type { PeerStream } from "./direct-publication.ts";
import type { StatusEvent } from "./net-connection.ts";

/** Events of a NetStream. */
export interface NetStreamEvents {
  /** Adobe's netStatus. */
  status: [event: StatusEvent];
  /** A message was for a handler that the client object does not have, or that threw. */
  asyncError: [error: unknown];
  /** A peer subscribed, or left; only for streams published to peers directly. */
  peerJoined: [peer: PeerStream];
  /** A subscriber of a direct publication left. */
  peerLeft: [peer: PeerStream];
}

/** Settings that ActionScript does not have. */
export interface NetStreamOptions {
  /** Closes the stream, or ends an attempt to publish or play. Default: none. */
  readonly signal?: AbortSignal;
  /**
   * Audio, video and data come in flows of their own and are put back into the order of their timestamps; a tag waits at
   * most this long for earlier ones of another kind, and not for a kind that is switched off. ms, default 2000.
   */
  readonly reorderMs?: number;
  /**
   * Where the peer to play from is, `host:port` or `[host]:port` each, such as its `nearAddresses`: no server is asked.
   * Default: the server introduces us.
   */
  readonly addresses?: readonly string[];
}

/** Whether a stream is only relayed, or recorded too. */
export type PublishType = "live" | "record" | "append" | "appendWithGap";

/** The address in `text`. Throws BAD_ARGUMENT. */
export function parseAddress(text: string): Address {
  const address = typeof text === "string" ? parseAddressText(text) : undefined;
  if (address !== undefined) return address;
  throw new RtmfpError("BAD_ARGUMENT", `expected an address as in 192.0.2.1:1935 or [2001:db8::1]:1935, got "${text}"`);
}

/** Throws BAD_ARGUMENT for what is no name. */
export function checkName(method: string, name: unknown): void {
  if (typeof name !== "string") throw new RtmfpError("BAD_ARGUMENT", `${method}: expected a name, got ${String(name)}`);
}

/** Throws BAD_ARGUMENT for a type that Adobe does not have, and for those of a server when peers are published to. */
export function checkPublishType(type: unknown, isDirect: boolean): void {
  if (!PUBLISH_TYPES.includes(type as string))
    throw new RtmfpError("BAD_ARGUMENT", `publish: expected ${PUBLISH_TYPES.join(", ")}, got "${String(type)}"`);
  if (isDirect && type !== "live")
    throw new RtmfpError("BAD_ARGUMENT", `publish: peers do not record, so that the type can only be "live"`);
}

/** What is said of a stream that is published or played already. */
export function inUse(): RtmfpError {
  return new RtmfpError("BAD_ARGUMENT", "this stream is in use: close it first, or make another");
}

const PUBLISH_TYPES: readonly string[] = ["live", "record", "append", "appendWithGap"];
/** As long as a flow is likely to be held up by a loss, and not so long that live is late. */
export const DEFAULT_REORDER_MS = 2_000;
