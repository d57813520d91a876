/** What a group specifier says, and the text that says it. */
import { type Address, readAddress, writeAddress } from "../proto/address.ts";
import { ByteReader, buildBytes, concatBytes, fromHex, toHex } from "../proto/bytes.ts";
import { encodeOptions, type Option } from "../proto/option.ts";
import { fault, GroupspecOption, groupspecText, readGroupspec } from "./groupspec-text.ts";

/** A multicast address of a groupspec. */
export interface MulticastAddress extends Address {
  /** The only sender whose datagrams count (source-specific multicast), an IP address; undefined is anybody. */
  readonly source?: string | undefined;
}

/** The fields of a groupspec. Those up to {@link uniqueTag} are the group's identity; the others are hints. */
export interface Groupspec {
  /** 1 or 2; version 2 hides the identity from servers. */
  readonly version: number;
  /** Directed routing. */
  readonly routingEnabled: boolean;
  /** Streams to the group. */
  readonly multicastEnabled: boolean;
  /** Objects that members fetch from each other. */
  readonly objectReplicationEnabled: boolean;
  /** Messages to everybody in the group. */
  readonly postingEnabled: boolean;
  /** A {@link passwordCheck}; undefined lets everybody publish. A view of what it was read from. */
  readonly publishPassword: Uint8Array | undefined;
  /** Likewise, for posting; a view too. */
  readonly postingPassword: Uint8Array | undefined;
  /** Members ask the server for other members. */
  readonly serverChannelEnabled: boolean;
  /** Members have no sessions with each other: IP multicast is all they use. */
  readonly peerToPeerDisabled: boolean;
  /** The group's name; `""` only where a groupspec that was read has none. */
  readonly name: string;
  /** 32 random bytes that make the group another than those of the same name. A view of what it was read from. */
  readonly uniqueTag: Uint8Array | undefined;
  /** Members tell of themselves by IP multicast. */
  readonly ipMulticastMemberUpdatesEnabled: boolean;
  /** Where members on the same network find each other. */
  readonly ipMulticastAddresses: readonly MulticastAddress[];
  /** Peer IDs, 64 lower-case hex digits each. */
  readonly bootstrapPeers: readonly string[];
  /** The password in clear; undefined without one. */
  readonly publishAuthorization: string | undefined;
  /** Likewise. */
  readonly postingAuthorization: string | undefined;
}

/**
 * What a groupspec says. Options that nobody knows, values of no known form, and the second and later of what stands once, are
 * left out: the text remains what others are told. @throws GroupspecError for text that is none, or has no end marker.
 */
export function parseGroupspec(text: string): Groupspec {
  const { identity, hints, isComplete } = readGroupspec(text);
  if (!isComplete) throw fault(text, "its end marker 00 is missing");
  const find = (options: readonly Option[], type: number) => options.find((option) => option.type === type)?.value;
  const has = (type: number) => find(identity, type) !== undefined;
  const all = (type: number) => hints.filter((option) => option.type === type).map(({ value }) => value);
  const names = identity.filter(({ type }) => type === GroupspecOption.name);
  return {
    version: versionOf(identity),
    routingEnabled: has(GroupspecOption.routing),
    multicastEnabled: has(GroupspecOption.multicast),
    objectReplicationEnabled: has(GroupspecOption.replication),
    postingEnabled: has(GroupspecOption.posting),
    publishPassword: find(identity, GroupspecOption.publishPassword),
    postingPassword: find(identity, GroupspecOption.postingPassword),
    serverChannelEnabled: has(GroupspecOption.serverChannel),
    peerToPeerDisabled: has(GroupspecOption.peerToPeerDisabled),
    name: clear(names[0]?.value) ?? "",
    uniqueTag: names.slice(1).find(({ value }) => value.length === TAG_BYTES)?.value,
    ipMulticastMemberUpdatesEnabled: has(GroupspecOption.memberUpdates),
    ipMulticastAddresses: all(GroupspecOption.multicastAddress).flatMap(readMulticastAddress),
    bootstrapPeers: all(GroupspecOption.bootstrapPeer).filter(isPeerId).map(toHex),
    publishAuthorization: clear(find(hints, GroupspecOption.publishAuthorization)),
    postingAuthorization: clear(find(hints, GroupspecOption.postingAuthorization)),
  };
}

/**
 * The text of a groupspec, in Flash's order; what is left out is off, none, or version 1. Without the two authorizations it
 * is what may be told to everybody. Throws RangeError for an empty name, another version than 1 or 2, and values that have
 * not the form that {@link Groupspec} says.
 */
export function buildGroupspec(spec: Partial<Groupspec> & Pick<Groupspec, "name">): string {
  const { version = 1, name, uniqueTag } = spec;
  if (version !== 1 && version !== MAX_GROUPSPEC_VERSION)
    throw new RangeError(`expected version 1 or 2, got ${version}`);
  if (name === "") throw new RangeError("a group needs a name");
  if (uniqueTag !== undefined && uniqueTag.length !== TAG_BYTES)
    throw new RangeError(`expected a tag of ${TAG_BYTES} bytes, got ${uniqueTag.length}`);
  const identity = [
    ...flag(GroupspecOption.version, version > 1, Uint8Array.of(version)),
    ...flag(GroupspecOption.routing, spec.routingEnabled),
    ...flag(GroupspecOption.multicast, spec.multicastEnabled),
    ...flag(GroupspecOption.replication, spec.objectReplicationEnabled),
    ...flag(GroupspecOption.posting, spec.postingEnabled),
    ...value(GroupspecOption.publishPassword, spec.publishPassword),
    ...value(GroupspecOption.postingPassword, spec.postingPassword),
    ...flag(GroupspecOption.serverChannel, spec.serverChannelEnabled),
    ...flag(GroupspecOption.peerToPeerDisabled, spec.peerToPeerDisabled),
    ...value(GroupspecOption.name, name),
    ...value(GroupspecOption.name, uniqueTag),
    ...flag(GroupspecOption.memberUpdates, spec.ipMulticastMemberUpdatesEnabled),
  ];
  return groupspecText(concatBytes(encodeOptions(identity), MARKER, hintBytes(spec)));
}

