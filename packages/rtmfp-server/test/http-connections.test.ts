import { EventEmitter, once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, connect, Socket } from "node:net";
import { afterEach, describe, expect } from "vitest";
import { it, rfc } from "../../../test/support/rfc.ts";
import {
  boundConnections,
  type ConnectionTimes,
  connectionOptions,
  MAX_CONNECTIONS,
  MAX_WAITING,
} from "../src/http/connections.ts";
import { serveHttp } from "../src/http/index.ts";
import { SimServer } from "./support/sim.ts";

const LONG: ConnectionTimes = { headersMs: 60_000, requestMs: 60_000, silenceMs: 60_000 };
const enders: (() => void)[] = [];

afterEach(() => {
  for (const end of enders.splice(0)) end();
});

async function serve(times: ConnectionTimes, answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const http = createServer(connectionOptions(times), answer);
  boundConnections(http, times);
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  enders.push(() => {
    http.close();
    http.closeAllConnections();
  });
  return (http.address() as AddressInfo).port;
}

/** Connected, with what it has written; `text` is all that it gets until the server closes it. */
async function open(port: number, said = ""): Promise<{ socket: Socket; text: Promise<string> }> {
  const socket = connect(port, "127.0.0.1");
  enders.push(() => socket.destroy());
  let got = "";
  socket.on("data", (bytes) => {
    got += bytes;
  });
  socket.on("error", () => {});
  // Not once(), which rejects at a reset: what came before it is what counts.
  const text = new Promise<string>((resolve) => socket.once("close", () => resolve(got)));
  await once(socket, "connect");
  socket.write(said);
  return { socket, text };
}

describe("connections of the HTTP side", () => {
  it(...rfc("F-18"), "that say nothing, or half of a request, keep nobody out, however many they are", async () => {
    const sim = await new SimServer().listen();
    const listening = { url: "rtmfp://here", urls: ["rtmfp://here"], fingerprint: "", addresses: [] };
    const side = await serveHttp(sim.server, listening, { port: 0 });
    enders.push(() => void side.close());
    const port = Number(new URL(side.url).port);
    const half = "GET /api/health HTTP/1.1\r\nHost: 127.0.0.1\r\n";
    for (let i = 0; i < 2 * MAX_CONNECTIONS; i++) await open(port, i % 2 === 0 ? "" : half);
    expect((await fetch(`${side.url}/api/health`)).status).toBe(200);
  });

  it("give way to newer ones, the oldest first, unless their request is being answered", async () => {
    const answers: ServerResponse[] = [];
    const port = await serve(LONG, (_request, response) => void answers.push(response));
    const busy = await open(port, "GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n");
    const silent = [];
    for (let i = 0; i <= MAX_WAITING; i++) silent.push(await open(port));
    expect(await silent[0]?.text).toBe("");
    expect([silent[1]?.socket.destroyed, busy.socket.destroyed]).toEqual([false, false]);
    answers[0]?.end("here you are");
    expect(await busy.text).toMatch(/^HTTP\/1.1 200 OK[\s\S]*here you are/);
  });

  it("give way one for one when many come at once", () => {
    const http = Object.assign(new EventEmitter(), { setTimeout: () => {} });
    boundConnections(http as unknown as Server, LONG);
    const sockets = Array.from({ length: MAX_WAITING + 10 }, () => new Socket());
    for (const socket of sockets) http.emit("connection", socket);
    expect(sockets.map(({ destroyed }) => destroyed)).toEqual(sockets.map((_, i) => i < 10));
  });

  it("that have had their answer wait like new ones", async () => {
    const port = await serve(LONG, (_request, response) => response.end());
    const served = await open(port, "GET / HTTP/1.1\r\nHost: here\r\n\r\n");
    await once(served.socket, "data");
    for (let i = 0; i < MAX_WAITING; i++) await open(port);
    expect(await served.text).toMatch(/^HTTP\/1.1 200 OK/);
  });

  it(`are at most ${MAX_CONNECTIONS}`, async () => {
    const port = await serve(LONG, () => {});
    for (let i = 0; i < MAX_CONNECTIONS; i++) await open(port, "GET / HTTP/1.1\r\nHost: here\r\n\r\n");
    expect(await (await open(port)).text).toBe("");
  });

  it("end when headers, a body or the reader of an answer take too long", async () => {
    const short = { headersMs: 300, requestMs: 600, silenceMs: 60_000 };
    const port = await serve(short, (request) => void request.resume());
    expect(await (await open(port)).text).toMatch(/^(HTTP\/1.1 408 |$)/);
    expect(await (await open(port, "GET / HTTP/1.1\r\n")).text).toMatch(/^HTTP\/1.1 408 /);
    const head = "POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 5\r\n\r\n";
    expect(await (await open(port, head)).text).toMatch(/^HTTP\/1.1 408 /);
    const slow = await serve({ ...LONG, silenceMs: 500 }, (_request, response) => void response.write("some"));
    expect(await (await open(slow, "GET / HTTP/1.1\r\nHost: here\r\n\r\n")).text).toMatch(/^HTTP\/1.1 200 OK/);
  });
});
