/** An application of the server's that decides at random and uses the whole of its API. */

import type { AmfValue } from "rtmfp-core/tc";
import type { Prng, SimWorld } from "rtmfp-core/testing";
import { type Application, type ApplicationFactory, type Client, Reject } from "rtmfp-server";
import { anyValue } from "./amf.ts";
import { pick } from "./packets.ts";
import type { Watch } from "./watch.ts";

/** What honest clients pass to connect: they are accepted and left in peace. */
export const HONEST = "honest";

/** See the file's head. */
export class WildApplication {
  /** Instances that there were. */
  readonly instances: Application[] = [];
  readonly #world: SimWorld;
  readonly #prng: Prng;
  readonly #watch: Watch;
  readonly #words: readonly string[];
  /** Peer IDs of honest clients. */
  readonly #honest = new Set<string>();
  /** Streams that clients were allowed to use, and those that ended: no more can end than began. */
  #uses = 0;
  #overs = 0;
  /** Clients that are not honest, gone ones too. */
  readonly #victims: Client[] = [];

  constructor(world: SimWorld, prng: Prng, watch: Watch, words: readonly string[]) {
    this.#world = world;
    this.#prng = prng;
    this.#watch = watch;
    this.#words = words;
  }

  /** Give it to Server.application. */
  readonly factory: ApplicationFactory = (app) => {
    this.instances.push(app);
    return {
      onConnect: (client, first) => this.#onConnect(client, first === HONEST),
      onConnectAccept: () => this.#stumble(),
      onConnectReject: () => this.#stumble(),
      onPublish: (client) => this.#onUse(client),
      onUnpublish: () => this.#onOver(),
      onPlay: (client) => this.#onUse(client),
      onStop: () => this.#onOver(),
      onDisconnect: () => this.#stumble(),
      onAppStop: () => this.#stumble(),
      onStatus: () => this.#stumble(),
      // What honest clients are promised must hold: they find each other.
      onPeerLookup: (asker, target) =>
        (this.#honest.has(asker.farID) && this.#honest.has(target.farID)) || this.#onPeerLookup(),
    };
  };

  /** One call of the server's API. */
  act(): void {
    const prng = this.#prng;
    const client = pick(prng, this.#victims) as Client | undefined;
    const app = pick(prng, this.instances) as Application | undefined;
    const name = pick(prng, ["hello", "fail", "odd", "none", "close"]);
    const roll = prng.next();
    if (roll < 0.4) this.#watch.call("Client.call", () => client?.call(name, this.#value()));
    else if (roll < 0.7) this.#watch.call("Client.send", () => client?.send(name, this.#value()));
    else if (roll < 0.9) this.#watch.call("broadcastMsg", () => app?.broadcastMsg("hello", this.#value()));
    else if (roll < 0.92) this.#watch.call("Client.close", () => client?.close());
    else if (roll < 0.93) this.#watch.call("Client.end", () => client?.end("NetConnection.Connect.Rejected", name));
    else if (roll < 0.95) this.#watch.call("getStats", () => [app?.getStats(), client?.stats]);
    else this.#watch.call("getters", () => [client?.uri, client?.agent, client?.behindNat, client?.ip]);
  }

  /** Throws if an instance still knows of anybody. */
  check(): void {
    for (const { name, clients, streams } of this.instances) {
      if (clients.size > 0) throw new Error(`${clients.size} clients are left in ${name}`);
      if (streams.streams.size > 0) throw new Error(`${streams.streams.size} streams are left in ${name}`);
      const { publishers, players } = streams;
      if (publishers + players > 0)
        throw new Error(`${publishers} publishers and ${players} players are left in ${name}`);
    }
    if (this.#uses < this.#overs) throw new Error(`${this.#overs} streams have ended of ${this.#uses}`);
  }

  #onConnect(client: Client, isHonest: boolean): unknown {
    client.expose({
      echo: (value) => value,
      fail: () => {
        throw new Error("as asked");
      },
      later: async (value) => {
        await this.#world.sleep(this.#prng.int(3_000));
        return value;
      },
      odd: () => pick(this.#prng, ODD)(),
      kick: () => void client.close(),
    });
    if (isHonest) {
      this.#honest.add(client.farID);
      return undefined;
    }
    this.#victims.push(client);
    if (this.#victims.length > 20) this.#victims.shift();
    const roll = this.#prng.next();
    if (roll < 0.05) throw new Reject(this.#value(), "as asked");
    if (roll < 0.1) throw new Error("as asked");
    if (roll < 0.2) return this.#world.sleep(this.#prng.int(3_000));
    if (roll < 0.23) return this.#world.sleep(100).then(() => Promise.reject(new Reject("late")));
    if (roll < 0.26) void client.close();
    if (roll < 0.3) this.#watch.call("Client.call", () => client.call("hello", 1));
    return undefined;
  }

  /** Decides on a stream, sometimes late. */
  #onUse(client: Client): unknown {
    const roll = this.#prng.next();
    const isHonest = !this.#victims.includes(client);
    if (!isHonest && roll < 0.05) throw new Reject(this.#value(), "as asked");
    if (!isHonest && roll < 0.1) throw new Error("as asked");
    this.#uses++;
    return !isHonest && roll < 0.3 ? this.#world.sleep(this.#prng.int(3_000)) : undefined;
  }

  #onOver(): void {
    this.#overs++;
    this.#stumble();
  }

  #stumble(): void {
    if (this.#prng.chance(0.1)) throw new Error("as asked");
  }

  #onPeerLookup(): boolean | Promise<boolean> {
    const roll = this.#prng.next();
    if (roll < 0.1) throw new Error("as asked");
    if (roll < 0.2) return this.#world.sleep(this.#prng.int(8_000)).then(() => true);
    if (roll < 0.25) return Promise.reject(new Error("as asked"));
    return roll < 0.9;
  }

  #value(): AmfValue {
    return anyValue(this.#prng, this.#words);
  }
}

/** What no reply can carry. */
const ODD: readonly (() => unknown)[] = [
  () => () => {},
  () => 1n,
  () => Symbol("odd"),
  () => new (class Odd {})(),
  () => Promise.reject(new Error("as asked")),
];
