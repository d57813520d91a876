/** The group of a channel (B-2). */
import { buildGroupspec } from "rtmfp-core/group";

/** The name of the one stream in the group of a channel (B-3). */
export const CHANNEL_STREAM = "stream";
/** The group's name unless told otherwise; `{channel}` stands for the channel's. */
export const DEFAULT_GROUP_NAME = "bittube.vanderbilt.edu/{channel}";

/**
 * The groupspec of a channel: version 1, with posting, directed routing, multicast, object replication and the server channel,
 * without passwords. `{channel}` in `groupName` stands for the channel's name. Throws RangeError for an empty name, and for a
 * group's name of more than 1,000 bytes in UTF-8.
 */
export function channelGroupspec(channel: string, groupName: string = DEFAULT_GROUP_NAME): string {
  if (channel === "") throw new RangeError("a channel needs a name");
  const name = groupName.replaceAll("{channel}", () => channel);
  const bytes = Buffer.byteLength(name);
  if (bytes > MAX_NAME_BYTES)
    throw new RangeError(`the name of the channel's group has ${bytes} bytes; at most ${MAX_NAME_BYTES} are possible`);
  return buildGroupspec({
    name,
    postingEnabled: true,
    routingEnabled: true,
    multicastEnabled: true,
    objectReplicationEnabled: true,
    serverChannelEnabled: true,
  });
}

/** Far below what servers take of a request to join. */
const MAX_NAME_BYTES = 1_000;
