/** A channel for players that know HTTP-FLV. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { RtmfpError } from "rtmfp-core";
import { encodeFlvHeader, encodeFlvTag, type FlvTag, GopCache } from "rtmfp-core/flv";
import { type Clock, systemClock } from "../clock.ts";
import { GopQueue } from "./gop-queue.ts";
import { formatPlace, type HttpPlace, isLoopback, refusal } from "./http-place.ts";
import { MAX_GROUP_BYTES } from "./stream-start.ts";

/** Settings of an {@link HttpFlvServer}. */
export interface HttpFlvOptions extends HttpPlace {
  /** What is served, at `/NAME.flv`. */
  readonly channel: string;
  /** At least 16 characters without spaces; needed beyond loopback. Default: none. */
  readonly token?: string | undefined;
  /** Default: the process's. */
  readonly clock?: Clock;
}

/** A tag and its bytes in FLV, made once for all viewers. */
interface Encoded extends FlvTag {
  readonly bytes: Uint8Array;
}

/**
 * Serves one stream to any number of viewers, up to a cap. Whoever comes late is sent header, metadata, codec configuration and the
 * current group of pictures, or, where it is too long to be kept, sound until the next one; who is slow loses old groups; who takes
 * nothing for 30 s is cut off.
 */
export class HttpFlvServer {
  /** Where the stream is, such as `http://127.0.0.1:8080/news.flv`. */
  readonly url: string;
  readonly #http: Server;
  readonly #options: HttpFlvOptions;
  readonly #clock: Clock;
  readonly #path: string;
  #cache = makeCache();
  readonly #viewers = new Set<GopQueue<Encoded>>();
  /** Connections on which something has been asked for. */
  readonly #asked = new WeakSet<Socket>();
  #dropped = 0;
  #served = 0;

