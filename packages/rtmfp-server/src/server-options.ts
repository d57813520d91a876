/** What a server is made with, and what it tells when it begins. */
import type { Address, Carrier, PeerEndpointOptions } from "rtmfp-core";
import type { CryptoProvider, FlashIdentity, FlashProfileOptions } from "rtmfp-core/crypto";
import type { AuthKeys } from "./access.ts";
import type { KeepaliveTimes } from "./connection-host.ts";
import type { RelaySender } from "./developer-key.ts";
import type { HelloRedirect } from "./hello-redirect.ts";
import type { ApplicationLimits } from "./limits.ts";
import type { Logger } from "./log.ts";
import type { IntroductionRates } from "./rendezvous.ts";

/** Options of `createServer`. */
export interface ServerOptions {
  /** IP address to listen on, or several. Default: all IPv4 and IPv6 addresses. */
  readonly host?: string | readonly string[];
  /** UDP port. Default 1935; 0 is any free one. */
  readonly port?: number;
  /**
   * Host name or address, with a port if it is another, by which clients find the server: shown in URLs, told to clients
   * that are asked to answer elsewhere, and taken for the outer address of clients in the server's own network when peers
   * outside look for them. Default: what the server is bound to.
   */
  readonly public?: string;
  /**
   * Developer keys that the built-in application takes: "any" (the default), those listed, or those in `file`, a path.
   * With "none" there is no built-in application: who asks for one that is not defined gets `Connect.InvalidApp`.
   */
  readonly keys?: "any" | "none" | readonly string[] | { readonly file: string };
  /**
   * Secrets, or a file of them, by any of which tokens may be made (`authToken` of rtmfp-core/crypto); a client then needs
   * a token to connect, unless its application has other keys or none. A secret in bytes is written as `hex:` and hex
   * digits. While the list or file is empty, nobody is let in. Default: undefined, and no token is needed.
   */
  readonly authKeys?: AuthKeys;
  /** What every application instance may have, where its own limits say nothing. Default: see there. */
  readonly limits?: ApplicationLimits;
  /** How `onRelay` of the built-in application names who sent it. Default "auto". */
  readonly relaySender?: RelaySender;
  /** Where clients are sent at their first hello, which they follow unnoticed. Default: nowhere, they are served here. */
  readonly redirect?: HelloRedirect;
  /** Refuse publish and play. Default false. */
  readonly introduceOnly?: boolean;
  /** Default: a new one with ephemeral keys, whose fingerprint changes at every start. */
  readonly identity?: FlashIdentity;
  /** Primitives. Default: node:crypto, and noble where that lacks one. */
  readonly crypto?: CryptoProvider;
  /** Settings of the cryptography profile. Default: those of rtmfp-core. */
  readonly profile?: Omit<FlashProfileOptions, "identity" | "provider" | "exposeSecrets">;
  /** Tells our own clients to use a legacy identity, so that they can meet old ones. Default false. */
  readonly legacyIdentity?: boolean;
  /** What clients are told by the Set Keepalive Timers command. Default 30000 each. */
  readonly keepalive?: Partial<KeepaliveTimes>;
  /** How often introductions are made. Default: see {@link IntroductionRates}. */
  readonly introductionRates?: IntroductionRates;
  /**
   * UDP ports by which the server looks at peers' NATs: this one and the next, on each address that it listens on; 0 is any
   * two free ones, "off" none. Default 0, on a carrier of your own "off".
   */
  readonly checkPort?: number | "off";
  /** Makes the carrier that {@link checkPort} would, for simulations. Default: UDP. */
  readonly checkCarrier?: () => Carrier | Promise<Carrier>;
  /** Makes the carrier of datagrams in place of UDP sockets at `host` and `port`. Default: UDP. */
  readonly carrier?: () => Carrier | Promise<Carrier>;
  /** Source of random bytes, which the server then owns, for simulations. Default: that of the primitives. */
  readonly random?: (length: number) => Uint8Array;
  /** Takes what is worth a line of a log. Default: nothing is logged. */
  readonly log?: Logger;
  /** Gets every packet, decrypted, and the secrets of every session. Default: none. */
  readonly trace?: Pick<PeerEndpointOptions, "trace" | "traceSession">;
}

/** What `listen` of a server tells. */
export interface Listening {
  /** The best URL to give to a client; append the application's path. */
  readonly url: string;
  /** All of them, the best first. */
  readonly urls: readonly string[];
  /** Identity of the server: 64 lower-case hex digits. */
  readonly fingerprint: string;
  /** What the sockets are bound to. */
  readonly addresses: readonly Address[];
}
