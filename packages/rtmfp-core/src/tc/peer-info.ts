/** The setPeerInfo command, with which a client tells the server where it may be reached (§5.3.3). § means RFC 7425. */
import { type Command, type CommandEncoding, encodeCommand } from "./command.ts";

/**
 * A whole setPeerInfo message. Each address is text as `formatAddress` makes it, `a.b.c.d:port` or `[v6]:port`, and the
 * caller leaves out loopback and link-local ones (§5.3.3). A new array.
 */
export function encodeSetPeerInfo(addresses: readonly string[], encoding: CommandEncoding = {}): Uint8Array {
  return encodeCommand({ name: SET_PEER_INFO, transactionId: 0, commandObject: null, args: addresses }, encoding);
}

/**
 * The addresses in a setPeerInfo command, as text yet to be parsed; `undefined` for another command. Values that are
 * not strings are skipped, and all beyond the first {@link MAX_PEER_ADDRESSES} strings.
 */
export function setPeerInfoAddresses(command: Command): string[] | undefined {
  if (command.name !== SET_PEER_INFO) return undefined;
  return command.args.filter((value) => typeof value === "string").slice(0, MAX_PEER_ADDRESSES);
}

/** Addresses that a server takes from one setPeerInfo. */
export const MAX_PEER_ADDRESSES = 16;

const SET_PEER_INFO = "setPeerInfo";
