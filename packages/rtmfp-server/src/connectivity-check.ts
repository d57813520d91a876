/** What the network of one client allows, as Adobe's connectivity checker told it (C-9). */
import { formatAddress } from "rtmfp-core";
import type { AmfObject } from "rtmfp-core/tc";
import { natKind } from "./nat.ts";
import type { PeerEntry } from "./peers.ts";
import type { Prober } from "./prober.ts";

/**
 * The fields of `NetConnection.ConnectivityCheck.Results`. One that could not be found out is absent, which a client reads
 * as undefined.
 */
export interface ConnectivityResults {
  /** Where the server sees the client, as `host:port`. */
  readonly publicAddress: string;
  /** That is one of the addresses that the client reported: there is no NAT. */
  readonly publicAddressIsLocal?: boolean;
  /** Its port is one of those that it reported. */
  readonly publicPortMatchesLocalPort?: boolean;
  /** It hears another port of the address that it is connected to. */
  readonly receiveSameAddressDifferentPortAllowed?: boolean;
  /** It hears an address that it has never sent to. */
  readonly receiveDifferentAddressDifferentPortAllowed?: boolean;
  /** Introduced to another address, it can send there. */
  readonly sendAfterIntroductionAllowed?: boolean;
  /** And does so from the same outer address. */
  readonly sendAfterIntroductionPreservesSourceAddress?: boolean;
  /** And from the same outer port: its NAT, if any, is not symmetric. */
  readonly sendAfterIntroductionPreservesSourcePort?: boolean;
}

/**
 * Asks what can be asked. With three addresses of one family the server finds out everything; with two it does not ask
 * from one that the client has never sent to, so as to ask the more telling question; with one it can prove that a NAT is
 * symmetric, but not that it is not.
 */
export async function checkConnectivity(peer: PeerEntry, prober: Prober | undefined): Promise<ConnectivityResults> {
  const { address, reported = [], nat } = peer;
  const { otherPorts = [], otherHosts = [] } = prober?.vantages(peer) ?? {};
  const [samePort, anotherPort] = otherPorts;
  const stranger = otherHosts.length >= 2 ? otherHosts[0] : undefined;
  const introduced = otherHosts.at(-1);
  const [sameHeard, strangerHeard, answered] = await Promise.all([
    samePort === undefined ? undefined : prober?.hears(peer, samePort),
    stranger === undefined ? undefined : prober?.hears(peer, stranger),
    prober?.answersFrom(peer, introduced ?? anotherPort ?? NOWHERE),
  ]);
  const keepsAddress = answered === undefined ? undefined : answered.host === address.host;
  const keepsPort = answered === undefined ? undefined : answered.port === address.port;
  if (answered !== undefined) {
    peer.examined = {
      symmetric: keepsAddress !== true || keepsPort !== true,
      filtersPorts: sameHeard === undefined ? undefined : !sameHeard,
    };
  }
  return present({
    publicAddress: formatAddress(address),
    ...(reported.length === 0
      ? {}
      : { publicAddressIsLocal: nat.behindNat === false, publicPortMatchesLocalPort: nat.keepsPort === true }),
    receiveSameAddressDifferentPortAllowed: sameHeard,
    receiveDifferentAddressDifferentPortAllowed: strangerHeard,
    sendAfterIntroductionAllowed: introduced === undefined ? undefined : answered !== undefined,
    // To the same host nothing but a change proves anything.
    sendAfterIntroductionPreservesSourceAddress: introduced === undefined && keepsAddress ? undefined : keepsAddress,
    sendAfterIntroductionPreservesSourcePort: introduced === undefined && keepsPort ? undefined : keepsPort,
  });
}

/** For the log and for people: the verdict, and what was not found out. */
export function describeResults(results: ConnectivityResults, peer: PeerEntry): { nat: string; unknown: string } {
  return { nat: natKind(peer.nat), unknown: FIELDS.filter((field) => results[field] === undefined).join(",") };
}

/** The info object of the status event. */
export function resultsInfo(results: ConnectivityResults): AmfObject {
  const unknown = FIELDS.filter((field) => results[field] === undefined);
  const description =
    unknown.length === 0
      ? "Connectivity check results."
      : `Connectivity check results; not known: ${unknown.join(", ")}.`;
  return { level: "status", code: "NetConnection.ConnectivityCheck.Results", description, ...results };
}

function present(
  fields: { [K in keyof ConnectivityResults]: ConnectivityResults[K] | undefined },
): ConnectivityResults {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined),
  ) as unknown as ConnectivityResults;
}

/** No socket, so that nothing is asked. */
const NOWHERE = { via: 0, replyTo: undefined };
const FIELDS = [
  "publicAddressIsLocal",
  "publicPortMatchesLocalPort",
  "receiveSameAddressDifferentPortAllowed",
  "receiveDifferentAddressDifferentPortAllowed",
  "sendAfterIntroductionAllowed",
  "sendAfterIntroductionPreservesSourceAddress",
  "sendAfterIntroductionPreservesSourcePort",
] as const;
