/** Sends clients to other servers at their first hello, before anything is agreed on (RFC 7016 §3.5.1.4). */
import { type Address, parseAddressText, RtmfpError } from "rtmfp-core";
import { parseEpd } from "rtmfp-core/crypto";
import { Origin, type WireAddress } from "rtmfp-core/proto";
import { pendingOf } from "./pending.ts";

/** The first hello of a client, which proves nothing yet: not even that the address is its own. */
export interface Hello {
  /** Where it came from. */
  readonly from: Address;
  /** The URI that the client connects to, as it says; undefined if it says none. */
  readonly uri: string | undefined;
}

/**
 * Where clients are to go instead: each `host:port` with an IP address. A function decides for each hello at once, for anybody
 * may send hellos: a Promise is refused; with undefined or an empty list the client stays here.
 */
export type HelloRedirect = readonly string[] | ((hello: Hello) => readonly string[] | undefined);

/**
 * The endpoint's `redirectHello`. What the function throws, or gives that is no address, is told to `onError`, and the
 * client stays. Throws BAD_ARGUMENT for a list with something else than addresses.
 */
export function helloRedirect(
  redirect: HelloRedirect,
  onError: (error: unknown) => void,
): (epd: Uint8Array, from: Address) => readonly WireAddress[] {
  if (typeof redirect !== "function") {
    const addresses = readAddresses(redirect);
    return () => addresses;
  }
  return (epd, from) => {
    try {
      const uri = parseEpd(epd)?.ancillaryData;
      const answer: unknown = redirect({ from, uri: uri === undefined ? undefined : UTF8.decode(uri) });
      const pending = pendingOf(answer);
      if (pending === undefined) return readAddresses((answer ?? []) as readonly string[]);
      pending.catch(onError);
      throw new TypeError("redirect must return addresses at once, not a Promise");
    } catch (error) {
      onError(error);
      return [];
    }
  };
}

function readAddresses(texts: readonly string[]): readonly WireAddress[] {
  return texts.map((text) => {
    const address = parseAddressText(text);
    if (address === undefined)
      throw new RtmfpError("BAD_ARGUMENT", `redirect: expected an IP address and a port, got "${text}"`);
    return { ...address, origin: Origin.unknown };
  });
}

const UTF8 = new TextDecoder();
