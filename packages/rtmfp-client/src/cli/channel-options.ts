/** What the commands for channels have in common. */
import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
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

/**
 * Throws UsageError for a file whose folder is not there: recordings begin with their channel, and an event is lost if that is
 * when one learns of it.
 */
export function checkFolder(path: string): void {
  if (!existsSync(dirname(resolve(path))))
    throw new UsageError(`cannot write "${path}": its folder does not exist; make it, or check the path`);
}

/** Where the name of a channel goes. */
export const PLACE = "{channel}";
