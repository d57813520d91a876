/** The endpoint on UDP sockets. */
import {
  type CryptoProvider,
  createFlashProfile,
  type FlashIdentity,
  type FlashProfileOptions,
  SERVER_IDENTITY,
} from "../crypto/index.ts";
import { RtmfpError } from "../proto/errors.ts";
import { PeerEndpoint, type PeerEndpointOptions } from "./peer-endpoint.ts";
import { openUdpCarrier, type UdpBinding, type UdpCarrierOptions } from "./udp-carrier.ts";

/** Options of {@link UdpEndpoint.open}. */
export interface UdpEndpointOptions extends Omit<PeerEndpointOptions, "profile">, UdpCarrierOptions {
  /** Address to bind, or several; default all IPv4 addresses. */
  readonly host?: string | readonly string[];
  /** Port of every address; default 0, any free one. */
  readonly port?: number;
  /** Our identity. Default: a new one with ephemeral keys that answers to any server discriminator. */
  readonly identity?: FlashIdentity;
  /**
   * Settings of the cryptography profile: groups, HMAC, sequence numbers, passwords. Default: those of {@link
   * FlashProfileOptions}.
   */
  readonly profile?: Omit<FlashProfileOptions, "identity" | "provider">;
  /** Primitives. Default: node:crypto, and noble where that lacks one. */
  readonly crypto?: CryptoProvider;
}

/** One identity on one or more UDP sockets. */
export class UdpEndpoint extends PeerEndpoint {
  /** Binds the sockets. Rejects with LISTEN_FAILED, or BAD_ARGUMENT for settings that make no sense. */
  static async open(options: UdpEndpointOptions = {}): Promise<UdpEndpoint> {
    const { host, port, identity, profile, crypto, receiveBufferBytes, sendBufferBytes, ...rest } = options;
    const hosts = typeof host === "string" ? [host] : (host ?? ["0.0.0.0"]);
    const bindings: UdpBinding[] = hosts.map((each) => ({ host: each, port: checkPort(port ?? 0) }));
    if (bindings.length === 0) throw new RtmfpError("BAD_ARGUMENT", "an endpoint needs at least one address to bind");
    const made = createFlashProfile({
      ...profile,
      identity: identity ?? SERVER_IDENTITY,
      ...(crypto === undefined ? {} : { provider: crypto }),
    });
    const carrier = await openUdpCarrier(bindings, {
      ...(receiveBufferBytes === undefined ? {} : { receiveBufferBytes }),
      ...(sendBufferBytes === undefined ? {} : { sendBufferBytes }),
    });
    try {
      return new UdpEndpoint(carrier, { ...rest, profile: made });
    } catch (error) {
      await carrier.close();
      throw error;
    }
  }
}

function checkPort(port: number): number {
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new RtmfpError("BAD_ARGUMENT", `expected a port from 0 to 65535, got ${port}`);
}
