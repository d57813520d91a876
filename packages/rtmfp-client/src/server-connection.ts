/** Connects to a server: session, connect command, and the identity that the server asks for. § means RFC 7425. */
import type { AmfValue, ObjectEncoding, ServerUri, StatusEvent } from "rtmfp-core/tc";
import type { Clock } from "./clock.ts";
import { connectObject } from "./connect-object.ts";
import { ConnectionCore, type CoreHost } from "./connection-core.ts";
import type { NetConnectionOptions } from "./options.ts";
import { aborted, failed, openServerLink, openServerSession } from "./server-link.ts";

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

/**
 * Connects a core that goes on without its server to the server again. Rejects as {@link connectServer}; then the core is as it
 * was.
 */
export async function connectAgain(core: ConnectionCore, request: ServerRequest): Promise<StatusEvent> {
  const startedAt = core.clock.now();
  const session = await openServerSession(core.endpoint, request.target, request.options, request.signal);
  return core.comeBack(session, () => converse(core, request, startedAt));
}

async function attempt(
  request: ServerRequest,
): Promise<{ core: ConnectionCore; event: StatusEvent; isLegacy: boolean }> {
  const { target, encoding, options, clock, host, signal } = request;
  const startedAt = clock.now();
  const { endpoint, session, isLegacy } = await openServerLink(target, options, signal);
  const core = new ConnectionCore(endpoint, session, clock, encoding, host);
  try {
    return { core, event: await converse(core, request, startedAt), isLegacy };
  } catch (error) {
    await core.abort();
    throw error;
  }
}

/** The connect command and its answer, within the time that there is since `startedAt`. */
async function converse(core: ConnectionCore, request: ServerRequest, startedAt: number): Promise<StatusEvent> {
  const { target, args, encoding, options, clock, host, signal } = request;
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
    if (core.hasEnded) throw failed(`${target.host} ended the connection at once`);
    return event;
  } finally {
    release();
    ending.catch(() => {});
  }
}
