/** GroupSpecifier with Adobe's names (ActionScript's flash.net): says what a group is, as the text that makes its members agree. */
import { isIP } from "node:net";
import { parseAddressText, RtmfpError } from "rtmfp-core";
import { defaultProvider } from "rtmfp-core/crypto";
import {
  buildGroupspec,
  type Groupspec,
  groupspecHints,
  MAX_GROUPSPEC_VERSION,
  type MulticastAddress,
  passwordCheck,
} from "rtmfp-core/group";

/**
 * Describes a group. Whoever is given its text, by any means, may become a member; members are those whose text is the same up
 * to the end marker. What is wrong throws RtmfpError BAD_ARGUMENT, where ActionScript has ArgumentError.
 */
export class GroupSpecifier {
  /** The highest version that there is: 2. */
  static readonly maxSupportedGroupspecVersion: number = MAX_GROUPSPEC_VERSION;
  /** Streams to the group. Default false. */
  multicastEnabled = false;
  /** Messages to all members. Default false. */
  postingEnabled = false;
  /** Messages to single members. Default false. */
  routingEnabled = false;
  /** Objects that members fetch from each other. Default false. */
  objectReplicationEnabled = false;
  /** Members ask the server for other members. Default false. */
  serverChannelEnabled = false;
  /** Members on the same network find each other by IP multicast. Default false. */
  ipMulticastMemberUpdatesEnabled = false;
  /** Members have no sessions with each other. Default false. */
  peerToPeerDisabled = false;
  readonly #name: string;
  #version: number = MAX_GROUPSPEC_VERSION;
  #uniqueTag: Uint8Array | undefined;
  #publishing: Password | undefined;
  #posting: Password | undefined;
  readonly #bootstrapPeers: string[] = [];
  readonly #multicastAddresses: MulticastAddress[] = [];

  /** `name` has a character or more; groups of one name differ by all that is up to the end marker. Throws BAD_ARGUMENT. */
  constructor(name: string) {
    if (typeof name !== "string" || name === "")
      throw bad(`GroupSpecifier: expected the name of a group, got ${JSON.stringify(name) ?? String(name)}`);
    this.#name = name;
  }

  /** Version 2 hides the group from servers, 1 is what Flash Player before 11.5 understands. Default 2. Throws BAD_ARGUMENT. */
  set minGroupspecVersion(version: number) {
    if (version !== 1 && version !== MAX_GROUPSPEC_VERSION)
      throw bad(`minGroupspecVersion: expected 1 or ${MAX_GROUPSPEC_VERSION}, got ${String(version)}`);
    this.#version = version;
  }

  get minGroupspecVersion(): number {
    return this.#version;
  }

  /** Adds a strong random tag: a group that nobody can be a member of who was not given the text. */
  makeUnique(): void {
    this.#uniqueTag = defaultProvider().randomBytes(TAG_BYTES);
  }

  /**
   * Only who knows the password publishes; the hash is part of the group. `salt` makes groups of one name and password differ.
   * Defaults, as Adobe's: null, null, which asks for none. Throws BAD_ARGUMENT for what is no text.
   */
  setPublishPassword(password: string | null = null, salt: string | null = null): void {
    this.#publishing = passwordOf("setPublishPassword", password, salt);
  }

  /** As {@link setPublishPassword}, for messages to all members; defaults null, null. Throws BAD_ARGUMENT. */
  setPostingPassword(password: string | null = null, salt: string | null = null): void {
    this.#posting = passwordOf("setPostingPassword", password, salt);
  }

  /** A member, 64 hex digits, to begin with instead of those whom a server knows. No part of the group. Throws BAD_ARGUMENT. */
  addBootstrapPeer(peerID: string): void {
    this.#bootstrapPeers.push(peerOf(peerID));
  }

  /**
   * Where members find each other by IP multicast: `address` with its port behind a colon or in `port`, and perhaps the only
   * `source` whose datagrams count; default null each. No part of the group. Throws BAD_ARGUMENT.
   */
  addIPMulticastAddress(address: string, port: number | string | null = null, source: string | null = null): void {
    this.#multicastAddresses.push(multicastOf(address, port, source));
  }

  /** {@link groupspecWithAuthorizations}. */
  toString(): string {
    return this.groupspecWithAuthorizations();
  }

  /** The text with the passwords in clear: for those who may publish and post. */
  groupspecWithAuthorizations(): string {
    return this.groupspecWithoutAuthorizations() + this.authorizations();
  }

