/** Connects to a server: session, connect command, and the identity that the server asks for. § means RFC 7425. */
import type { AmfValue, ObjectEncoding, ServerUri, StatusEvent } from "rtmfp-core/tc";
import type { Clock } from "./clock.ts";
import { connectObject } from "./connect-object.ts";
import { ConnectionCore, type CoreHost } from "./connection-core.ts";
import type { NetConnectionOptions } from "./options.ts";
import { aborted, failed, openServerLink } from "./server-link.ts";

/** What to connect to and how. */
export interface ServerRequest {
  readonly target: ServerUri;
  readonly args: readonly AmfValue[];
  readonly encoding: ObjectEncoding;
  readonly options: NetConnectionOptions;
  readonly clock: Clock;
  readonly host: CoreHost;
  /** Ends the attempt. */
  readonly signal: AbortSignal;
}

/** Rejects with the event that says why not; then nothing stays open. Call `begin` of the core when it is told. */
export async function connectServer(request: ServerRequest): Promise<{ core: ConnectionCore; event: StatusEvent }> {
  const connected = await attempt(request);
  const { core, isLegacy } = connected;
  if (!core.wantsLegacyIdentity || isLegacy || request.options.identity !== undefined) return connected;
  await core.abort();
  return attempt({ ...request, options: { ...request.options, identity: "legacy" } });
}

async function attempt(
  request: ServerRequest,
): Promise<{ core: ConnectionCore; event: StatusEvent; isLegacy: boolean }> {
  const { target, args, encoding, options, clock, host, signal } = request;
  const startedAt = clock.now();
  const { endpoint, session, isLegacy } = await openServerLink(target, options, signal);
  const core = new ConnectionCore(endpoint, session, clock, encoding, host);
  const { timeoutMs } = host;
  let release = (): void => {};
  const ending = new Promise<never>((_, reject) => {
    const onAbort = (): void => reject(aborted());
    const cancel = clock.after(Math.max(0, timeoutMs - (clock.now() - startedAt)), () => {
      const unread = core.malformed === 0 ? "" : `; ${core.malformed} of its messages could not be read`;
      reject(failed(`${target.host} did not answer the connect command within ${timeoutMs / 1000} s${unread}`));
    });
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
    release = () => {
      cancel();
      signal.removeEventListener("abort", onAbort);
    };
  });
  try {
    const event = await Promise.race([core.connect(connectObject(target, encoding), args, options.auth), ending]);
    if (!core.isOpen) throw failed(`${target.host} ended the connection at once`);
    return { core, event, isLegacy };
  } catch (error) {
    await core.abort();
    throw error;
  } finally {
    release();
    ending.catch(() => {});
  }
}
