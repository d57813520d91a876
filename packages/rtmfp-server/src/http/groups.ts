/** NetGroups, as the HTTP side tells of them. */
import type { Context } from "hono";
import { formatAddress } from "rtmfp-core";
import type { Server } from "../server.ts";
import { findById, page } from "./request.ts";

/** The group that the request names. Throws HttpError. */
export function findGroup(c: Context, server: Server): string {
  return findById(c, "group", [...server.groups.groups.keys()], (id) => id);
}

/** Its counts, and its members in the order of the ring, of which the request may ask for a part. */
export function describeGroup(c: Context, server: Server, group: string): object {
  const clients = new Map(server.clients.map((client) => [client.farID, client]));
  const ring = page(c, server.groupMembers(group), ({ peerID, groupAddress }) => {
    const client = clients.get(peerID);
    const address = client === undefined ? null : formatAddress(client.address);
    return { id: peerID, groupAddress, app: client?.app.path ?? null, address };
  });
  return { group, ...server.groups.groups.get(group), ring };
}