  private constructor(http: Server, options: HttpFlvOptions) {
    this.#http = http;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#path = `/${encodeURIComponent(options.channel)}.flv`;
    const { port } = http.address() as AddressInfo;
    this.url = `http://${formatPlace({ host: options.host, port })}${this.#path}`;
    http.on("request", (request, response) => this.#onRequest(request, response));
  }

  /** Listens. Rejects with LISTEN_FAILED, and with BAD_ARGUMENT for a token that is missing or too short; each in one line. */
  static async open(options: HttpFlvOptions): Promise<HttpFlvServer> {
    checkToken(options);
    const http = createServer({
      requestTimeout: REQUEST_TIMEOUT_MS,
      headersTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: CHECK_MS,
    });
    http.maxConnections = MAX_CONNECTIONS;
    await new Promise<void>((resolve, reject) => {
      // Later ones are of connections that could not be taken, for want of file descriptors for example.
      http.on("error", (error: NodeJS.ErrnoException) => reject(explain(error, options)));
      http.listen(options.port, options.host, resolve);
    });
    return new HttpFlvServer(http, options);
  }

  /** Viewers at this moment. */
  get viewers(): number {
    return this.#viewers.size;
  }

  /** Viewers so far, those of this moment too. */
  get served(): number {
    return this.#served;
  }

  /** Tags that viewers did not get: they were slow, or came in the middle of a group that is too long to be kept. */
  get dropped(): number {
    return [...this.#viewers].reduce((sum, { dropped }) => sum + dropped, this.#dropped);
  }

  /** The next tag of the stream. */
  add(tag: FlvTag): void {
    const entry = encoded(tag);
    this.#cache.add(entry);
    for (const viewer of this.#viewers) viewer.push(entry);
  }

  /** What follows is of a sender that begins anew: who comes later gets nothing of the one before. */
  restart(): void {
    this.#cache = makeCache();
  }

  /** Ends the stream of all viewers, and frees the port. */
  async close(): Promise<void> {
    for (const viewer of this.#viewers) viewer.end();
    const closed = new Promise<void>((resolve) => this.#http.close(() => resolve()));
    const cancel = this.#clock.after(CLOSE_MS, () => this.#http.closeAllConnections());
    this.#http.closeIdleConnections();
    await closed;
    cancel();
  }

  #onRequest(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    // A stream has no end that another answer could follow: who asks again meanwhile would wait for ever.
    if (this.#asked.has(socket)) {
      socket.destroy();
      return;
    }
    this.#asked.add(socket);
    // Not by URL, which throws at what some send.
    const [path] = (request.url ?? "").split("?", 1);
    const refused = refusal(request, this.#options.token);
    if (refused !== undefined) answer(response, ...refused);
    else if (request.method !== "GET" && request.method !== "HEAD") answer(response, 405, "only GET and HEAD here");
    else if (path !== this.#path) answer(response, 404, `nothing here; there is ${this.#path}`);
    else if (request.method === "HEAD") response.writeHead(200, HEADERS).end();
    else void this.#serve(response);
  }

  async #serve(response: ServerResponse): Promise<void> {
    const viewer = new GopQueue<Encoded>(MAX_VIEWER_BYTES);
    this.#viewers.add(viewer);
    this.#served++;
    response.once("close", () => void viewer.return());
    response.writeHead(200, HEADERS);
    response.write(encodeFlvHeader());
    for (const tag of this.#cache.opening) viewer.push(tag);
    if (this.#cache.awaitsKeyFrame) viewer.awaitKeyFrame();
    for await (const { bytes } of viewer) if (!response.write(bytes)) await this.#drained(response);
    response.end();
    this.#viewers.delete(viewer);
    this.#dropped += viewer.dropped;
  }

  /** Resolves when the viewer can take more, or has gone. */
  #drained(response: ServerResponse): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#clock.after(STUCK_MS, () => response.destroy());
      const done = (): void => {
        cancel();
        response.off("drain", done).off("close", done);
        resolve();
      };
      response.once("drain", done).once("close", done);
      if (response.destroyed) done();
    });
  }
}

function makeCache(): GopCache<Encoded> {
  return new GopCache((tag, timestamp, data) => encoded({ ...tag, timestamp, data }), MAX_GROUP_BYTES);
}

function encoded(tag: FlvTag): Encoded {
  const bytes = encodeFlvTag(tag);
  return { ...tag, data: bytes.subarray(TAG_HEADER_BYTES, TAG_HEADER_BYTES + tag.data.length), bytes };
}

function answer(response: ServerResponse, status: number, line: string): void {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8", connection: "close" }).end(`${line}\n`);
}

function checkToken(options: HttpFlvOptions): void {
  const { token, host } = options;
  if (token === undefined && !isLoopback(options))
    throw new RtmfpError(
      "BAD_ARGUMENT",
      `HTTP on ${host}, beyond this host, needs a token: RTMFP_HTTP_TOKEN=$(openssl rand -hex 32) rtmfp-client ...`,
    );
  if (token !== undefined && (token.length < MIN_TOKEN || /\s/.test(token)))
    throw new RtmfpError(
      "BAD_ARGUMENT",
      `expected a token of at least ${MIN_TOKEN} characters without spaces; openssl rand -hex 32 makes one`,
    );
}

function explain(error: NodeJS.ErrnoException, place: HttpPlace): RtmfpError {
  const reasons: Readonly<Record<string, string>> = {
    EADDRINUSE: "the port is in use; choose another with --http",
    EADDRNOTAVAIL: "this host has no such address",
    EACCES: "only root may use this port; choose one above 1023",
  };
  const why = reasons[error.code ?? ""] ?? error.message;
  return new RtmfpError("LISTEN_FAILED", `cannot listen on TCP ${formatPlace(place)}: ${why}`);
}

const HEADERS = { "content-type": "video/x-flv", "cache-control": "no-store", connection: "close" } as const;
const TAG_HEADER_BYTES = 11;
const MIN_TOKEN = 16;
/** Viewers at a time; more are closed at once. */
export const MAX_CONNECTIONS = 512;
/** What may wait for one viewer: a few groups of pictures, but not the memory of the host. */
export const MAX_VIEWER_BYTES: number = 8 * 1024 * 1024;
const REQUEST_TIMEOUT_MS = 10_000;
/** How often it is looked for requests that are too slow. */
const CHECK_MS = 1_000;
/** A viewer that takes nothing for so long has gone without a word. */
const STUCK_MS = 30_000;
/** How long viewers may take to read the end of the stream. */
const CLOSE_MS = 2_000;
