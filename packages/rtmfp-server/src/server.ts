/** The server: sessions, applications and introductions put together. */
import {
  type Address,
  type Carrier,
  type EndpointStats,
  openUdpCarrier,
  PeerEndpoint,
  RtmfpError,
  type Session,
} from "rtmfp-core";
import { createFlashProfile, defaultProvider, SERVER_IDENTITY } from "rtmfp-core/crypto";
import { sameAddress } from "rtmfp-core/proto";
import { DEFAULT_PORT, MessageTrees } from "rtmfp-core/tc";
import { Access, type AuthKeys } from "./access.ts";
import type { Application, ApplicationFactory, ApplicationStats } from "./application.ts";
import { Applications } from "./applications.ts";
import { bindingsFor, isPublicHost, urlsOf } from "./bindings.ts";
import { checkApplication } from "./check-application.ts";
import { CHECK_APPLICATION } from "./check-name.ts";
import type { Client } from "./client.ts";
import { Connection } from "./connection.ts";
import type { ConnectionHost } from "./connection-host.ts";
import { Counters, type ServerStats } from "./counters.ts";
import { developerKeyApplication } from "./developer-key.ts";
import type { GroupControl } from "./group-control.ts";
import { Groups, type GroupsStats } from "./groups.ts";
import { helloRedirect } from "./hello-redirect.ts";
import type { IntroductionRow } from "./introduction-row.ts";
import { ANY_KEY, fixedKeys, KeyFile, type KeyList } from "./key-list.ts";
import type { ApplicationLimits, ApplicationOptions } from "./limits.ts";
import type { Logger } from "./log.ts";
import { Matchmaker } from "./matchmaker.ts";
import { messageOf } from "./message-of.ts";
import { reachOf } from "./nat.ts";
import { type PeerEntry, Peers } from "./peers.ts";
import { openProbeCarrier, Prober } from "./prober.ts";
import { PublicHosts } from "./public-hosts.ts";
import type { IntroductionRates } from "./rendezvous.ts";
import type { Listening, ServerOptions } from "./server-options.ts";

/** Makes a server; {@link Server.listen} starts it. Throws RtmfpError BAD_ARGUMENT, in one line. */
export function createServer(options: ServerOptions = {}): Server {
  return new Server(options);
}

/** A rendezvous, relay and application server. Made by {@link createServer}. */
export class Server {
  readonly #options: ServerOptions;
  readonly #log: Logger;
  readonly #warnOfKeys = (message: string): void => this.#log({ level: "warn", event: "keys", fields: { message } });
  #keys: KeyList | undefined;
  readonly #access: Access;
  readonly #applications: Applications;
  readonly #redirectHello: ReturnType<typeof helloRedirect> | undefined;
  readonly #counters = new Counters();
  readonly #peers = new Peers();
  readonly #connections = new Map<PeerEntry, Connection>();
  readonly #matchmaker: Matchmaker;
  readonly #publicHosts = new PublicHosts();
  readonly #groups: Groups;
  #endpoint: PeerEndpoint | undefined;
  #state: "new" | "listening" | "closing" | "closed" = "new";
  /** Resolves when nobody is connected any more. */
  #whenEmpty: (() => void) | undefined;

