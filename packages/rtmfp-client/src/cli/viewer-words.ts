/** What viewers are told to type: words that a shell takes as they are meant, and no passwords. */
import { canonicalPart, groupspecHints, parseGroupspec } from "rtmfp-core/group";

/** The groupspec without what lets others publish and post; where members are stays. */
export function viewersGroupspec(groupspec: string): string {
  const spec = parseGroupspec(groupspec);
  if (spec.publishAuthorization === undefined && spec.postingAuthorization === undefined) return groupspec;
  const ipMulticastAddresses = spec.ipMulticastAddresses.filter(({ port }) => port > 0);
  return `${canonicalPart(groupspec)}${END_MARKER}${groupspecHints({ bootstrapPeers: spec.bootstrapPeers, ipMulticastAddresses })}`;
}

/** One word of a command, in quotes where it needs them. */
export function shellWord(text: string): string {
  return /^[\w.,:/@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

const END_MARKER = "00";