  /** The text for everybody else. */
  groupspecWithoutAuthorizations(): string {
    return buildGroupspec(this.#fields);
  }

  /** The passwords in clear as text to append to {@link groupspecWithoutAuthorizations}; `""` without any. */
  authorizations(): string {
    return (
      (this.#publishing === undefined ? "" : GroupSpecifier.encodePublishAuthorization(this.#publishing.clear)) +
      (this.#posting === undefined ? "" : GroupSpecifier.encodePostingAuthorization(this.#posting.clear))
    );
  }

  /** Text to append to a groupspec, that lets a member publish. Throws BAD_ARGUMENT. */
  static encodePublishAuthorization(password: string): string {
    return groupspecHints({ publishAuthorization: clearOf("encodePublishAuthorization", password) });
  }

  /** Text to append to a groupspec, that lets a member post. Throws BAD_ARGUMENT. */
  static encodePostingAuthorization(password: string): string {
    return groupspecHints({ postingAuthorization: clearOf("encodePostingAuthorization", password) });
  }

  /** Text to append to a groupspec, as of {@link addBootstrapPeer}. Throws BAD_ARGUMENT. */
  static encodeBootstrapPeerIDSpec(peerID: string): string {
    return groupspecHints({ bootstrapPeers: [peerOf(peerID)] });
  }

  /** Text to append to a groupspec, as of {@link addIPMulticastAddress}; defaults null, null. Throws BAD_ARGUMENT. */
  static encodeIPMulticastAddressSpec(
    address: string,
    port: number | string | null = null,
    source: string | null = null,
  ): string {
    return groupspecHints({ ipMulticastAddresses: [multicastOf(address, port, source)] });
  }

  get #fields(): Partial<Groupspec> & Pick<Groupspec, "name"> {
    return {
      version: this.#version,
      name: this.#name,
      uniqueTag: this.#uniqueTag,
      multicastEnabled: this.multicastEnabled,
      postingEnabled: this.postingEnabled,
      routingEnabled: this.routingEnabled,
      objectReplicationEnabled: this.objectReplicationEnabled,
      serverChannelEnabled: this.serverChannelEnabled,
      ipMulticastMemberUpdatesEnabled: this.ipMulticastMemberUpdatesEnabled,
      peerToPeerDisabled: this.peerToPeerDisabled,
      publishPassword: this.#publishing?.check,
      postingPassword: this.#posting?.check,
      bootstrapPeers: this.#bootstrapPeers,
      ipMulticastAddresses: this.#multicastAddresses,
    };
  }
}

interface Password {
  readonly clear: string;
  readonly check: Uint8Array;
}

function passwordOf(method: string, password: unknown, salt: unknown): Password | undefined {
  if (password === null) return undefined;
  const clear = clearOf(method, password);
  if (salt !== null && typeof salt !== "string") throw bad(`${method}: expected text as salt, got ${String(salt)}`);
  const { sha256 } = defaultProvider();
  return { clear, check: passwordCheck(clear, salt ?? "", sha256) };
}

function clearOf(method: string, password: unknown): string {
  if (typeof password === "string" && password !== "") return password;
  throw bad(`${method}: expected a password, got ${JSON.stringify(password) ?? String(password)}`);
}

function peerOf(peerID: unknown): string {
  if (typeof peerID === "string" && /^[0-9a-fA-F]{64}$/.test(peerID)) return peerID.toLowerCase();
  throw bad(`expected a peer ID of 64 hex digits, got "${String(peerID)}"`);
}

function multicastOf(address: unknown, port: unknown, source: unknown): MulticastAddress {
  const text = String(address);
  const host = text.replace(/^\[([^\]]*)\]$/, "$1");
  const version = isIP(host);
  const whole = version === 0 ? text : version === 6 ? `[${host}]:${port}` : `${host}:${port}`;
  const parsed = version === 0 && port !== null ? undefined : parseAddressText(whole);
  if (parsed === undefined)
    throw bad(
      `expected an address and port as in 224.0.0.254:30000, got "${text}"${port === null ? "" : ` and "${port}"`}`,
    );
  if (!isMulticast(parsed.host)) throw bad(`${parsed.host} is no IP multicast address`);
  if (source === null) return parsed;
  const from = typeof source === "string" && isIP(source) !== 0 ? source : undefined;
  if (from === undefined || from.includes(":") !== parsed.host.includes(":"))
    throw bad(`expected the IP address of a source, of the same version as ${parsed.host}, got "${String(source)}"`);
  return { ...parsed, source: from };
}

function isMulticast(host: string): boolean {
  if (host.includes(":")) return host.startsWith("ff");
  const first = Number.parseInt(host, 10);
  return first >= 224 && first < 240;
}

function bad(message: string): RtmfpError {
  return new RtmfpError("BAD_ARGUMENT", message);
}

const TAG_BYTES = 32;
