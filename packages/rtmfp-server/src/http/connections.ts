/** Bounds of an HTTP server's connections: nobody keeps others out by holding many that ask for nothing. */
import type { Server, ServerOptions } from "node:http";
import type { Socket } from "node:net";

/** How long a connection may take; ms. */
export interface ConnectionTimes {
  /** From the connection, or the answer before, until a request's headers are complete. */
  readonly headersMs: number;
  /** Until the whole request has come. */
  readonly requestMs: number;
  /** Without a byte in either direction. */
  readonly silenceMs: number;
}

/** What a server is made with so that {@link ConnectionTimes} hold: Node looks after them only now and then. */
export function connectionOptions({ headersMs, requestMs }: ConnectionTimes = TIMES): ServerOptions {
  return {
    headersTimeout: headersMs,
    requestTimeout: requestMs,
    keepAliveTimeout: headersMs,
    connectionsCheckingInterval: Math.min(headersMs, CHECK_MS),
  };
}

/** Bounds their number; beyond {@link MAX_WAITING} without a request under way the oldest of these is closed. */
export function boundConnections(http: Server, { silenceMs }: ConnectionTimes = TIMES): void {
  const waiting = new Set<Socket>();
  const wait = (socket: Socket): void => {
    if (socket.destroyed) return;
    waiting.add(socket);
    const [oldest] = waiting;
    if (waiting.size <= MAX_WAITING || oldest === undefined) return;
    // Its event comes only when all that arrived with this one has been taken.
    waiting.delete(oldest);
    oldest.destroy();
  };
  http.maxConnections = MAX_CONNECTIONS;
  http.setTimeout(silenceMs);
  http.on("connection", (socket: Socket) => {
    socket.once("close", () => waiting.delete(socket));
    wait(socket);
  });
  http.on("request", ({ socket }, response) => {
    waiting.delete(socket);
    response.once("close", () => wait(socket));
  });
}

/** Connections at a time; more are closed at once. */
export const MAX_CONNECTIONS = 128;
/** Of these, the ones on which no request is being answered. */
export const MAX_WAITING = 64;
const TIMES: ConnectionTimes = { headersMs: 5_000, requestMs: 10_000, silenceMs: 10_000 };
const CHECK_MS = 1_000;
