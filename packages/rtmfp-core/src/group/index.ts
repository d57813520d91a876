/**
 * Groups of peers, sans-IO: which group a groupspec is, and how members find each other by a server. No RFC has this; it is
 * what live peers were seen to say. Imported as `rtmfp-core/group`.
 * @module
 */

/** Identities and places in the ring. */
export { canonicalPart, groupAddressOf, groupIdOf, type Sha256 } from "./group-id.ts";
/** Groupspecs. */
export {
  buildGroupspec,
  type Groupspec,
  groupspecHints,
  MAX_GROUPSPEC_VERSION,
  type MulticastAddress,
  parseGroupspec,
  passwordCheck,
} from "./groupspec.ts";
export { GroupspecError } from "./groupspec-text.ts";
/** The server channel. */
export {
  type ClearJoin,
  decodeJoin,
  decodeMember,
  encodeJoin,
  encodeMember,
  type GroupJoin,
  type HashedJoin,
  isMembership,
  MEMBERSHIP_METADATA,
} from "./membership.ts";
