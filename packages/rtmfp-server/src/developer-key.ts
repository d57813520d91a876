/** The application behind developer keys: what Adobe's hosted service gave its clients, written with the public API. */
import type { AmfObject, AmfValue } from "rtmfp-core/tc";
import type { Application, ApplicationFactory } from "./application.ts";
import type { Client } from "./client.ts";

/**
 * How `onRelay` tells a client who sent it: by the peer ID itself, as Adobe's service did, or in an object with the
 * property `sender`, as tcserver does, where `senderName` is the name in the sender's token if there is one. "auto" is the
 * peer ID for clients that say which Flash Player they are (`flashVer`), as all of Adobe's API do, and the object for others.
 */
export type RelaySender = "auto" | "id" | "object";

/**
 * Makes the handlers of one key. Clients of all keys can reach each other by `relay(peerID, ...args)` and
 * `watch(peerID)`; `broadcast(...args)` reaches the clients of one key, the sender included. What is relayed arrives as
 * `onRelay(sender, ...args)`; a peer that is watched and goes, or is not there, is told as `onDisconnected(peerID)`.
 */
export function developerKeyApplication(relaySender: RelaySender = "auto"): ApplicationFactory {
  const byId = new Map<string, Client>();
  const watchers = new Map<string, Set<Client>>();
  const watched = new Map<Client, Set<string>>();

  const watch = (watcher: Client, id: AmfValue): void => {
    if (typeof id !== "string") return;
    if (!byId.has(id)) {
      watcher.send("onDisconnected", id);
      return;
    }
    const mine = entry(watched, watcher);
    if (mine.size >= MAX_WATCHED && !mine.has(id)) throw new Error(`a client watches at most ${MAX_WATCHED} others`);
    mine.add(id);
    entry(watchers, id).add(watcher);
  };

  const forget = (client: Client): void => {
    for (const id of watched.get(client) ?? []) {
      const others = watchers.get(id);
      others?.delete(client);
      if (others?.size === 0) watchers.delete(id);
    }
    watched.delete(client);
    if (byId.get(client.farID) !== client) return;
    byId.delete(client.farID);
    const told = watchers.get(client.farID) ?? [];
    watchers.delete(client.farID);
    for (const watcher of told) {
      watched.get(watcher)?.delete(client.farID);
      watcher.send("onDisconnected", client.farID);
    }
  };

  const tell = (target: Client, sender: Client, args: readonly AmfValue[]): void => {
    const isPlain = relaySender === "id" || (relaySender === "auto" && target.agent !== "");
    target.send("onRelay", isPlain ? sender.farID : header(sender), ...args);
  };

  return (app: Application) => {
    app.expose({
      relay: (sender, id, ...args) => {
        const target = typeof id === "string" ? byId.get(id) : undefined;
        if (target === undefined) throw new Error("nobody with that peer ID is connected");
        tell(target, sender, args);
      },
      broadcast: (sender, ...args) => {
        for (const target of app.clients) tell(target, sender, args);
      },
      watch,
    });
    return { onConnect: (client) => void byId.set(client.farID, client), onDisconnect: forget };
  };
}

function header({ farID, user }: Client): AmfObject {
  const senderName = user?.publisherName ?? "";
  return senderName === "" ? { sender: farID } : { sender: farID, senderName };
}

function entry<K, V>(map: Map<K, Set<V>>, key: K): Set<V> {
  const found = map.get(key) ?? new Set<V>();
  map.set(key, found);
  return found;
}

/** Peers that one client may watch at a time. */
export const MAX_WATCHED = 1_024;
