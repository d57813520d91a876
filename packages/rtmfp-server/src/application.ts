/** Applications: what a server does for the clients of one instance. */
import type { AmfValue, StatusCode } from "rtmfp-core/tc";
import type { Client } from "./client.ts";
import type { GroupControl } from "./group-control.ts";
import type { LookupAnswer, PeerLookup } from "./lookup-policy.ts";
import type { Peer } from "./peers.ts";
import type { Reject } from "./reject.ts";
import { StreamBroker } from "./stream-broker.ts";
import type { StreamName } from "./stream-name.ts";
import { TrafficMeter, type TrafficStats } from "./traffic-meter.ts";

/**
 * What an application may decide and hear, in the order in which it happens. All are optional. Where a handler decides,
 * returning means yes, throwing {@link Reject} no, and a Promise, or what else can be awaited, leaves the matter open until it
 * settles; whatever else is thrown is a no whose reason the client does not learn, and goes to the log and to `onStatus`.
 */
export interface ApplicationHandlers {
  /** The instance begins, before its first client is asked about. The factory itself may do the same work. */
  onAppStart?(): void;
  /** A client sent `connect`, with whatever it gave beyond the URL and its token. Decides whether it is accepted. */
  onConnect?(client: Client, ...args: AmfValue[]): unknown;
  /** A client has been told that it is accepted: what is sent to it now arrives after that. */
  onConnectAccept?(client: Client): void;
  /** A client has been told that it is not accepted, for that reason; its connection closes. */
  onConnectReject?(client: Client, reason: Reject): void;
  /** A client wants to publish. Decides; a client that may not gets `NetStream.Publish.Denied`. */
  onPublish?(client: Client, stream: StreamName): unknown;
  /** What a client has published, after {@link onPublish}, is over, whoever ended it. */
  onUnpublish?(client: Client, stream: StreamName): void;
  /** A client wants to play. Decides; a client that may not gets `NetStream.Play.Failed`. */
  onPlay?(client: Client, stream: StreamName): unknown;
  /** What a client has played, after {@link onPlay}, is over, whoever ended it. */
  onStop?(client: Client, stream: StreamName): void;
  /** A client has joined a NetGroup by this server; `group` can tell it of other members. */
  onGroupJoin?(client: Client, group: GroupControl): void;
  /** A client has left a NetGroup that it had joined, or is gone; `group` is what {@link onGroupJoin} got. */
  onGroupLeave?(client: Client, group: GroupControl): void;
  /** A client that had been accepted is gone. Its streams have ended before, and it has left its groups. */
  onDisconnect?(client: Client): void;
  /** The last client of the instance is gone. Another one that comes begins another instance. */
  onAppStop?(): void;
  /** One of the other handlers has failed. What this one throws goes to the log alone. */
  onStatus?(status: ApplicationStatus): void;
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

/** What {@link ApplicationHandlers.onStatus} is told; the codes are AMS's. */
export interface ApplicationStatus {
  /** Always "error". */
  readonly level: "error";
  /** A handler threw what it should not. */
  readonly code: "Application.Script.Error";
  /** The message of what was thrown. */
  readonly description: string;
  /** What was thrown. */
  readonly error: unknown;
}

/**
 * Makes the handlers of one instance, at once: a Promise is refused. Called when its first client arrives; its variables are
 * the instance's state. A throw refuses that client.
 */
export type ApplicationFactory = (app: Application) => ApplicationHandlers;

/** A function that all clients of an instance may call; the caller comes first. What follows is theirs to choose: check it. */
export type AppExposed = (client: Client, ...args: AmfValue[]) => unknown;

/** What an instance needs of its server. */
export interface ApplicationHost {
  /** Monotonic ms. */
  now(): number;
  /** Every client gets that status and is closed; who comes from now on gets another instance. */
  end(app: Application, code: StatusCode, description: string): Promise<void>;
}

/** Numbers of an instance, as AMS's `getStats` has them. */
export interface ApplicationStats {
  /** Clients accepted and not yet gone. */
  readonly clients: number;
  /** Clients accepted since the beginning. */
  readonly accepted: number;
  /** Clients refused since the beginning. */
  readonly rejected: number;
  /** Streams that are being published. */
  readonly publishers: number;
  /** Streams that are being played, counted once for each client that plays one. */
  readonly players: number;
  /** How long the instance has run; ms. */
  readonly lifespanMs: number;
  /** Messages of its clients. */
  readonly received: TrafficStats;
  /** Messages written to its clients. */
  readonly sent: TrafficStats;
}

/** One instance of an application, from its first client to its last. */
export class Application {
  /** The first segment of the URL's path: the application's name, or a developer key. */
  readonly name: string;
  /** The other segments, joined by `/`; `""` if there are none. */
  readonly instance: string;
  /** Live streams by name. */
  readonly streams: StreamBroker = new StreamBroker();
  /** Messages of its clients. The server counts. */
  readonly received: TrafficMeter;
  /** Messages written to its clients. The server counts. */
  readonly sent: TrafficMeter;
  readonly #host: ApplicationHost;
  readonly #begun: number;
  readonly #clients = new Set<Client>();
  readonly #exposed = new Map<string, AppExposed>();
  #accepted = 0;
  #rejected = 0;

  /** Made by the server for its first client. */
  constructor(name: string, instance: string, host: ApplicationHost) {
    this.name = name;
    this.instance = instance;
    this.#host = host;
    this.#begun = host.now();
    this.received = new TrafficMeter(this.#begun);
    this.sent = new TrafficMeter(this.#begun);
  }

  /** Name and instance with a `/` between, or the name alone. */
  get path(): string {
    return this.instance === "" ? this.name : `${this.name}/${this.instance}`;
  }

  /** Clients accepted and not yet gone. */
  get clients(): ReadonlySet<Client> {
    return this.#clients;
  }

  /** Calls `name` on the client object of every accepted client. */
  broadcastMsg(name: string, ...args: AmfValue[]): void {
    for (const client of this.#clients) client.send(name, ...args);
  }

  /** Lets all clients call these functions; adds to those exposed before. What a client was given itself comes first. */
  expose(functions: Readonly<Record<string, AppExposed>>): void {
    for (const [name, run] of Object.entries(functions)) this.#exposed.set(name, run);
  }

  /** The function of that name that all clients may call. */
  exposed(name: string): AppExposed | undefined {
    return this.#exposed.get(name);
  }

  /** Closes a client's connection in good order; resolves when it has ended. */
  disconnect(client: Client): Promise<void> {
    return client.close();
  }

  /**
   * Unloads the instance: every client gets `NetConnection.Connect.AppShutdown` and is closed in good order; resolves when
   * all have gone. Who comes from now on gets another instance.
   */
  shutdown(): Promise<void> {
    return this.#host.end(this, "NetConnection.Connect.AppShutdown", "The application has been unloaded.");
  }

  /** Numbers at this moment. */
  getStats(): ApplicationStats {
    const now = this.#host.now();
    return {
      clients: this.#clients.size,
      accepted: this.#accepted,
      rejected: this.#rejected,
      publishers: this.streams.publishers,
      players: this.streams.players,
      lifespanMs: now - this.#begun,
      received: this.received.snapshot(now),
      sent: this.sent.snapshot(now),
    };
  }

  /** Called by the server. */
  add(client: Client): void {
    this.#accepted++;
    this.#clients.add(client);
  }

  /** Called by the server: a client was not accepted. */
  refuse(): void {
    this.#rejected++;
  }

  /** Called by the server. */
  remove(client: Client): boolean {
    return this.#clients.delete(client);
  }
}
