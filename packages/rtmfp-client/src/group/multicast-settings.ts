/** How a stream is spread in its group, with Adobe's names (ActionScript's flash.net), in seconds. */
import { RtmfpError } from "rtmfp-core";
import {
  DEFAULT_MULTICAST_SETTINGS,
  type MulticastInfo,
  type MulticastSettings,
  NO_MULTICAST_INFO,
} from "rtmfp-core/group";
import { StreamSettings } from "../stream-settings.ts";

/** A publication or subscription that is under way. */
export interface LiveMulticast {
  /** What holds now; ms. */
  readonly settings: Readonly<MulticastSettings>;
  /** What it has cost. */
  readonly info: MulticastInfo;
  /** Changes some of the settings. */
  set(changes: Partial<MulticastSettings>): void;
}

/** What a NetStream has set, before or while it is published or played. */
export class MulticastControls {
  /** What was set here; the rest is the publisher's, or the default. */
  own: Partial<MulticastSettings> = {};
  /** The publication or subscription, while there is one. */
  live: LiveMulticast | undefined;

  get<Name extends keyof MulticastSettings>(name: Name): MulticastSettings[Name] {
    return { ...DEFAULT_MULTICAST_SETTINGS, ...this.own, ...this.live?.settings }[name];
  }

  /** Throws BAD_ARGUMENT for a value that is none; `shown` is the name that the caller knows. */
  set<Name extends keyof MulticastSettings>(name: Name, value: MulticastSettings[Name], shown: string): void {
    const isKind = typeof value === typeof DEFAULT_MULTICAST_SETTINGS[name];
    if (!isKind || (typeof value === "number" && !(value >= 0 && Number.isFinite(value))))
      throw new RtmfpError("BAD_ARGUMENT", `${shown}: expected ${expected(name)}, got ${String(value)}`);
    this.own = { ...this.own, [name]: value };
    this.live?.set({ [name]: value });
  }
}

/**
 * The settings that matter in a group. Those of the publisher hold for everybody but who sets others for itself, which lasts
 * until NetStream.MulticastStream.Reset; `multicastPushNeighborLimit` and `multicastRelayMarginDuration` are each member's own.
 * Setting one throws BAD_ARGUMENT for what is no number of 0 or more, or no boolean.
 */
export class MulticastStreamSettings<
  Events extends Record<keyof Events, readonly unknown[]>,
> extends StreamSettings<Events> {
  readonly #controls: MulticastControls;

  /** `controls` is what the settings are kept in. */
  constructor(controls: MulticastControls) {
    super();
    this.#controls = controls;
  }

  /** What the stream has cost in its group since it was published or played; for other streams all figures are 0. */
  get multicastInfo(): MulticastInfo {
    return this.#controls.live?.info ?? NO_MULTICAST_INFO;
  }

  /** A new fragment is pushed to this many neighbours, and one more. Default 4. */
  set multicastPushNeighborLimit(count: number) {
    this.#controls.set("pushLimit", count, "multicastPushNeighborLimit");
  }

  get multicastPushNeighborLimit(): number {
    return this.#controls.get("pushLimit");
  }

  /** How long what is missing is waited for; seconds, default 8, at most 120. */
  set multicastWindowDuration(seconds: number) {
    this.#controls.set("windowMs", seconds * 1000, "multicastWindowDuration");
  }

  get multicastWindowDuration(): number {
    return this.#controls.get("windowMs") / 1000;
  }

  /** How much longer fragments are kept for others; seconds, default 2, at most 120. */
  set multicastRelayMarginDuration(seconds: number) {
    this.#controls.set("relayMarginMs", seconds * 1000, "multicastRelayMarginDuration");
  }

  get multicastRelayMarginDuration(): number {
    return this.#controls.get("relayMarginMs") / 1000;
  }

  /** How often neighbours are told what is here; seconds, default 0.1, from 0.02 to 60. */
  set multicastAvailabilityUpdatePeriod(seconds: number) {
    this.#controls.set("updateMs", seconds * 1000, "multicastAvailabilityUpdatePeriod");
  }

  get multicastAvailabilityUpdatePeriod(): number {
    return this.#controls.get("updateMs") / 1000;
  }

  /** How long a fragment that is known of is waited for before it is asked for; seconds, default 2.5, at most 120. */
  set multicastFetchPeriod(seconds: number) {
    this.#controls.set("fetchMs", seconds * 1000, "multicastFetchPeriod");
  }

  get multicastFetchPeriod(): number {
    return this.#controls.get("fetchMs") / 1000;
  }

  /** All neighbours are told what is here each time; default false: one after another. */
  set multicastAvailabilitySendToAll(toAll: boolean) {
    this.#controls.set("sendToAll", toAll, "multicastAvailabilitySendToAll");
  }

  get multicastAvailabilitySendToAll(): boolean {
    return this.#controls.get("sendToAll");
  }
}

function expected(name: keyof MulticastSettings): string {
  if (name === "sendToAll") return "true or false";
  return name === "pushLimit" ? "a number of 0 or more" : "seconds of 0 or more";
}
