/** A live stream to many members of a {@link Mesh}, and what became of it. */
import { type Member, Mesh, type MeshOptions } from "./mesh.ts";

/** What happens. */
export interface SwarmOptions extends MeshOptions {
  readonly members: number;
  /** Neighbours of each. Default log2(members) + 13, as groups have it. */
  readonly neighbours?: number;
  /** Of the stream, kbit/s. Default 500. */
  readonly kbps?: number;
  readonly seconds: number;
  /** Part of the members that leave, and come, each minute; half leave without a word. Default 0. */
  readonly churn?: number;
  /** Of the publisher, bits/s. Default 4,000,000. */
  readonly publisherUplink?: number;
  /** Of the stream's seconds, when this part of the viewers is killed at once. */
  readonly massacre?: { readonly at: number; readonly part: number };
}

/** What a swarm did. */
export interface SwarmResult {
  /** Part of the messages that came within the window, of members that were there for 30 s, from their first message on. */
  readonly deliveredLeast: number;
  readonly deliveredMean: number;
  /** From the stream's beginning to the first message of those who wait for it, ms. */
  readonly startP50: number;
  readonly startP99: number;
  /** From joining to the first message of those who join later, ms; 0 without any. */
  readonly joinP50: number;
  readonly joinP99: number;
  /** From publishing to delivery, ms, but for the first 5 s of the stream. */
  readonly delayP50: number;
  readonly delayP99: number;
  /** Bytes that the publisher sent, as a multiple of the stream. */
  readonly upload: number;
  /** Part of the fragments received that were there already. */
  readonly duplicates: number;
  /** Bytes that all sent, as a multiple of what all played. */
  readonly overhead: number;
  readonly counts: Record<string, number>;
}

/** Runs a swarm. */
export function runSwarm(options: SwarmOptions): SwarmResult {
  const { members, seconds, kbps = 500, churn = 0, publisherUplink = 4_000_000, massacre } = options;
  const neighbours = options.neighbours ?? Math.floor(Math.log2(members)) + 13;
  const mesh = new Mesh(options);
  const publisher = mesh.add(publisherUplink);
  const publication = publisher.multicast.publish("live");
  const watched: Watched[] = [];
  const join = (): void => {
    const member = mesh.add();
    mesh.mingle(member, Math.ceil(neighbours / 2));
    watched.push(new Watched(mesh, member));
  };
  for (let i = 1; i < members; i++) join();
  for (const member of mesh.members) mesh.mingle(member, neighbours / 2);
  const sentAt: number[] = [];
  let streamBytes = 0;
  const payload = new Uint8Array(65_536);
  const frame = (): void => {
    const number = sentAt.length;
    // Every second one in 25 is a key frame, of four times the bytes of the others.
    const unit = (kbps * 125) / 28;
    const bytes = payload.slice(0, Math.round(number % 25 === 0 ? 4 * unit : unit));
    bytes[0] = number % 25 === 0 ? 0x12 : 0x22;
    sentAt.push(mesh.clock.now);
    streamBytes += bytes.length;
    publication.write(9, number, bytes);
  };
  const startMs = 2_000;
  for (let number = 0; number < seconds * 25; number++) mesh.clock.at(startMs + number * 40, frame);
  const leaves = Math.floor((members * churn * seconds) / 60);
  for (let i = 0; i < leaves; i++) {
    mesh.clock.at(startMs + mesh.prng.next() * seconds * 1_000, () => {
      const alive = watched.filter(({ member }) => member.isAlive);
      alive[mesh.prng.int(alive.length)]?.leave(i % 2 === 0 ? 0 : 5_000 + mesh.prng.next() * 10_000);
      join();
    });
  }
  if (massacre !== undefined) {
    mesh.clock.at(startMs + massacre.at * 1_000, () => {
      for (const each of watched)
        if (each.member.isAlive && mesh.prng.next() < massacre.part) each.leave(5_000 + mesh.prng.next() * 10_000);
    });
  }
  mesh.run(startMs + seconds * 1_000 + 10_000);
  return resultOf(mesh, publisher, watched, sentAt, streamBytes);
}

class Watched {
  readonly member: Member;
  readonly joinedAt: number;
  leftAt: number = Number.POSITIVE_INFINITY;
  firstAt = 0;
  first = -1;
  readonly delays = new Map<number, number>();
  readonly #mesh: Mesh;

  constructor(mesh: Mesh, member: Member) {
    this.#mesh = mesh;
    this.member = member;
    this.joinedAt = mesh.clock.now;
    const viewer = member.play("live");
    viewer.onMessage = ({ timestamp }, at) => {
      if (this.first < 0) {
        this.first = timestamp;
        this.firstAt = at;
      }
      this.delays.set(timestamp, at);
    };
  }

  leave(detectMs: number): void {
    this.leftAt = this.#mesh.clock.now;
    if (detectMs === 0) this.member.leave();
    else this.member.kill(detectMs);
  }
}

function resultOf(
  mesh: Mesh,
  publisher: Member,
  watched: readonly Watched[],
  sentAt: readonly number[],
  streamBytes: number,
): SwarmResult {
  const delays: number[] = [];
  const starts: number[] = [];
  const joins: number[] = [];
  const shares: number[] = [];
  const counts: Record<string, number> = {};
  let played = 0;
  for (const { member, joinedAt, leftAt, first, firstAt, delays: came } of watched) {
    const end = Math.min(leftAt, mesh.clock.now);
    const due = sentAt.filter(
      (at, number) => number >= Math.max(first, 0) && at >= joinedAt && at + 8_000 < end,
    ).length;
    let inTime = 0;
    for (const [number, at] of came) {
      const delay = at - (sentAt[number] ?? 0);
      if (number >= SETTLED) delays.push(delay);
      if (delay <= 8_000 && (sentAt[number] ?? 0) + 8_000 < end && (sentAt[number] ?? 0) >= joinedAt) inTime++;
    }
    if (end - joinedAt >= 30_000) shares.push(due === 0 ? 0 : inTime / due);
    if (first >= 0 && joinedAt > 0) joins.push(firstAt - joinedAt);
    else if (first >= 0) starts.push(firstAt - (sentAt[0] ?? 0));
    played += came.size;
    for (const [name, count] of Object.entries(member.multicast.stats)) counts[name] = (counts[name] ?? 0) + count;
  }
  const at = (values: number[], part: number): number =>
    values.sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * part))] ?? 0;
  const all = mesh.members.reduce((sum, { sentBytes }) => sum + sentBytes, 0);
  return {
    deliveredLeast: Math.min(...shares),
    deliveredMean: shares.reduce((sum, share) => sum + share, 0) / shares.length,
    startP50: at(starts, 0.5),
    startP99: at(starts, 0.99),
    joinP50: at(joins, 0.5),
    joinP99: at(joins, 0.99),
    delayP50: at(delays, 0.5),
    delayP99: at(delays, 0.99),
    upload: publisher.sentBytes / streamBytes,
    duplicates: (counts["duplicates"] ?? 0) / ((counts["duplicates"] ?? 0) + (counts["fragments"] ?? 0)),
    overhead: all / ((played / sentAt.length) * streamBytes),
    counts,
  };
}

/** Messages before this one are of the first 5 s, in which the trees grow. */
const SETTLED = 125;
