/** Tokens for servers that ask for them: rtmfp-server with `authKeys`, and rtmfp-cpp's tcserver. § means RFC 7425. */
import { RtmfpError, type Session } from "rtmfp-core";
import { boundToken, type CryptoProvider, equalSecrets } from "rtmfp-core/crypto";
import type { AmfValue } from "rtmfp-core/tc";
import { failed } from "./server-link.ts";

/** What lets a client in. The token itself is not sent: a hash bound to the session is (§4.6.5). */
export interface ConnectionAuth {
  /** The token: 64 hex digits, as whoever has the server's key makes it. */
  readonly token: string;
  /** The user's name that the token is for. Default: none, the token is for the application. */
  readonly user?: string;
}

/** Throws BAD_ARGUMENT for a token that is none. */
export function checkAuth(auth: ConnectionAuth | undefined): void {
  if (auth === undefined || /^[0-9a-f]{64}$/.test(auth.token)) return;
  throw new RtmfpError("BAD_ARGUMENT", "auth.token: expected 64 lower-case hex digits");
}

/** Arguments of `connect` that go before those of the application. */
export function authArguments({ token, user }: ConnectionAuth, session: Session, provider: CryptoProvider): AmfValue[] {
  const bound = boundToken(provider, session.farNonce, token);
  return user === undefined ? [bound] : [user, bound];
}

/** Throws NetConnection.Connect.Failed unless the server has shown that it knows the token too: else it may be anybody. */
export function checkProof(
  { token }: ConnectionAuth,
  proof: AmfValue,
  session: Session,
  provider: CryptoProvider,
): void {
  const expected = boundToken(provider, session.nearNonce, token);
  if (typeof proof === "string" && equalSecrets(UTF8.encode(proof), UTF8.encode(expected))) return;
  throw failed("the server does not know the token: it asks for none, or somebody is in between");
}

const UTF8 = new TextEncoder();
