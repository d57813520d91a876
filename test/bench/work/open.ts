/** Endpoints for benchmarks: on loopback, with what the settings ask for. */
import { platform } from "node:os";
import { openUdpCarrier, PeerEndpoint } from "rtmfp-core";
import { createFlashProfile, type FlashProfile, SERVER_IDENTITY } from "rtmfp-core/crypto";
import type { Settings } from "./work.ts";

/** Binds a free port of `host`. */
export async function openEndpoint(settings: Settings, host = "127.0.0.1"): Promise<PeerEndpoint> {
  const carrier = await openUdpCarrier([{ host, port: 0 }]);
  const { loss = 0, datagramBytes } = settings;
  if (loss > 0) {
    const send = carrier.send.bind(carrier);
    carrier.send = (datagram, via, to) => {
      if (Math.random() >= loss) send(datagram, via, to);
    };
  }
  return new PeerEndpoint(carrier, {
    profile: makeProfile(settings),
    ...(datagramBytes === undefined ? {} : { datagramBytes }),
  });
}

/** A new identity with ephemeral keys, in the group asked for. */
export function makeProfile(settings: Settings): FlashProfile {
  const protection = settings.hmac === true ? "request" : "none";
  const groups = settings.group === undefined ? {} : { groups: [settings.group] };
  return createFlashProfile({
    identity: { ...SERVER_IDENTITY, ...groups },
    hmac: protection,
    sequence: protection,
    ...groups,
  });
}

/**
 * Loopback addresses by number, so that the limits per source address bear on each as on a client of its own. Where the
 * system has but one, that one: then what exceeds the burst is refused and tried again.
 */
export function loopbackHost(index: number): string {
  return platform() === "darwin" ? "127.0.0.1" : `127.0.0.${2 + (index % HOSTS)}`;
}

const HOSTS = 200;
