/** What a server decides about a client before it asks the application. */
import type { AmfValue, StatusCode } from "rtmfp-core/tc";
import type { Admission, Nonces } from "./access.ts";
import type { ConnectionHost } from "./connection-host.ts";

/** Why a client is not let in. */
export interface Denial {
  readonly code: StatusCode;
  readonly description: string;
}

/** Why a client is not let in, or by which token it is. `app` is the name that the path begins with; `args` are those of `connect`. */
export function admit(
  host: Pick<ConnectionHost, "isClosing" | "keys" | "applications" | "access">,
  app: string,
  path: string,
  args: readonly AmfValue[],
  nonces: Nonces,
): Admission | Denial {
  if (host.isClosing())
    return { code: "NetConnection.Connect.AppShutdown", description: "The server is shutting down." };
  const developers = host.keys();
  if (!host.applications.has(app) && developers?.allows(app) !== true) {
    return developers === undefined
      ? { code: "NetConnection.Connect.InvalidApp", description: "No application has that name." }
      : { code: "NetConnection.Connect.Failed", description: "Unknown developer key." };
  }
  const admission = host.access.check(path, args, nonces, Date.now());
  if (typeof admission !== "string") return admission;
  return { code: "NetConnection.Connect.Rejected", description: admission };
}
