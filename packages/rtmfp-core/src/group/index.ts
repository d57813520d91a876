/**
 * Groups of peers, sans-IO: which group a groupspec is, and how members find each other by a server. No RFC has this; it is
 * what live peers were seen to say. Imported as `rtmfp-core/group`.
 * @module
 */

/** Members: who they are, who is whose neighbour, and what they do for each other. */
export { GroupDoor, type GroupDoorStats } from "./door.ts";
export { Group } from "./group.ts";
/** Identities and places in the ring. */
export { canonicalPart, groupAddressOf, groupIdOf, type Sha256 } from "./group-id.ts";
export type {
  GroupCrypto,
  GroupEvent,
  GroupHost,
  GroupOptions,
  LocalCoverageEvent,
  NeighbourConnectedEvent,
  NeighbourDisconnectedEvent,
  NeighbourEvent,
} from "./group-options.ts";
export type { GroupStats } from "./group-stats.ts";
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
/** Streams of a group. */
export { type MulticastInfo, NO_MULTICAST_INFO } from "./multicast/info.ts";
export { LivedClock } from "./multicast/lived-clock.ts";
export { Multicast, type MulticastHost, type MulticastOptions } from "./multicast/multicast.ts";
export { MulticastPublication } from "./multicast/publication.ts";
export type { MediaMessage } from "./multicast/reassembler.ts";
export { DEFAULT_MULTICAST_SETTINGS, type MulticastSettings } from "./multicast/settings.ts";
export type { MulticastStats } from "./multicast/stats.ts";
export { type MulticastSink, MulticastSubscription } from "./multicast/subscription.ts";
export type { GroupFlowContext, GroupService, Neighbour } from "./neighbour.ts";
export type {
  GroupClock,
  GroupFlowOptions,
  GroupRecvFlow,
  GroupSendFlow,
  GroupSession,
  GroupWriteOptions,
} from "./session.ts";
/** What members say to each other, byte by byte: docs/netgroup-wire.md. */
export {
  type AskCloseMessage,
  type BeginMessage,
  type ConnectMessage,
  type ControlMessage,
  decodeControl,
  encodeControl,
  MAX_CONTROL_BYTES,
  type PreludeMessage,
  type ReportMessage,
} from "./wire/control.ts";
export { GroupFlow, groupFlowKind, groupFlowMetadata } from "./wire/flows.ts";
export {
  decodeFragment,
  encodeFragment,
  type Fragment,
  fragmentIdOf,
  MAX_FRAGMENT_PAYLOAD,
} from "./wire/fragment.ts";
export { groupProof, type Hmac, isGroupProof } from "./wire/group-proof.ts";
export { MEDIA_DEFAULTS, type MediaInfo } from "./wire/media-info.ts";
export {
  decodeMulticast,
  type EndMessage,
  encodeMulticast,
  type InfoMessage,
  type MapMessage,
  type MulticastMessage,
  mapHas,
  type PullMessage,
  type PushMessage,
} from "./wire/multicast.ts";
export { MAX_REPORTED_ADDRESSES, MAX_REPORTED_PEERS, type Report, type ReportedPeer } from "./wire/report.ts";
