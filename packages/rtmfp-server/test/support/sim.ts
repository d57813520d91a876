/** A server and clients in one simulated network. */
import { createIdentity, defaultProvider, type FlashIdentity, SERVER_IDENTITY } from "rtmfp-core/crypto";
import type { AmfObject, AmfValue } from "rtmfp-core/tc";
import { type HostOptions, type SimHost, SimWorld } from "rtmfp-core/testing";
import type { Application, ApplicationHandlers } from "../../src/application.ts";
import type { LogEntry } from "../../src/log.ts";
import { createServer, type Server } from "../../src/server.ts";
import type { ServerOptions } from "../../src/server-options.ts";
import { TestClient } from "./test-client.ts";

/** A world with one server in it. */
export class SimServer {
  readonly world: SimWorld;
  readonly server: Server;
  readonly host: SimHost;
  readonly log: LogEntry[] = [];
  /** Of the clients, in the order in which they came. */
  readonly hosts: SimHost[] = [];

  /** Call {@link listen} next. */
  constructor(options: ServerOptions = {}, hostOptions: HostOptions = {}, seed = 1) {
    this.world = new SimWorld(seed);
    this.host = this.world.host("server", hostOptions);
    this.server = createServer({
      carrier: () => this.host.open(hostOptions.addresses?.map((host) => ({ host, port: PORT })) ?? [{ port: PORT }]),
      random: (length) => this.host.random(length),
      identity: createIdentity(defaultProvider(), { ...SERVER_IDENTITY, groups: [31] }),
      log: (entry) => void this.log.push(entry),
      ...options,
    });
  }

  get address(): string {
    return `${this.host.addresses[0]}:${PORT}`;
  }

  async listen(): Promise<this> {
    await this.server.listen();
    return this;
  }

  /** A host with a session to the server. */
  async open(options: HostOptions = {}, identity?: FlashIdentity): Promise<TestClient> {
    const host = this.world.host(`client ${this.hosts.length}`, options);
    this.hosts.push(host);
    return this.openOn(host, this.address, identity);
  }

  async openOn(host: SimHost, address: string = this.address, identity?: FlashIdentity): Promise<TestClient> {
    return this.run(TestClient.open(host.open(), address, (length) => host.random(length), identity));
  }

  /** A client that is connected to an application. */
  async connect(app = "key", args: readonly AmfValue[] = [], more: AmfObject = {}): Promise<TestClient> {
    const client = await this.open();
    await this.run(client.connect(app, args, more));
    return client;
  }

  /** Lets time pass until the promise settles. */
  async run<T>(promise: Promise<T>, limitMs = 20_000): Promise<T> {
    return this.world.settle(promise, limitMs);
  }

  /** Lets time pass. */
  async pass(ms: number): Promise<void> {
    await this.world.runAsync(ms);
  }

  /** Fields of the log's entries of that name. */
  logged(event: string): LogEntry["fields"][] {
    return this.log.filter((entry) => entry.event === event).map((entry) => entry.fields);
  }
}

/** A server with one application "lobby", and its instances as they come. */
export async function lobby(
  handlers: (app: Application) => ApplicationHandlers = () => ({}),
): Promise<{ sim: SimServer; apps: Application[] }> {
  const sim = new SimServer();
  const apps: Application[] = [];
  sim.server.application("lobby", (app) => {
    apps.push(app);
    return handlers(app);
  });
  await sim.listen();
  return { sim, apps };
}

const PORT = 1935;
