/**
 * rtmfp-server/http: what a server tells and takes over HTTP: REST under `/api`, Prometheus under `/metrics`. Apart from the
 * main entry, so that who does without does not load its libraries.
 * @module
 */
import type { Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createAdaptorServer } from "@hono/node-server";
import { RtmfpError } from "rtmfp-core";
import type { Logger } from "../log.ts";
import { messageOf } from "../message-of.ts";
import { reachOf } from "../nat.ts";
import type { Server } from "../server.ts";
import type { Listening } from "../server-options.ts";
import { DEFAULT_HTTP_PORT } from "./address.ts";
import { createApi } from "./api.ts";
import { boundConnections, connectionOptions } from "./connections.ts";
import { createMetrics } from "./metrics.ts";

/** Options of {@link serveHttp}. */
export interface HttpOptions {
  /** IP address to listen on. Default 127.0.0.1. */
  readonly host?: string;
  /** TCP port; 0 is any free one. Default 8935. */
  readonly port?: number;
  /**
   * Bearer token that every request must bear, at least 16 characters, or what gives the one of the moment. Needed beyond
   * loopback. Default: none.
   */
  readonly token?: string | (() => string | undefined);
  /** Takes what goes wrong. Default: nothing is logged. */
  readonly log?: Logger;
}

/** An HTTP side that listens. */
export interface HttpSide {
  /** Such as `http://127.0.0.1:8935`. */
  readonly url: string;
  /** Frees the port and ends what is under way. */
  close(): Promise<void>;
}

/**
 * Serves HTTP for a server that listens; `listening` is what its `listen` told. Rejects with LISTEN_FAILED if the port is
 * in use, BAD_ARGUMENT beyond loopback without a token or for a token that is too short; each in one line.
 */
export async function serveHttp(server: Server, listening: Listening, options: HttpOptions = {}): Promise<HttpSide> {
  const { host = "127.0.0.1", port = DEFAULT_HTTP_PORT, token, log = () => {} } = options;
  const current = typeof token === "function" ? token : (): string | undefined => token;
  checkToken(host, current());
  const { urls, fingerprint } = listening;
  const api = createApi({
    server,
    metrics: createMetrics(server),
    // A token that is taken away later must not open the door.
    token: () => current() ?? (reachOf(host) === 0 ? undefined : NOBODY),
    listening: { urls, fingerprint },
    onError: (error) => {
      log({
        level: "error",
        event: "http",
        fields: { message: messageOf(error) },
      });
    },
  });
  const http = createAdaptorServer({ fetch: api.fetch, serverOptions: connectionOptions() }) as HttpServer;
  boundConnections(http);
  const bound = await new Promise<AddressInfo>((resolve, reject) => {
    http.once("error", (error: NodeJS.ErrnoException) => reject(explain(error, host, port)));
    http.listen(port, host, () => resolve(http.address() as AddressInfo));
  });
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${bound.port}`,
    close: () =>
      new Promise((resolve) => {
        http.close(() => resolve());
        http.closeAllConnections();
      }),
  };
}

function checkToken(host: string, token: string | undefined): void {
  if (token === undefined) {
    if (reachOf(host) === 0) return;
    throw new RtmfpError(
      "BAD_ARGUMENT",
      `HTTP on ${host}, beyond this host, needs a token: RTMFP_HTTP_TOKEN=$(openssl rand -hex 32) rtmfp-server ...`,
    );
  }
  if (token.length < MIN_TOKEN || /\s/.test(token)) {
    throw new RtmfpError(
      "BAD_ARGUMENT",
      `expected a token of at least ${MIN_TOKEN} characters without spaces; openssl rand -hex 32 makes one`,
    );
  }
}

function explain(error: NodeJS.ErrnoException, host: string, port: number): RtmfpError {
  const why =
    error.code === "EADDRINUSE"
      ? "the port is in use; choose another with --http, or --http off"
      : error.code === "EADDRNOTAVAIL"
        ? "this host has no such address"
        : error.message;
  return new RtmfpError(
    "LISTEN_FAILED",
    `cannot listen on TCP ${host.includes(":") ? `[${host}]` : host}:${port}: ${why}`,
  );
}

/** No request can bear this: it has a space. */
const NOBODY = "no token";
const MIN_TOKEN = 16;
