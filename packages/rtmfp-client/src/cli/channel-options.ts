/** What the commands for channels have in common. */
import { channelGroupspec } from "../bittube/channel-group.ts";
import type { CommonOptions } from "./options.ts";
import { UsageError } from "./usage-error.ts";

export interface ChannelOptions extends CommonOptions {
  /** `{channel}` stands for the channel's name. */
  readonly groupName?: string;
  /** A groupspec. */
  readonly group?: string;
  /** A file; `{channel}` stands for the channel's name, `{time}` for the moment. */
  readonly record?: string;
}

/** The group of a channel. Throws UsageError for a name that none can have. */
export function groupspecOf(channel: string, { group, groupName }: ChannelOptions): string {
  try {
    return group ?? channelGroupspec(channel, groupName);
  } catch (error) {
    throw error instanceof RangeError ? new UsageError(error.message) : error;
  }
}

/** The file to record a channel into; one of its own for every channel. */
export function recordPath(channel: string, { record }: ChannelOptions): string | undefined {
  // A name may have slashes, which would be folders here.
  const name = channel.replaceAll(/[%\\/]/g, encodeURIComponent);
  const time = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, "");
  return record?.replaceAll(/\{channel\}|\{time\}/g, (place) => (place === PLACE ? name : time));
}

/** Where the name of a channel goes. */
export const PLACE = "{channel}";
