/** Opens the session with a server: addresses, identity, pinning, and old servers' needs (RFC 7425 §5.3.1). */
import { type Carrier, openUdpCarrier, PeerEndpoint, RtmfpError, type Session } from "rtmfp-core";
import {
  buildEpd,
  CLIENT_IDENTITY,
  createFlashProfile,
  type FlashProfile,
  type FlashProfileOptions,
  LEGACY_IDENTITY,
  uriEpd,
  wantsLegacyIdentity,
} from "rtmfp-core/crypto";
import type { ServerUri } from "rtmfp-core/tc";
import { type NetConnectionOptions, timeoutOf } from "./options.ts";

/** An endpoint with its session to the server. Closing the endpoint releases both. */
export interface ServerLink {
  readonly endpoint: PeerEndpoint;
  readonly session: Session;
}

/** A link, and whether its identity was left to us and is the one for old servers. */
export type ChosenLink = ServerLink & { readonly isLegacy: boolean };

/** Rejects with NetConnection.Connect.Failed in one line, or CONNECT_ABORTED; then nothing stays open. */
export async function openServerLink(
  uri: ServerUri,
  options: NetConnectionOptions,
  signal: AbortSignal,
): Promise<ChosenLink> {
  if (options.identity !== undefined)
    return { ...(await open(uri, options, identityOf(options.identity), signal)), isLegacy: false };
  let isLegacy = false;
  const found = new AbortController();
  const judge = (): void => {
    isLegacy = true;
    found.abort();
  };
  try {
    const link = await open(uri, options, CLIENT_IDENTITY, AbortSignal.any([signal, found.signal]), judge);
    return { ...link, isLegacy };
  } catch (error) {
    if (!isLegacy || signal.aborted) throw error;
  }
  return { ...(await open(uri, options, LEGACY_IDENTITY, signal)), isLegacy };
}

/** A session of an endpoint with a server. Rejects as {@link openServerLink}. */
export async function openServerSession(
  endpoint: PeerEndpoint,
  uri: ServerUri,
  options: NetConnectionOptions,
  signal: AbortSignal,
): Promise<Session> {
  const where = `${uri.host.includes(":") ? `[${uri.host}]` : uri.host}:${uri.port}`;
  try {
    const addresses = await endpoint.carrier.resolve(uri.host, uri.port).catch(() => {
      throw failed(`the host name "${uri.host}" cannot be resolved: check its spelling and the network`);
    });
    const timeoutMs = timeoutOf(options);
    const epd = serverEpd(uri, options.fingerprint);
    return await endpoint.connect(addresses, { epd, timeoutMs, signal }).catch((error) => {
      throw explain(error, where, timeoutMs, options.fingerprint !== undefined);
    });
  } catch (error) {
    throw signal.aborted ? aborted() : error;
  }
}

/** An endpoint without a server, for `rtmfp:` (§6.1). It sends nothing by itself. */
export async function openServerless(options: NetConnectionOptions): Promise<PeerEndpoint> {
  return makeEndpoint(options, makeProfile(options, identityOf(options.identity)));
}

async function open(
  uri: ServerUri,
  options: NetConnectionOptions,
  identity: FlashProfileOptions["identity"],
  signal: AbortSignal,
  onLegacy?: () => void,
): Promise<ServerLink> {
  let profile = makeProfile(options, identity);
  let opening = true;
  if (onLegacy !== undefined) {
    const { initiate } = profile;
    profile = {
      ...profile,
      initiate: (far) => {
        if (!opening || !wantsLegacyIdentity(far)) return initiate(far);
        onLegacy();
        return undefined;
      },
    };
  }
  const endpoint = await makeEndpoint(options, profile);
  try {
    const session = await openServerSession(endpoint, uri, options, signal);
    opening = false;
    return { endpoint, session };
  } catch (error) {
    await endpoint.close();
    throw error;
  }
}

/** An error that says that the connection failed. */
export function failed(message: string): RtmfpError {
  const code = "NetConnection.Connect.Failed";
  return new RtmfpError(code, message, { code, level: "error", description: message });
}

/** An error that says that somebody ended the attempt. */
export function aborted(): RtmfpError {
  return new RtmfpError("CONNECT_ABORTED", "connecting was aborted");
}

function explain(error: unknown, where: string, timeoutMs: number, pinned: boolean): unknown {
  if (!(error instanceof RtmfpError)) return error;
  if (error.code === "CONNECT_TIMEOUT") {
    const pin = pinned ? " by a server with that fingerprint" : "";
    return failed(`no RTMFP answer from ${where} within ${timeoutMs / 1000} s${pin}`);
  }
  return failed(error.message);
}

/** The fingerprint, if given, decides alone (§4.4.3); the URI tells the server what it is asked for. */
function serverEpd(uri: ServerUri, fingerprint: string | undefined): Uint8Array {
  if (fingerprint === undefined) return uriEpd(uri.uri);
  if (!/^[0-9a-fA-F]{64}$/.test(fingerprint))
    throw new RtmfpError("BAD_ARGUMENT", `expected a fingerprint of 64 hex digits, got "${fingerprint}"`);
  return buildEpd({
    fingerprint: Uint8Array.from(fingerprint.match(/../g) ?? [], (digits) => Number.parseInt(digits, 16)),
    ancillaryData: new TextEncoder().encode(uri.uri),
  });
}

function identityOf(identity: NetConnectionOptions["identity"]): FlashProfileOptions["identity"] {
  return identity === "legacy" ? LEGACY_IDENTITY : (identity ?? CLIENT_IDENTITY);
}

function makeProfile(options: NetConnectionOptions, identity: FlashProfileOptions["identity"]): FlashProfile {
  return createFlashProfile({
    identity,
    exposeSecrets: options.trace !== undefined,
    ...(options.crypto === undefined ? {} : { provider: options.crypto }),
    ...(options.random === undefined ? {} : { random: options.random }),
  });
}

async function makeEndpoint(options: NetConnectionOptions, profile: FlashProfile): Promise<PeerEndpoint> {
  const carrier = await (options.carrier ?? openClientCarrier)();
  return new PeerEndpoint(carrier, {
    profile,
    ...options.trace,
    ...(options.random === undefined ? {} : { random: options.random }),
  });
}

/** UDP sockets on any free port, for IPv4 and, where the host has it, IPv6. */
export async function openClientCarrier(): Promise<Carrier> {
  const ipv4 = { host: "0.0.0.0", port: 0 };
  try {
    return await openUdpCarrier([ipv4, { host: "::", port: 0 }]);
  } catch {
    return openUdpCarrier([ipv4]);
  }
}
