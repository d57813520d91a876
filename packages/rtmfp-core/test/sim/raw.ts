import { createUnprotectedTestProfile } from "../../src/crypto/index.ts";
import { Driver } from "../../src/node/driver.ts";
import type { Address } from "../../src/proto/address.ts";
import { equalBytes } from "../../src/proto/bytes.ts";
import type { EndpointConfig } from "../../src/proto/config.ts";
import type { CryptoProfile } from "../../src/proto/crypto-profile.ts";
import type { Endpoint } from "../../src/proto/endpoint.ts";
import type { EndpointEvent } from "../../src/proto/events.ts";
import type { Session } from "../../src/proto/session.ts";
import type { SimHost } from "../../src/testing/index.ts";

/** A sans-IO endpoint on a simulated host, with the events it told; for tests below the public API. */
export interface RawNode {
  readonly host: SimHost;
  readonly driver: Driver;
  readonly endpoint: Endpoint;
  readonly events: EndpointEvent[];
  readonly address: Address;
  /** The events of one type. */
  told<T extends EndpointEvent["type"]>(type: T): (EndpointEvent & { type: T })[];
  /** Its sessions in S_OPEN. */
  open(): Session[];
  /** Called for each event as it is told, within the turn. */
  onEvent: ((event: EndpointEvent) => void) | undefined;
}

/** The bytes that name an endpoint of the unprotected profile, and select it. */
export function nameOf(name: string): Uint8Array {
  return new TextEncoder().encode(name);
}

/** A profile whose certificate has so many bytes, and whose short name selects it. */
export function bulky(name: string, length: number): CryptoProfile {
  const certificate = nameOf(name.padEnd(length, "."));
  const inner = createUnprotectedTestProfile(certificate);
  return {
    ...inner,
    selectsSelf: (epd) => equalBytes(epd, nameOf(name)),
    parseCertificate: (bytes) => {
      const far = inner.parseCertificate(bytes);
      const selectedBy = (epd: Uint8Array): boolean => equalBytes(epd, bytes.subarray(0, epd.length));
      return far === undefined ? undefined : { ...far, selectedBy };
    },
  };
}

export interface RawOptions extends Partial<EndpointConfig> {
  readonly port?: number;
  /** Instead of one IPv4 socket at `port`. */
  readonly sockets?: Parameters<SimHost["open"]>[0];
  readonly farHmac?: boolean;
  readonly farSequence?: boolean;
  /** Runs public-key jobs; default at once. */
  readonly runJob?: ConstructorParameters<typeof Driver>[3];
}

/** An endpoint of the unprotected profile named `name`, unless a profile is given. */
export function rawNode(host: SimHost, name: string, options: RawOptions = {}): RawNode {
  const { port, sockets, farHmac, farSequence, runJob, ...config } = options;
  const random = (length: number): Uint8Array => host.random(length);
  const profile: CryptoProfile =
    config.profile ??
    createUnprotectedTestProfile(nameOf(name), {
      random,
      ...(farHmac === undefined ? {} : { farHmac }),
      ...(farSequence === undefined ? {} : { farSequence }),
    });
  const carrier = host.open(sockets ?? [{ port: port ?? 0 }]);
  const events: EndpointEvent[] = [];
  const driver = new Driver(
    { random, ...config, profile },
    carrier,
    (event) => {
      events.push(event);
      node.onEvent?.(event);
    },
    runJob,
  );
  const node: RawNode = {
    host,
    driver,
    endpoint: driver.endpoint,
    events,
    address: { host: host.addresses[0] as string, port: carrier.sockets[0]?.address.port ?? 0 },
    told: (type) => events.filter((event) => event.type === type) as never,
    open: () => [...driver.endpoint.sessions.all].filter((session) => session.isOpen),
    onEvent: undefined,
  };
  return node;
}
