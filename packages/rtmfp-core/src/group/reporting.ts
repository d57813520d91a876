/** Reports: what we tell of ourselves and of those we know, and what we learn from others. */
import { type Address, formatAddress, isUnusable, Origin, type WireAddress } from "../proto/address.ts";
import type { GroupStats } from "./group-stats.ts";
import type { Link } from "./link.ts";
import type { Member, MemberList } from "./member-list.ts";
import type { OwnAddresses } from "./own-addresses.ts";
import { NEWS_MS } from "./params.ts";
import type { Topology } from "./topology.ts";
import { MAX_REPORTED_ADDRESSES, type Report } from "./wire/report.ts";

/** What reports are made of and go into. */
export interface ReportingHost {
  readonly nearId: string;
  readonly stats: GroupStats;
  readonly members: MemberList;
  readonly own: OwnAddresses;
  readonly topology: Topology;
  now(): number;
  introducers(): readonly Address[];
  /** The member of that ID, new or known; undefined where a cap keeps it out. */
  learn(peerId: string, toldBy: Member): Member | undefined;
}

/** Our report to a member: where it is, where we are, and whom it should know. */
export function makeReport(host: ReportingHost, link: Link): Report {
  const now = host.now();
  const peers = [...host.topology.listFor(link.address, now)].map(({ peerId, heardAt, addresses }) => ({
    peerId,
    ageSeconds: Math.floor(Math.max(0, now - heardAt) / 1_000),
    addresses,
  }));
  const introducers = host.introducers().slice(0, 1);
  return {
    you: { ...plain(link.session.address), origin: Origin.observed },
    addresses: [...introducers.map((address) => ({ ...plain(address), origin: Origin.relay })), ...host.own.best],
    peers,
  };
}

/** Takes in what a neighbour reports; true if it told of members we did not know. */
export function takeReport(host: ReportingHost, link: Link, report: Report): boolean {
  const now = host.now();
  const { member } = link;
  if (report.you !== undefined) host.own.learn(link, report.you);
  member.heardAt = now;
  // Where we see it is where it is, whatever else it says.
  const seen = { ...plain(link.session.address), origin: Origin.observed };
  const introducers = report.addresses.filter(({ origin }) => origin === Origin.relay);
  member.addresses = usable([...introducers.slice(0, 1), seen, ...report.addresses]);
  member.isOwnWord = true;
  let isNews = false;
  for (const { peerId, ageSeconds, addresses } of report.peers) {
    const age = ageSeconds * 1_000;
    if (peerId === host.nearId || age >= NEWS_MS) continue;
    const known = host.members.get(peerId);
    if (known === undefined) isNews = true;
    const told = known ?? host.learn(peerId, member);
    if (told === undefined || told === member) continue;
    if (told.toldBy !== undefined && told.toldBy !== member) host.members.confirm(told);
    if (now - age <= told.heardAt) continue;
    told.heardAt = now - age;
    // Or a liar with the newest news could send us elsewhere.
    if (!told.isOwnWord) told.addresses = usable(addresses);
  }
  return isNews;
}

/** Each address once, without those that nobody can be at; the last of too many are left out. */
function usable(addresses: readonly WireAddress[]): WireAddress[] {
  const seen = new Set<string>();
  return addresses
    .filter((address) => {
      const key = formatAddress(address);
      return !isUnusable(address) && !seen.has(key) && seen.add(key);
    })
    .slice(0, MAX_REPORTED_ADDRESSES);
}

/** Sessions' addresses may be more than an address. */
function plain({ host, port }: Address): Address {
  return { host, port };
}