  /** Called by {@link createServer}. Throws RtmfpError BAD_ARGUMENT. */
  constructor(options: ServerOptions) {
    this.#options = options;
    this.#log = options.log ?? (() => {});
    this.#keys = keyList(options.keys ?? "any", this.#warnOfKeys);
    const provider = options.crypto ?? defaultProvider();
    this.#access = new Access(provider, options.authKeys, this.#warnOfKeys);
    if (options.redirect !== undefined) {
      this.#redirectHello = helloRedirect(options.redirect, (error) => this.#onHandlerError(error));
    }
    if (options.public !== undefined && !isPublicHost(options.public)) {
      throw new RtmfpError("BAD_ARGUMENT", `expected a public HOST or HOST:PORT, got "${options.public}"`);
    }
    const host = {
      peers: this.#peers,
      counters: this.#counters,
      log: this.#log,
      handlersOf: (app: Application) => this.#applications.handlersOf(app),
      traffic: () => this.#endpoint?.stats ?? NO_TRAFFIC,
      now: () => this.#endpoint?.now() ?? 0,
      after: (ms: number, run: () => void) => this.#endpoint?.after(ms, run) ?? (() => {}),
      sessionsWith: (peerId: string) => this.#endpoint?.sessionsWith(peerId) ?? [],
      publicHosts: () => this.#publicHosts.current,
      onHandlerError: (error: unknown) => this.#onHandlerError(error),
    };
    this.#applications = new Applications(developerKeyApplication(options.relaySender), host, options.limits);
    this.#matchmaker = new Matchmaker(host, options.introductionRates);
    this.#groups = new Groups({
      log: this.#log,
      sha256: (bytes) => provider.sha256(bytes),
      now: host.now,
      isClosed: () => this.#state === "closed",
    });
  }

  /**
   * Defines an application: URLs whose path begins with `name` are for it. `factory` is called once per instance, that
   * is, per rest of the path, when its first client comes. The limits of `options` hold for each instance, over the server's
   * own; its keys are asked for instead of the server's. Throws RangeError for a name that is taken or none, BAD_ARGUMENT for
   * a limit that cannot be or a file that cannot be read.
   */
  application(name: string, factory: ApplicationFactory, { authKeys, ...limits }: ApplicationOptions = {}): this {
    this.#applications.define(name, factory, limits);
    this.#access.setKeys(authKeys, name);
    return this;
  }

  /**
   * Puts other limits in the place of those of application `name`, or without a name of the server's own. Nobody who is
   * connected is disconnected. Throws RangeError for a name that is not defined, BAD_ARGUMENT for a limit that cannot be.
   */
  setLimits(limits: ApplicationLimits, name?: string): void {
    this.#applications.setLimits(limits, name);
  }

  /**
   * Takes other developer keys from now on; default "any". Nobody who is connected is disconnected. Throws BAD_ARGUMENT for a
   * file that cannot be read, and then nothing changes.
   */
  setKeys(keys: NonNullable<ServerOptions["keys"]> = "any"): void {
    this.#keys = keyList(keys, this.#warnOfKeys);
  }

  /**
   * Asks for tokens by other keys from now on: of application `name`, where undefined means the server's and "off" none; or
   * without a name of all that have none of their own. Otherwise as {@link setKeys}.
   */
  setAuthKeys(keys: AuthKeys | "off" | undefined, name?: string): void {
    this.#access.setKeys(keys, name);
  }

  /** Puts other rates of introductions in the place of those before; without them, the default ones. */
  setIntroductionRates(rates: IntroductionRates = {}): void {
    this.#matchmaker.setRates(rates);
  }

  /** Instances that run, each with its numbers. */
  get applicationStats(): ReadonlyMap<string, ApplicationStats> {
    return this.#applications.stats();
  }

  /** Instances that run. */
  get instances(): Iterable<Application> {
    return this.#applications.instances;
  }

  /** Clients accepted and not yet gone, of all instances. */
  get clients(): readonly Client[] {
    return [...this.#applications.instances].flatMap((app) => [...app.clients]);
  }

  /** Begins to serve. Rejects with LISTEN_FAILED, in one line, if a port is in use. */
  async listen(): Promise<Listening> {
    if (this.#state !== "new") throw new RtmfpError("BAD_ARGUMENT", "a server listens once; create another");
    this.#state = "listening";
    const { identity, crypto, profile, random, trace } = this.#options;
    const made = createFlashProfile({
      ...profile,
      identity: identity ?? SERVER_IDENTITY,
      exposeSecrets: trace !== undefined,
      ...(crypto === undefined ? {} : { provider: crypto }),
    });
    const carrier = await this.#openCarrier();
    const endpoint = new PeerEndpoint(carrier, {
      profile: made,
      ...(random === undefined ? {} : { random }),
      ...(this.#redirectHello === undefined ? {} : { redirectHello: this.#redirectHello }),
      ...trace,
    });
    this.#endpoint = endpoint;
    if (!this.#applications.has(CHECK_APPLICATION))
      this.application(CHECK_APPLICATION, this.#checkApplication(endpoint));
    const host = this.#connectionHost(endpoint);
    endpoint.onSession = (session) => this.#onSession(endpoint, session, host);
    endpoint.onIntroduction = (introduction) => this.#matchmaker.onIntroduction(introduction);
    const addresses = carrier.sockets.map(({ address }) => address);
    await this.#publicHosts.begin(this.#options.public, {
      carrier,
      isListening: () => this.isListening,
      after: (ms, run) => endpoint.after(ms, run),
    });
    this.#matchmaker.prober = await this.#openProber(endpoint, addresses);
    this.#warnIfPrivate(carrier.interfaceAddresses());
    const urls = urlsOf(this.#options.public, addresses, carrier.interfaceAddresses());
    return { url: urls[0] as string, urls, fingerprint: endpoint.peerId, addresses };
  }

  /** Counts so far. */
  get stats(): ServerStats {
    const clients = [...this.#connections.values()].filter(({ isAccepted }) => isAccepted).length;
    return this.#counters.snapshot(this.#endpoint?.stats ?? NO_TRAFFIC, this.#peers.size, clients);
  }

  /** NetGroups whose members find each other by this server, and their counts so far. */
  get groups(): GroupsStats {
    return this.#groups.stats;
  }

  /** Members of a group, by its identity, in the order of its ring; none for a group that is not there. */
  groupMembers(groupspecDigest: string): readonly GroupControl[] {
    return this.#groups.membersOf(groupspecDigest);
  }

  /** Counters of the transport since the server began to listen; live. */
  get transport(): Readonly<EndpointStats> | undefined {
    return this.#endpoint?.stats;
  }

  /** True from {@link listen} until {@link close} is called. */
  get isListening(): boolean {
    return this.#state === "listening";
  }

  /** Introductions that have ended, the newest first: the last 1,000. */
  get introductions(): readonly IntroductionRow[] {
    return this.#matchmaker.rows;
  }

  /**
   * Tells every client, closes the connections in good order, within half a second, and frees the port. With `noticeMs`
   * it first tells them that it will, by `NetConnection.Shutdown.Notify`, takes no new ones, and waits so long for them to
   * leave by themselves; ms, default 0. Called again meanwhile, it closes at once.
   */
  async close({ noticeMs = 0 }: { readonly noticeMs?: number } = {}): Promise<void> {
    const endpoint = this.#endpoint;
    if (this.#state === "closed" || endpoint === undefined) return;
    const isFirst = this.#state === "listening";
    this.#state = "closing";
    this.#whenEmpty?.();
    if (isFirst && noticeMs > 0) await this.#notice(endpoint, noticeMs);
    if ((this.#state as string) === "closed") return;
    this.#state = "closed";
    endpoint.onIntroduction = undefined;
    const [code, text] = ["NetConnection.Connect.AppShutdown", "The server is shutting down."] as const;
    const ends = Promise.all([...this.#connections.values()].map((connection) => connection.endWith(code, text)));
    await within(endpoint, CLOSE_MS, ends);
    await Promise.all([endpoint.close(), this.#matchmaker.close()]);
  }

  /** Waits until every client has left, or the time is up. */
  async #notice(endpoint: PeerEndpoint, noticeMs: number): Promise<void> {
    const empty = new Promise<void>((resolve) => {
      this.#whenEmpty = resolve;
    });
    for (const connection of this.#connections.values()) connection.announceShutdown();
    if (this.#connections.size > 0) await within(endpoint, noticeMs, empty);
  }

  #checkApplication(endpoint: PeerEndpoint): ApplicationFactory {
    return checkApplication({
      prober: () => this.#matchmaker.prober,
      log: this.#log,
      peerOf: ({ farID, address }) => {
        const session = endpoint.sessionsWith(farID).find((each) => sameAddress(each.address, address));
        return session === undefined ? undefined : this.#peers.of(session);
      },
      after: (ms, run) => endpoint.after(ms, run),
    });
  }

  async #openCarrier(): Promise<Carrier> {
    const { carrier, host, port } = this.#options;
    if (carrier !== undefined) return carrier();
    return openUdpCarrier(bindingsFor(typeof host === "string" ? [host] : host, checkPort(port ?? DEFAULT_PORT)));
  }

  async #openProber(endpoint: PeerEndpoint, serverSockets: readonly Address[]): Promise<Prober | undefined> {
    const { carrier, checkCarrier, checkPort = carrier === undefined ? 0 : "off" } = this.#options;
    if (checkCarrier === undefined && checkPort === "off") return undefined;
    const open = checkCarrier ?? (() => openProbeCarrier(serverSockets, Number(checkPort)));
    const { provider } = endpoint.profile;
    return new Prober({
      carrier: await open(),
      serverSockets,
      publicHosts: () => {
        const own = endpoint.carrier.interfaceAddresses().map(({ host }) => host);
        return [...this.#publicHosts.current, ...own];
      },
      provider,
      random: this.#options.random ?? ((length) => provider.randomBytes(length)),
      after: (ms, run) => endpoint.after(ms, run),
    });
  }

  #warnIfPrivate(own: readonly Address[]): void {
    if (this.#options.public !== undefined || own.length === 0 || own.some(({ host }) => reachOf(host) === 2)) return;
    const message = `only private addresses (${own.map(({ host }) => host).join(", ")}): clients elsewhere need a public one; forward UDP ${own[0]?.port} to this host, and name the public host`;
    this.#log({ level: "warn", event: "addresses", fields: { message } });
  }

  #onSession(endpoint: PeerEndpoint, session: Session, host: ConnectionHost<Connection>): void {
    const peer = this.#peers.add(session);
    const trees = new MessageTrees(session, endpoint);
    trees.onControl = (flow, streamId) => {
      if (streamId !== 0 || this.#state === "closed" || this.#connections.has(peer)) return;
      this.#connections.set(peer, new Connection(host, peer, trees.answer(flow)));
    };
    trees.onOther = (flow) => this.#groups.onFlow(this.#connections.get(peer), flow);
    session.onMoved = (from) => this.#peers.moved(peer, from);
    session.onClose = () => {
      peer.stopWaiting?.();
      this.#peers.remove(peer);
    };
    this.#awaitConnect(endpoint, peer, CONNECT_WAIT_MS);
  }

  /** A session in which nobody connects, at first or again, ends. */
  #awaitConnect(endpoint: PeerEndpoint, peer: PeerEntry, ms: number): void {
    peer.stopWaiting?.();
    peer.stopWaiting = endpoint.after(ms, () => {
      peer.stopWaiting = undefined;
      // Whoever has sent `connect` gets another wait when that connection ends.
      if (this.#connections.get(peer)?.isWaiting !== false) peer.session.abort();
    });
  }

  #connectionHost(endpoint: PeerEndpoint): ConnectionHost<Connection> {
    const { introduceOnly, legacyIdentity, keepalive } = this.#options;
    return {
      fingerprint: endpoint.peerId,
      introduceOnly: introduceOnly ?? false,
      legacyIdentity: legacyIdentity ?? false,
      keepalive: { serverMs: keepalive?.serverMs ?? KEEPALIVE_MS, peerMs: keepalive?.peerMs ?? KEEPALIVE_MS },
      applications: this.#applications,
      keys: () => this.#keys,
      access: this.#access,
      clock: endpoint,
      counters: this.#counters,
      log: this.#log,
      groups: this.#groups,
      onIntroductionReport: (reporter, otherId, report) => this.#matchmaker.onReport(reporter, otherId, report),
      isClosing: () => this.#state !== "listening",
      onHandlerError: (error) => this.#onHandlerError(error),
      onEnd: (connection, wasTold) => {
        if (this.#connections.get(connection.peer) === connection) this.#connections.delete(connection.peer);
        if (connection.session.isOpen)
          this.#awaitConnect(endpoint, connection.peer, wasTold ? TOLD_WAIT_MS : CONNECT_WAIT_MS);
        if (this.#connections.size === 0) this.#whenEmpty?.();
      },
    };
  }

  #onHandlerError(error: unknown): void {
    const message = messageOf(error);
    this.#log({ level: "error", event: "application", fields: { message } });
  }
}

function keyList(keys: NonNullable<ServerOptions["keys"]>, warn: (message: string) => void): KeyList | undefined {
  if (keys === "any") return ANY_KEY;
  if (keys === "none") return undefined;
  return "file" in keys ? new KeyFile(keys.file, warn) : fixedKeys(keys);
}

/** Waits for the promise, but no longer than that. */
async function within(clock: Pick<PeerEndpoint, "after">, ms: number, promise: Promise<unknown>): Promise<void> {
  let cancel = (): void => {};
  const enough = new Promise<void>((resolve) => {
    cancel = clock.after(Math.min(ms, MAX_WAIT_MS), resolve);
  });
  await Promise.race([promise, enough]);
  cancel();
}

function checkPort(port: number): number {
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new RtmfpError("BAD_ARGUMENT", `expected a port from 0 to 65535, got ${port}`);
}

const KEEPALIVE_MS = 30_000;
/** What a timer can wait for. */
const MAX_WAIT_MS = 2 ** 31 - 1;
/** How long a session may be without a connection; ms. */
const CONNECT_WAIT_MS = 60_000;
/** The same after the connection of a client that was refused or told to go. */
const TOLD_WAIT_MS = 5_000;
/** How long a close waits for clients to close their ends. */
const CLOSE_MS = 500;
const NO_TRAFFIC = { datagramsIn: 0, bytesIn: 0, datagramsOut: 0, bytesOut: 0 } as const;
