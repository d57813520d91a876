/** Applications: what a server does for the clients of one instance. */
import type { AmfValue } from "rtmfp-core/tc";
import type { Client } from "./client.ts";
import type { LookupAnswer, PeerLookup } from "./lookup-policy.ts";
import type { Peer } from "./peers.ts";
import { StreamBroker } from "./stream-broker.ts";

/** What an application may decide and hear. All are optional. */
export interface ApplicationHandlers {
  /**
   * A client sent `connect`, with whatever it gave beyond the URL. Returning accepts it, throwing {@link Reject} refuses
   * it, a Promise leaves it pending until then.
   */
  onConnect?(client: Client, ...args: AmfValue[]): unknown;
  /** A client that had been accepted is gone. */
  onDisconnect?(client: Client): void;
  /**
   * May `asker` learn where `target` is? Asked of the instances of both, where they have one; both must agree. Addresses
   * instead of yes are all that the asker is told, and the target hears nothing. Default: yes. A throw is a no. A Promise
   * must resolve within 5 s.
   */
  onPeerLookup?(asker: Peer, target: Peer, lookup: PeerLookup): LookupAnswer | Promise<LookupAnswer>;
  /**
   * `asker`, a client of this instance, looks for a peer that is not connected here: addresses of it, or of a server that
   * can introduce it. Default: none. A Promise must resolve within 5 s.
   */
  onPeerUnknown?(asker: Peer, lookup: PeerLookup): readonly string[] | Promise<readonly string[]>;
}

/** Makes the handlers of one instance. Called when its first client arrives. */
export type ApplicationFactory = (app: Application) => ApplicationHandlers;

/** One instance of an application, from its first client to its last. */
export class Application {
  /** The first segment of the URL's path: the application's name, or a developer key. */
  readonly name: string;
  /** The other segments, joined by `/`; `""` if there are none. */
  readonly instance: string;
  /** Live streams by name. */
  readonly streams: StreamBroker = new StreamBroker();
  readonly #clients = new Set<Client>();

  /** Made by the server for its first client. */
  constructor(name: string, instance: string) {
    this.name = name;
    this.instance = instance;
  }

  /** Clients accepted and not yet gone. */
  get clients(): ReadonlySet<Client> {
    return this.#clients;
  }

  /** Calls `name` on the client object of every accepted client. */
  broadcastMsg(name: string, ...args: AmfValue[]): void {
    for (const client of this.#clients) client.send(name, ...args);
  }

  /** Called by the server. */
  add(client: Client): void {
    this.#clients.add(client);
  }

  /** Called by the server. */
  remove(client: Client): boolean {
    return this.#clients.delete(client);
  }
}

/** An instance with its handlers. */
export interface RunningApplication {
  readonly app: Application;
  readonly handlers: ApplicationHandlers;
}

/** The applications of a server by name, and their instances. */
export class Applications {
  readonly #factories = new Map<string, ApplicationFactory>();
  readonly #running = new Map<string, RunningApplication & { users: number }>();
  readonly #fallback: ApplicationFactory;

  /** `fallback` serves every name that is not defined. */
  constructor(fallback: ApplicationFactory) {
    this.#fallback = fallback;
  }

  /** Throws RangeError if the name is taken or no first segment of a path. */
  define(name: string, factory: ApplicationFactory): void {
    if (name === "" || name.includes("/")) throw new RangeError(`expected an application's name, got "${name}"`);
    if (this.#factories.has(name)) throw new RangeError(`the application "${name}" is defined already`);
    this.#factories.set(name, factory);
  }

  has(name: string): boolean {
    return this.#factories.has(name);
  }

  /** The instance for a new connection, made if need be. Pair with {@link leave}. */
  enter(name: string, instance: string): RunningApplication {
    const key = `${name}/${instance}`;
    let running = this.#running.get(key);
    if (running === undefined) {
      const app = new Application(name, instance);
      const factory = this.#factories.get(name) ?? this.#fallback;
      running = { app, handlers: factory(app), users: 0 };
      this.#running.set(key, running);
    }
    running.users++;
    return running;
  }

  /** A connection that had entered is gone; with the last one the instance ends. */
  leave({ app }: RunningApplication): void {
    const key = `${app.name}/${app.instance}`;
    const running = this.#running.get(key);
    if (running?.app !== app) return;
    running.users--;
    if (running.users === 0) this.#running.delete(key);
  }

  /** The handlers of a running instance. */
  handlersOf(app: Application): ApplicationHandlers | undefined {
    const running = this.#running.get(`${app.name}/${app.instance}`);
    return running?.app === app ? running.handlers : undefined;
  }
}
