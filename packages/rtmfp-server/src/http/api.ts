/** The routes of the HTTP side: REST under /api, Prometheus under /metrics. */
import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { formatAddress } from "rtmfp-core";
import type { Client } from "../client.ts";
import type { IntroductionRow } from "../introduction-row.ts";
import { natKind } from "../nat.ts";
import type { Server } from "../server.ts";
import { packageVersion } from "../version.ts";
import { describeGroup, findGroup } from "./groups.ts";
import { guard } from "./guard.ts";
import type { Metrics } from "./metrics.ts";
import { findById, HttpError, page } from "./request.ts";

/** What the routes need. */
export interface ApiOptions {
  readonly server: Server;
  readonly metrics: Metrics;
  /** The bearer token to ask for; asked at every request, so that it can change. Undefined: none is asked for. */
  readonly token: () => string | undefined;
  /** The server's URLs and identity. */
  readonly listening: { readonly urls: readonly string[]; readonly fingerprint: string };
  /** A route has failed. */
  onError(error: unknown): void;
}

type Handler = (context: Context) => Response | Promise<Response>;

/** Makes the application; nothing listens yet. */
export function createApi(options: ApiOptions): Hono {
  const { server, metrics, listening } = options;
  const routes: Readonly<Record<string, Readonly<Record<string, Handler>>>> = {
    "/api/health": { GET: (c) => health(c, server, listening) },
    "/api/stats": {
      GET: (c) => c.json({ ...server.stats, transport: server.transport, memory: process.memoryUsage() }),
    },
    "/api/apps": { GET: (c) => c.json(page(c, [...server.applicationStats], ([app, stats]) => ({ app, ...stats }))) },
    "/api/clients": { GET: (c) => c.json(page(c, clientsOf(c, server), describeClient)) },
    "/api/clients/:id": {
      GET: (c) => {
        const client = findClient(c, server);
        return c.json({ ...describeClient(client), session: client.stats });
      },
      DELETE: (c) => kick(c, findClient(c, server)),
    },
    "/api/clients/:id/kick": { POST: (c) => kick(c, findClient(c, server)) },
    "/api/streams": { GET: (c) => c.json(page(c, streamsOf(server), (stream) => stream)) },
    "/api/groups": {
      GET: (c) => c.json(page(c, [...server.groups.groups], ([group, stats]) => ({ group, ...stats }))),
    },
    "/api/groups/:id": { GET: (c) => c.json(describeGroup(c, server, findGroup(c, server))) },
    "/api/introductions": { GET: (c) => c.json(page(c, introductionsOf(c, server), describeIntroduction)) },
    "/metrics": {
      GET: async (c) => c.body(await metrics.text(), 200, { "content-type": metrics.contentType }),
    },
  };
  const api = new Hono();
  api.use(guard(options.token));
  api.use(bodyLimit({ maxSize: MAX_BODY_BYTES, onError: (c) => c.json({ error: "the body is too large" }, 413) }));
  for (const [path, methods] of Object.entries(routes)) {
    for (const [method, handler] of Object.entries(methods)) api.on(method, path, handler);
    const allow = Object.keys(methods).join(", ");
    api.all(path, (c) => c.json({ error: `only ${allow} here` }, 405, { allow }));
  }
  const known = Object.keys(routes).join(" ");
  api.notFound((c) => c.json({ error: `nothing at ${c.req.path}; there is ${known}` }, 404));
  api.onError((error, c) => {
    if (error instanceof HttpError) return c.json({ error: error.message }, error.status);
    options.onError(error);
    return c.json({ error: "the request failed; the server's log says why" }, 500);
  });
  return api;
}

function health(c: Context, server: Server, listening: ApiOptions["listening"]): Response {
  const { sessions, clients } = server.stats;
  const status = server.isListening ? "ok" : "closing";
  const uptimeSeconds = Math.round(process.uptime());
  const body = { status, version: packageVersion(), uptimeSeconds, sessions, clients, ...listening };
  return c.json(body, server.isListening ? 200 : 503);
}

function clientsOf(c: Context, server: Server): readonly Client[] {
  const app = c.req.query("app");
  return app === undefined ? server.clients : server.clients.filter((client) => client.app.path === app);
}

function findClient(c: Context, server: Server): Client {
  return findById(c, "client", server.clients, ({ farID }) => farID);
}

async function kick(c: Context, client: Client): Promise<Response> {
  const reason = await reasonIn(c);
  void client.end("NetConnection.Connect.Rejected", reason ?? "The operator has ended the connection.");
  return c.json({ kicked: client.farID });
}

/** `{"reason": "..."}` in the body, which may be empty. */
async function reasonIn(c: Context): Promise<string | undefined> {
  const text = await c.req.text();
  if (text === "") return undefined;
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw new HttpError(400, "the body is not JSON");
  }
  const reason = (body as { reason?: unknown } | null)?.reason;
  if (typeof reason === "string" && reason.length <= MAX_REASON) return reason;
  throw new HttpError(400, `expected {"reason": "..."} of at most ${MAX_REASON} characters`);
}

function describeClient(client: Client): object {
  const { farID, app, address, nat, agent, pageUrl, user, security } = client;
  return {
    id: farID,
    app: app.path,
    address: formatAddress(address),
    nat: { kind: natKind(nat), ...nat },
    agent,
    pageUrl,
    ...(user === undefined ? {} : { user: user.text }),
    security,
    rttMs: client.stats.srtt ?? null,
  };
}

function streamsOf(server: Server): readonly object[] {
  return [...server.instances].flatMap((app) =>
    [...app.streams.streams.values()].map(({ name, publisher, subscriptions }) => ({
      app: app.path,
      stream: name,
      publisher: publisher?.clientId ?? null,
      players: subscriptions.size,
    })),
  );
}

function introductionsOf(c: Context, server: Server): readonly IntroductionRow[] {
  const [outcome, peer] = [c.req.query("outcome"), c.req.query("peer")?.toLowerCase()];
  return server.introductions.filter(
    (row) =>
      (outcome === undefined || row.outcome === outcome) &&
      (peer === undefined || row.asker.id.startsWith(peer) || row.target.id.startsWith(peer)),
  );
}

function describeIntroduction({ endedAt, asker, target, ...row }: IntroductionRow): object {
  const end = (one: IntroductionRow["asker"]): object => {
    const { id, address, ...nat } = one;
    return { id, address, nat: { kind: natKind(nat), ...nat } };
  };
  return { time: new Date(endedAt).toISOString(), ...row, asker: end(asker), target: end(target) };
}

/** Longest body of a request. */
export const MAX_BODY_BYTES = 16_384;
const MAX_REASON = 256;
