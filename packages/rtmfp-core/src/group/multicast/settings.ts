/** How a stream is spread and played. The names and defaults are Flash's, in ms. */
import { MEDIA_DEFAULTS, type MediaInfo } from "../wire/media-info.ts";

/** Settings of a publication or a subscription. Those of the publisher hold for everybody; a subscriber may set its own. */
export interface MulticastSettings {
  /** How long fragments are waited for, ms; default 8000. */
  windowMs: number;
  /** How much longer than {@link windowMs} fragments are kept for others, ms; default 2000. Never told to others. */
  relayMarginMs: number;
  /** How often one neighbour is told what is there, ms; default 100. */
  updateMs: number;
  /** How long a fragment known to exist is waited for before it is asked for, ms; default 2500. */
  fetchMs: number;
  /** All neighbours are told what is there each time; default false: one after another. */
  sendToAll: boolean;
  /**
   * A fragment is pushed to this many neighbours and one more; 0 pushes to nobody. Default 4. Never told to others.
   */
  pushLimit: number;
}

/** What holds where nobody says otherwise. */
export const DEFAULT_MULTICAST_SETTINGS: Readonly<MulticastSettings> = {
  windowMs: MEDIA_DEFAULTS.windowMs,
  relayMarginMs: 2_000,
  updateMs: MEDIA_DEFAULTS.updateMs,
  fetchMs: MEDIA_DEFAULTS.fetchMs,
  sendToAll: MEDIA_DEFAULTS.sendToAll,
  pushLimit: 4,
};

/** `settings` with `changes`. Throws RangeError for a duration or number that is negative or not finite. */
export function changeSettings(
  settings: Readonly<MulticastSettings>,
  changes: Partial<MulticastSettings>,
): MulticastSettings {
  const changed = { ...settings };
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined) continue;
    if (typeof value === "number" && !(value >= 0 && Number.isFinite(value)))
      throw new RangeError(`expected ${name} to be a number from 0 up, got ${value}`);
    Object.assign(changed, { [name]: value });
  }
  return bounded(changed);
}

/** What a publisher's announcement says, within bounds, and `own` for what announcements do not say. */
export function announcedSettings(info: MediaInfo, own: Readonly<MulticastSettings>): MulticastSettings {
  const { windowMs, updateMs, fetchMs, sendToAll } = info;
  return bounded({
    ...own,
    sendToAll,
    windowMs: Math.max(windowMs, MIN_ANNOUNCED_WINDOW_MS),
    updateMs: Math.min(updateMs, MAX_ANNOUNCED_UPDATE_MS),
    fetchMs: Math.min(Math.max(fetchMs, MIN_ANNOUNCED_FETCH_MS), Math.max(windowMs, MIN_ANNOUNCED_WINDOW_MS) / 2),
  });
}

function bounded(settings: MulticastSettings): MulticastSettings {
  const { windowMs, relayMarginMs, updateMs, fetchMs, pushLimit } = settings;
  return {
    ...settings,
    windowMs: Math.min(windowMs, MAX_WINDOW_MS),
    relayMarginMs: Math.min(relayMarginMs, MAX_WINDOW_MS),
    updateMs: Math.min(Math.max(updateMs, MIN_UPDATE_MS), MAX_UPDATE_MS),
    fetchMs: Math.min(fetchMs, MAX_WINDOW_MS),
    pushLimit: Math.min(Math.floor(pushLimit), MAX_PUSH_LIMIT),
  };
}

/** What a publisher, or anybody who claims to be one, can make others keep and do. */
const MIN_ANNOUNCED_WINDOW_MS = 1_000;
const MAX_ANNOUNCED_UPDATE_MS = 250;
const MIN_ANNOUNCED_FETCH_MS = 250;
const MAX_WINDOW_MS = 120_000;
const MIN_UPDATE_MS = 20;
const MAX_UPDATE_MS = 60_000;
const MAX_PUSH_LIMIT = 64;
