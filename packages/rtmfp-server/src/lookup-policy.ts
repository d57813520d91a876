/** What applications say to a request for a peer (F-12). */
import { type Address, parseAddressText, RtmfpError } from "rtmfp-core";
import type { Application, ApplicationHandlers } from "./application.ts";
import type { Peer } from "./peers.ts";
import { pendingOf } from "./pending.ts";

/** A request for a peer, for applications that answer it themselves. */
export interface PeerLookup {
  /** Whom it asks for: 64 hex digits, or `""` if it names no peer ID. */
  readonly targetID: string;
  /** Where the request came from. */
  readonly address: Address;
  /** What the answer must echo, for {@link Client.introducePeer}. Owned by the server; do not modify. */
  readonly tag: Uint8Array;
}

/** Introduce them; do not; or tell the asker these addresses, each `host:port` with an IP address, and nobody else. */
export type LookupAnswer = boolean | readonly string[];

/** An answer whose addresses are read. */
export type Decision = "introduce" | "deny" | readonly Address[];

/** The handlers of an application instance, if it runs. */
export type HandlersOf = (app: Application) => ApplicationHandlers | undefined;

/**
 * Both ends' applications are asked, the same one once. One that denies decides, then one that gives addresses. At once
 * unless one of them takes its time; a throw is a no, which the caller is told.
 */
export function decide(
  handlersOf: HandlersOf,
  asker: Peer,
  target: Peer,
  lookup: PeerLookup,
): Decision | Promise<Decision> {
  const apps = new Set([target.app, asker.app]);
  const answers: unknown[] = [];
  for (const app of apps) {
    const handlers = app === undefined ? undefined : handlersOf(app);
    if (handlers?.onPeerLookup === undefined) continue;
    // Whoever forgets to answer has not agreed.
    const answer = attempt(() => handlers.onPeerLookup?.(asker, target, lookup) ?? false);
    answers.push(pendingOf(answer) ?? answer);
  }
  if (!answers.some((answer) => answer instanceof Promise)) return combine(answers);
  return Promise.all(answers).then(combine);
}

/** The asker's application may know where a peer is that this server does not. */
export function locate(handlersOf: HandlersOf, asker: Peer, lookup: PeerLookup): Decision | Promise<Decision> {
  const handlers = asker.app === undefined ? undefined : handlersOf(asker.app);
  const answer: unknown = handlers?.onPeerUnknown?.(asker, lookup) ?? [];
  return pendingOf(answer)?.then(readAddresses) ?? readAddresses(answer);
}

/** The answer; a throw waits with the others, for nobody else would hear of a Promise that rejects beside it. */
function attempt<T>(ask: () => T | Promise<T>): T | Promise<T> {
  try {
    return ask();
  } catch (error) {
    return Promise.reject(error);
  }
}

function combine(answers: readonly unknown[]): Decision {
  if (answers.some((answer) => !answer)) return "deny";
  const given = answers.find((answer) => answer !== true);
  return given === undefined ? "introduce" : readAddresses(given);
}

function readAddresses(answer: unknown): readonly Address[] {
  if (!Array.isArray(answer)) throw new RtmfpError("BAD_ARGUMENT", "expected a list of addresses");
  return answer.map((text: string) => {
    const address = parseAddressText(text);
    if (address === undefined)
      throw new RtmfpError("BAD_ARGUMENT", `expected an address such as 192.0.2.1:1935, got "${text}"`);
    return address;
  });
}
