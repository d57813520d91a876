/** The server's counts for Prometheus. */
import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client";
import type { Server } from "../server.ts";

/** The metrics of one server. */
export interface Metrics {
  /** Of {@link text}. */
  readonly contentType: string;
  /** All metrics at this moment, in Prometheus's text format. */
  text(): Promise<string>;
}

/** Metrics whose values are read whenever they are asked for; nothing runs in between. */
export function createMetrics(server: Server): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const counter = (name: string, help: string, read: () => number): void => {
    new Counter({ ...named(name, help, registry), collect: set(read) });
  };
  const gauge = (name: string, help: string, read: () => number): void => {
    new Gauge({ ...named(name, help, registry), collect: set(read) });
  };
  counter("datagrams_received_total", "Datagrams received, good or bad.", () => server.stats.datagramsIn);
  counter("received_bytes_total", "Bytes of datagrams received.", () => server.stats.bytesIn);
  counter("datagrams_sent_total", "Datagrams sent.", () => server.stats.datagramsOut);
  counter("sent_bytes_total", "Bytes of datagrams sent.", () => server.stats.bytesOut);
  counter("media_messages_total", "Audio and video messages of publishers.", () => server.stats.mediaMessages);
  counter("media_bytes_total", "Payload bytes of these.", () => server.stats.mediaBytes);
  counter("dropped_messages_total", "Messages not sent to clients too slow.", () => server.stats.droppedMessages);
  counter("malformed_messages_total", "Messages that made no sense.", () => server.stats.malformedMessages);
  gauge("sessions", "Sessions open, connected or not.", () => server.stats.sessions);
  gauge("clients", "Clients connected.", () => server.stats.clients);
  gauge("app_instances", "Application instances running.", () => server.applicationStats.size);
  gauge("publishers", "Streams being published.", () => sumOf(server, "publishers"));
  gauge("players", "Streams being played, once for each player.", () => sumOf(server, "players"));
  let groups = server.groups;
  gauge("groups", "NetGroups that have members.", () => groups.groups.size);
  gauge("group_members", "Members of all groups.", () => groups.members);
  counter("group_joins_total", "Joins of groups.", () => groups.joins);
  counter("group_leaves_total", "Members that have left a group, or were lost.", () => groups.leaves);
  counter("group_members_told_total", "Times that a member was told of another.", () => groups.told);
  counter("group_members_untold_total", "Times that it was not, too slow or told too often.", () => groups.untold);
  counter("group_joins_refused_total", "Joins beyond a cap or rate, or of who is no client.", () => groups.refused);
  counter("group_malformed_total", "Messages that are no joins, or came after one.", () => groups.malformed);
  new Gauge({
    ...named("group_size", `Members of each of the ${MAX_LABELLED_GROUPS} largest groups.`, registry),
    labelNames: ["group"],
    collect() {
      this.reset();
      const largest = [...groups.groups].sort(([, a], [, b]) => b.members - a.members).slice(0, MAX_LABELLED_GROUPS);
      for (const [group, { members }] of largest) this.set({ group }, members);
    },
  });
  labelled(registry, "introduction_requests_total", "Requests for peers, by answer.", "answer", () => {
    const { ended: _ended, recent: _recent, ...answers } = server.stats.introductions;
    return answers;
  });
  labelled(registry, "introductions_total", "Introductions that have ended, by outcome.", "outcome", () => {
    return { ...server.stats.introductions.ended };
  });
  labelled(registry, "transport_events_total", "What the transport has counted, refusals above all.", "event", () => {
    const { datagramsIn: _i, bytesIn: _bi, datagramsOut: _o, bytesOut: _bo, ...events } = server.transport ?? NOTHING;
    return events;
  });
  return {
    contentType: registry.contentType,
    text: () => {
      groups = server.groups;
      return registry.metrics();
    },
  };
}

/** Who joins chooses the groups' names, so there may be very many. */
const MAX_LABELLED_GROUPS = 50;
const NOTHING = { datagramsIn: 0, bytesIn: 0, datagramsOut: 0, bytesOut: 0 };

function named(name: string, help: string, registry: Registry) {
  return { name: `rtmfp_${name}`, help, registers: [registry] };
}

/** Counters have no `set`. */
function set(read: () => number) {
  return function (this: Counter | Gauge): void {
    this.reset();
    this.inc(read());
  };
}

function labelled(
  registry: Registry,
  name: string,
  help: string,
  label: string,
  read: () => Readonly<Record<string, number>>,
): void {
  new Counter({
    ...named(name, help, registry),
    labelNames: [label],
    collect() {
      this.reset();
      for (const [value, count] of Object.entries(read())) this.inc({ [label]: value }, count);
    },
  });
}

function sumOf(server: Server, field: "publishers" | "players"): number {
  return [...server.applicationStats.values()].reduce((sum, stats) => sum + stats[field], 0);
}