/**
 * What of a groupspec stands behind its end marker, as hex digits that may be appended to a groupspec: addresses, peers and
 * authorizations. Throws RangeError for values that have not the form that {@link Groupspec} says.
 */
export function groupspecHints(spec: Partial<Groupspec>): string {
  return toHex(hintBytes(spec));
}

/** What a groupspec holds of a password: its hash, or the salt and the hash of salt and password; a new array. */
export function passwordCheck(password: string, salt: string, sha256: (bytes: Uint8Array) => Uint8Array): Uint8Array {
  const salted = utf8.encode(salt);
  return concatBytes(salted, sha256(concatBytes(salted, utf8.encode(password))));
}

/** The version that the options of a canonical part say; 1 where they say none. */
export function versionOf(identity: readonly Option[]): number {
  const said = identity.find(({ type }) => type === GroupspecOption.version)?.value;
  const reader = new ByteReader(said ?? Uint8Array.of(1));
  const version = reader.vlu();
  return reader.failed ? 1 : version;
}

function hintBytes(spec: Partial<Groupspec>): Uint8Array {
  const { bootstrapPeers = [], ipMulticastAddresses = [], publishAuthorization, postingAuthorization } = spec;
  return encodeOptions([
    ...ipMulticastAddresses.flatMap((each) => value(GroupspecOption.multicastAddress, multicastBytes(each))),
    ...bootstrapPeers.flatMap((id) => value(GroupspecOption.bootstrapPeer, peerIdBytes(id))),
    ...value(GroupspecOption.publishAuthorization, publishAuthorization),
    ...value(GroupspecOption.postingAuthorization, postingAuthorization),
  ]);
}

function flag(type: number, enabled: boolean | undefined, bytes: Uint8Array = new Uint8Array(0)): Option[] {
  return enabled === true ? [{ type, value: bytes }] : [];
}

function value(type: number, content: string | Uint8Array | undefined): Option[] {
  if (content === undefined) return [];
  return [{ type, value: typeof content === "string" ? utf8.encode(content) : content }];
}

function clear(bytes: Uint8Array | undefined): string | undefined {
  return bytes === undefined ? undefined : new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}

function isPeerId(bytes: Uint8Array): boolean {
  return bytes.length === PEER_ID_BYTES;
}

function peerIdBytes(id: string): Uint8Array {
  if (!/^[0-9a-fA-F]{64}$/.test(id)) throw new RangeError(`expected a peer ID of 64 hex digits, got "${id}"`);
  return fromHex(id);
}

/** Address and port, then the source's address: each as in a chunk, without the flags in front. */
function multicastBytes({ host, port, source }: MulticastAddress): Uint8Array {
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new RangeError(`expected a port, got ${port}`);
  if (source !== undefined && source.includes(":") !== host.includes(":"))
    throw new RangeError(`the source ${source} of ${host} is of the other IP version`);
  const address = wireAddress({ host, port });
  return source === undefined ? address : concatBytes(address, wireAddress({ host: source, port: 0 }).slice(0, -2));
}

function wireAddress(address: Address): Uint8Array {
  return buildBytes(MAX_ADDRESS_BYTES, (writer) => writeAddress(writer, { ...address, origin: 0 })).slice(1);
}

/** An empty list for a value of no known length. */
function readMulticastAddress(bytes: Uint8Array): MulticastAddress[] {
  const isV6 = bytes.length === V6_BYTES + PORT_BYTES || bytes.length === 2 * V6_BYTES + PORT_BYTES;
  const ipBytes = isV6 ? V6_BYTES : V4_BYTES;
  const hasSource = bytes.length === 2 * ipBytes + PORT_BYTES;
  if (!hasSource && bytes.length !== ipBytes + PORT_BYTES) return [];
  const at = (part: Uint8Array) => {
    const { host, port } = readAddress(new ByteReader(concatBytes(Uint8Array.of(isV6 ? 0x80 : 0), part)));
    return { host, port };
  };
  const address = at(bytes.subarray(0, ipBytes + PORT_BYTES));
  if (!hasSource) return [address];
  const source = at(concatBytes(bytes.subarray(ipBytes + PORT_BYTES), Uint8Array.of(0, 0))).host;
  return [{ ...address, source }];
}

/** The highest version that there is. */
export const MAX_GROUPSPEC_VERSION = 2;
const utf8 = new TextEncoder();
const MARKER = Uint8Array.of(0);
const TAG_BYTES = 32;
const PEER_ID_BYTES = 32;
const V4_BYTES = 4;
const V6_BYTES = 16;
const PORT_BYTES = 2;
const MAX_ADDRESS_BYTES = 19;
