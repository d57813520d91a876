/** One GET of a stream: redirects, passwords in the URL, and what servers answer. */
import { get as getHttp, type IncomingMessage } from "node:http";
import { get as getHttps } from "node:https";
import type { Clock } from "../clock.ts";

/** Why there is no stream, in one line without the URL. */
export class HttpTrouble extends Error {
  override readonly name = "HttpTrouble";
  /** There is no use in trying again. */
  readonly isFinal: boolean;

  constructor(message: string, isFinal: boolean) {
    super(message);
    this.isFinal = isFinal;
  }
}

/** The server does not give the stream to this name and password, or to nobody; asking again would look like guessing them. */
export class HttpRefusal extends HttpTrouble {
  constructor(message: string) {
    super(message, true);
  }
}

/** What a request is made with. */
export interface HttpRequestOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** How long each server may take until its answer's headers are complete; ms. */
  readonly answerMs: number;
}

/**
 * The answer with the stream, 200 or 206 (B-4), after at most ten redirects. Its body is not packed. Rejects with HttpTrouble,
 * or whatever `signal` is aborted with.
 */
export async function openHttp(url: URL, options: HttpRequestOptions): Promise<IncomingMessage> {
  const seen = new Set<string>();
  for (let at = url; ; ) {
    if (seen.has(at.href)) throw new HttpTrouble(`it is redirected in a circle, back to ${shownUrl(at)}`, true);
    if (seen.size > MAX_REDIRECTS) throw new HttpTrouble(`it is redirected more than ${MAX_REDIRECTS} times`, true);
    seen.add(at.href);
    const response = await request(at, options);
    const { statusCode = 0, headers } = response;
    if (!REDIRECTS.has(statusCode) || headers.location === undefined) return checked(response);
    response.destroy();
    at = target(headers.location, at);
  }
}

/** The URL as people may see it: without name and password, and what often holds a key. */
export function shownUrl(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}${url.search === "" ? "" : "?…"}`;
}

function request(url: URL, { clock, signal, answerMs }: HttpRequestOptions): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const { username, password } = url;
    const isPlain = username === "" && password === "";
    const auth = isPlain ? {} : { auth: `${decode(username)}:${decode(password)}` };
    const headers = { accept: "video/x-flv, */*", "accept-encoding": "identity", "user-agent": "rtmfp-client" };
    const bare = new URL(url);
    bare.username = "";
    bare.password = "";
    const get = url.protocol === "https:" ? getHttps : getHttp;
    // A connection of its own: one that was kept from the last attempt may be the broken one.
    const outgoing = get(bare, { ...auth, headers, signal, agent: false });
    const cancel = clock.after(answerMs, () =>
      outgoing.destroy(new HttpTrouble(`${url.host} does not answer within ${answerMs / 1000} s`, false)),
    );
    outgoing.once("response", (response) => {
      cancel();
      resolve(response);
    });
    // Status 101, which nobody has asked for: without somebody who listens the request ends without a word.
    outgoing.once("upgrade", (response, socket) => {
      cancel();
      socket.destroy();
      resolve(response);
    });
    // Also after the answer, whose reader has been told by then.
    outgoing.on("error", (error) => {
      cancel();
      reject(signal.aborted ? signal.reason : (explain(error, url.host) ?? error));
    });
  });
}

/** Something that is not percent-encoded as it should be is taken as it stands. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function target(location: string, from: URL): URL {
  const to = URL.canParse(location, from.href) ? new URL(location, from) : undefined;
  if (to === undefined || !/^https?:$/.test(to.protocol))
    throw new HttpTrouble(`it is redirected to ${JSON.stringify(location)}, which is no HTTP URL`, true);
  // Credentials are for the server that they were given for.
  if (to.origin === from.origin && to.username === "" && to.password === "") {
    to.username = from.username;
    to.password = from.password;
  }
  return to;
}

function checked(response: IncomingMessage): IncomingMessage {
  const { statusCode = 0, headers } = response;
  const isFound = statusCode === 200 || statusCode === 206;
  const encoding = headers["content-encoding"]?.trim() ?? "";
  if (isFound && (encoding === "" || encoding.toLowerCase() === "identity")) return response;
  response.destroy();
  if (isFound)
    throw new HttpTrouble(
      `the server packs the stream (${encoding}), though it was asked not to: switch that off`,
      true,
    );
  const said = `${statusCode} ${response.statusMessage ?? ""}`.trim();
  if (statusCode === 401)
    throw new HttpRefusal(`the server wants a name and password (${said}): http://NAME:PASSWORD@HOST/...`);
  if (statusCode === 403) throw new HttpRefusal(`the server answers ${said}`);
  const mayPass = statusCode >= 500 || [404, 408, 409, 423, 425, 429].includes(statusCode);
  const advice = statusCode === 404 ? ": nobody publishes there now, or the path is wrong" : "";
  throw new HttpTrouble(`the server answers ${said}${advice}`, !mayPass);
}

/** What the network or the parser of HTTP says, in words; undefined for other errors. */
export function explain(error: unknown, host: string): HttpTrouble | undefined {
  if (error instanceof HttpTrouble) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (typeof code !== "string") return undefined;
  if (/CERT|SELF_SIGNED|UNABLE_TO|ERR_TLS|ISSUER/.test(code))
    return new HttpTrouble(`the certificate of ${host} is not valid: ${message}; ${TRUST}`, true);
  if (code === "EPROTO" || code.startsWith("ERR_SSL"))
    return new HttpTrouble(`${host} does not speak HTTPS: try http://`, true);
  if (code === "HPE_HEADER_OVERFLOW") return new HttpTrouble("the headers of the answer have no end", true);
  if (code.startsWith("HPE_")) return new HttpTrouble(`${host} does not speak HTTP: ${message}`, true);
  return new HttpTrouble(`${host}: ${REASONS[code] ?? message}`, false);
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nobody listens there",
  ECONNRESET: "the connection was broken off",
  ENOTFOUND: "the host name cannot be resolved; check its spelling and the network",
  EAI_AGAIN: "the host name cannot be resolved at the moment",
  ETIMEDOUT: "no answer",
  EHOSTUNREACH: "no way there",
  ENETUNREACH: "no way there",
};
const TRUST = "correct it, or trust its issuer with NODE_EXTRA_CA_CERTS=FILE";
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const MAX_REDIRECTS = 10;
