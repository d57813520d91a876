/** The way in: finds the group, and the neighbour in it, that a flow of a peer is for. */
import { toHex } from "../proto/bytes.ts";
import type { Group } from "./group.ts";
import { type ControlReader, Link, readControl } from "./link.ts";
import { FIRST_MESSAGE_MS, MAX_UNNAMED, MAX_UNNAMED_OF_SESSION } from "./params.ts";
import type { GroupClock, GroupRecvFlow, GroupSession } from "./session.ts";
import { decodeControl } from "./wire/control.ts";
import { GroupFlow, groupFlowKind } from "./wire/flows.ts";

/** What a {@link GroupDoor} has counted since it was made. */
export interface GroupDoorStats {
  /** Flows that named no group of ours, in time or at all. */
  strangers: number;
  /** Flows refused because of a cap, or because they answer none of ours. */
  refused: number;
}

/** One for all groups of an endpoint. */
export class GroupDoor {
  /** Live counters. */
  readonly stats: GroupDoorStats = { strangers: 0, refused: 0 };
  readonly #clock: GroupClock;
  readonly #groups = new Map<string, Group>();
  /** Flows that have not named their group, by session. */
  readonly #unnamed = new Map<GroupSession, Set<Unnamed>>();
  #unnamedCount = 0;

  /** Without groups yet; `clock` bounds how long flows may be nameless. */
  constructor(clock: GroupClock) {
    this.#clock = clock;
  }

  /** Flows may be for this group from now on. */
  add(group: Group): void {
    this.#groups.set(toHex(group.groupId), group);
  }

  /** No longer; its links are the group's own matter. */
  remove(group: Group): void {
    this.#groups.delete(toHex(group.groupId));
  }

  /** A peer opened a flow. False if it is no group's; else it has been taken, or rejected. */
  flowOpened(session: GroupSession, flow: GroupRecvFlow): boolean {
    const kind = groupFlowKind(flow.metadata);
    if (kind === undefined) return false;
    if (kind === GroupFlow.control) {
      this.#awaitName(session, flow);
      return true;
    }
    const link = linkOf(flow.answers?.context);
    if (link !== undefined) link.flowOpened(kind, flow);
    else {
      this.stats.refused++;
      flow.reject();
    }
    return true;
  }

  #awaitName(session: GroupSession, flow: GroupRecvFlow): void {
    const unnamed = this.#unnamed.get(session) ?? new Set<Unnamed>();
    if (unnamed.size >= MAX_UNNAMED_OF_SESSION || this.#unnamedCount >= MAX_UNNAMED || this.#groups.size === 0) {
      this.stats.refused++;
      flow.reject();
      return;
    }
    const cancel = this.#clock.after(FIRST_MESSAGE_MS, () => {
      entry.forget();
      this.stats.strangers++;
      flow.reject();
    });
    const entry: Unnamed = {
      forget: () => {
        cancel();
        if (unnamed.delete(entry)) this.#unnamedCount--;
        if (unnamed.size === 0) this.#unnamed.delete(session);
      },
      onControlMessage: (_flow, data) => {
        if (!unnamed.has(entry)) return;
        entry.forget();
        this.#name(session, flow, data);
      },
      onControlEnd: () => entry.forget(),
    };
    unnamed.add(entry);
    this.#unnamedCount++;
    this.#unnamed.set(session, unnamed);
    readControl(flow, entry);
  }

  #name(session: GroupSession, flow: GroupRecvFlow, data: Uint8Array): void {
    const message = decodeControl(data);
    const group = message?.type === "connect" ? this.#groups.get(toHex(message.groupId)) : undefined;
    if (message?.type === "connect" && group !== undefined) group.accept(session, flow, message);
    else {
      this.stats.strangers++;
      flow.reject();
    }
  }
}

interface Unnamed extends ControlReader {
  /** It waits no longer. */
  readonly forget: () => void;
}

/** The link that the context of one of our sending flows names; contexts of other layers name none. */
function linkOf(context: unknown): Link | undefined {
  if (typeof context !== "object" || context === null || !("neighbour" in context)) return undefined;
  return context.neighbour instanceof Link ? context.neighbour : undefined;
}
