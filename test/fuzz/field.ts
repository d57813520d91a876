/** Where server and client are attacked: a network in virtual time, and who takes part. */
import { NetConnection, type NetConnectionOptions } from "rtmfp-client";
import { PeerEndpoint } from "rtmfp-core";
import { CLIENT_IDENTITY, createFlashProfile, type FlashProfileOptions } from "rtmfp-core/crypto";
import { Prng, type SimHost, SimWorld } from "rtmfp-core/testing";
import { createServer, type Server } from "rtmfp-server";
import { Hostile } from "./hostile.ts";
import { makeVocabulary, type Vocabulary } from "./messages.ts";
import { mutate, pick } from "./packets.ts";
import { Watch } from "./watch.ts";
import { WildApplication } from "./wild-application.ts";
import { WildClient } from "./wild-client.ts";

/** The honest server. */
export const SERVER = { host: "198.51.100.1", port: 1935 };
/** An application of the honest server's, and a developer key. */
export const APP_URL = "rtmfp://server.test/app/room";
export const KEY_URL = "rtmfp://server.test/key/room";

/** One round's world. */
export class Field {
  readonly prng: Prng;
  readonly world: SimWorld;
  /** Of clients, and of what escapes. */
  readonly watch = new Watch();
  /** Of the server's application, whose calls wait for clients that say nothing. */
  readonly serverWatch = new Watch();
  readonly known: Vocabulary = makeVocabulary();
  readonly hostiles: Hostile[] = [];
  readonly wild: WildClient[] = [];
  readonly application: WildApplication;
  /** Datagrams out of nothing. */
  noise = 0;
  readonly #hosts: SimHost[] = [];

  constructor(seed: string) {
    this.prng = new Prng(seed);
    this.world = new SimWorld(seed);
    this.application = new WildApplication(
      this.world,
      this.prng.fork("application"),
      this.serverWatch,
      this.known.words,
    );
    this.#damageAfterEncryption(this.prng.fork("damage"));
  }

  /** Starts the honest server. */
  async startServer(): Promise<Server> {
    const host = this.world.host("server", { addresses: [SERVER.host], link: { latencyMs: 10 } });
    this.world.name("server.test", [SERVER.host]);
    const random = (length: number): Uint8Array => host.random(length);
    const server = createServer({
      carrier: () => host.open([{ port: SERVER.port }]),
      random,
      profile: { random, groups: [31] },
    });
    server.application("app", this.application.factory);
    await this.world.settle(server.listen(), 1_000);
    return server;
  }

  /** A connection of an honest client, on a host of its own. */
  connection(name: string, options: NetConnectionOptions = {}): NetConnection {
    return new NetConnection({ ...this.#clientOptions(this.#host(name)), ...options });
  }

  /** A client that calls at random. */
  addWild(urls: readonly string[]): WildClient {
    const name = `wild ${this.wild.length}`;
    const options = { ...this.#clientOptions(this.#host(name)), timeoutMs: 20_000 };
    const client = new WildClient(options, this.prng.fork(name), this.watch, this.known.words, urls);
    this.wild.push(client);
    return client;
  }

  /** A peer that keeps to no rule. */
  addHostile(
    identity: FlashProfileOptions["identity"] = CLIENT_IDENTITY,
    host: SimHost = this.#host(`hostile ${this.hostiles.length}`),
    port = 0,
  ): Hostile {
    const random = (length: number): Uint8Array => host.random(length);
    const profile = createFlashProfile({ identity, random, groups: [31] });
    const endpoint = new PeerEndpoint(host.open([{ port }]), { profile, random });
    const hostile = new Hostile(endpoint, this.prng.fork(host.name), this.known);
    this.hostiles.push(hostile);
    this.known.words.push(endpoint.peerId);
    return hostile;
  }

  /** Bytes that mean nothing, from anywhere, to an address. */
  addNoise(to: { readonly host: string; readonly port: number }): void {
    const host = pick(this.prng, this.#hosts) as SimHost | undefined;
    if (host === undefined) return;
    const from = { host: `203.0.113.${this.prng.int(256)}`, port: this.prng.int(65_536) };
    const stranger = this.prng.chance(0.5) ? from : { host: host.addresses[0] ?? from.host, port: 49_152 };
    host.inject(stranger, to, this.prng.bytes(this.prng.int(200)));
    this.noise++;
  }

  /** Throws if anything is still to happen though everybody has left. */
  checkSilence(who: string): void {
    for (let i = 0; i < FEW_EVENTS; i++) if (!this.world.step()) return;
    throw new Error(`${who} still has timers or packets when everybody has left`);
  }

  /** Closes the server when everybody has left: nothing may remain. */
  async stopServer(server: Server): Promise<void> {
    await this.world.settle(server.close(), 10_000);
    this.checkSilence("a closed server");
    this.watch.check();
    this.serverWatch.check();
    this.application.check();
  }

  #host(name: string): SimHost {
    const host = this.world.host(name, { link: { latencyMs: 5 + this.prng.int(20) } });
    this.#hosts.push(host);
    return host;
  }

  #clientOptions(host: SimHost): NetConnectionOptions {
    return {
      carrier: () => host.open([{ port: 0 }]),
      clock: { now: () => this.world.now, after: (ms, run) => this.world.after(ms, run) },
      random: (length) => host.random(length),
    };
  }

  #damageAfterEncryption(prng: Prng): void {
    this.world.filter(({ sender, bytes }) => {
      if (!sender.startsWith("hostile") || !prng.chance(0.04)) return undefined;
      return prng.chance(0.3) ? "drop" : mutate(prng, bytes);
    });
  }
}

/** Events that may be left of packets on their way and of timers that find nothing to do. */
const FEW_EVENTS = 200;
