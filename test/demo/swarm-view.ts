/** Shows who serves whom, from what the members of a group report. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "./process.ts";

/** What `--json` reports as `swarm`: bytes of media since the start. */
export interface SwarmReport {
  readonly peerId: string;
  /** Bytes of all datagrams sent. */
  readonly bytesOut: number;
  readonly neighbors: readonly {
    readonly peerId: string;
    /** Bytes of the stream's fragments. */
    readonly bytesIn: number;
    readonly bytesOut: number;
  }[];
  /** Bytes of fragments; the last report has none. */
  readonly multicastInfo?: { readonly bytesPushedToPeers: number; readonly bytesRequestedByPeers: number };
}

/** One process that is shown, under a short name. */
export interface Shown {
  readonly label: string;
  readonly command: Command;
}

/** A table that is printed from time to time. */
export class SwarmView {
  readonly #members: readonly Shown[];
  readonly #started = performance.now();
  /** Bytes when the last table was printed. */
  readonly #before = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;

  /** The publisher first; more may come later. */
  constructor(members: readonly Shown[]) {
    this.#members = members;
  }

  /** Prints a table each time that so many ms have passed. */
  start(everyMs: number): void {
    this.#timer = setInterval(() => this.#show(), everyMs);
  }

  /** Resolves at that time since the view was made; rejects when the publisher has ended before. */
  async reaches(ms: number): Promise<void> {
    await sleep(Math.max(0, ms - (performance.now() - this.#started)));
    this.#members[0]?.command.check();
  }

  /** What a process has reported last; undefined before its first report. */
  report({ command }: Shown): SwarmReport | undefined {
    return command.latest("swarm") as SwarmReport | undefined;
  }

  /** Of these, the one that has sent most of the stream to neighbours. */
  busiest<S extends Shown>(members: readonly S[]): S {
    const sent = (member: S): number =>
      this.report(member)?.neighbors.reduce((sum, { bytesOut }) => sum + bytesOut, 0) ?? 0;
    return members.reduce((best, member) => (sent(member) > sent(best) ? member : best));
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Prints a remark. */
  note(text: string): void {
    console.log(`${this.#time}  -- ${text}`);
  }

  /** What the publisher sent since the last table, and for each viewer that is there, from whom it had the stream, in percent. */
  #show(): void {
    const labels = new Map<string, string>();
    const reports = new Map<string, SwarmReport>();
    for (const member of this.#members) {
      const report = this.report(member);
      if (report === undefined) continue;
      labels.set(report.peerId, member.label);
      if (member.command.running) reports.set(member.label, report);
    }
    const columns = this.#members.map(({ label }) => label);
    console.log(`${this.#time}  % from ${columns.map((label) => label.padStart(4)).join("")}   kB  neighbours`);
    for (const [label, report] of reports) {
      const row = label === columns[0] ? this.#sent(label, report) : this.#had(label, report, labels, columns);
      console.log(`${" ".repeat(INDENT)}${label.padStart(6)} ${row}  ${report.neighbors.length}`);
    }
  }

  #sent(label: string, { bytesOut, multicastInfo }: SwarmReport): string {
    const { bytesPushedToPeers = 0, bytesRequestedByPeers = 0 } = multicastInfo ?? {};
    // A stream that has ended has no figures.
    if (bytesPushedToPeers < (this.#before.get(`${label} 0`) ?? 0)) return "is done;";
    const [pushed, pulled, all] = [bytesPushedToPeers, bytesRequestedByPeers, bytesOut].map((bytes, i) =>
      kilobytes(this.#since(`${label} ${i}`, bytes)),
    );
    return `sent ${all} kB: ${pushed} pushed, ${pulled} asked for, the rest headers and repeats `;
  }

  #had(
    label: string,
    { neighbors }: SwarmReport,
    labels: ReadonlyMap<string, string>,
    columns: readonly string[],
  ): string {
    const had = new Map<string, number>();
    for (const { peerId, bytesIn } of neighbors) {
      const from = labels.get(peerId);
      if (from !== undefined) had.set(from, this.#since(`${label} ${from}`, bytesIn));
    }
    const all = [...had.values()].reduce((sum, bytes) => sum + bytes, 0);
    const cells = columns.map((from) => cell(from === label ? undefined : had.get(from), all));
    return `${cells.join("")}${kilobytes(all).padStart(5)}`;
  }

  /** How much more a figure is than when it was last asked for. */
  #since(key: string, now: number): number {
    const before = this.#before.get(key) ?? 0;
    this.#before.set(key, now);
    return now - before;
  }

  get #time(): string {
    return `${((performance.now() - this.#started) / 1000).toFixed(1).padStart(5)} s`;
  }
}

function cell(bytes: number | undefined, all: number): string {
  if (bytes === undefined) return "   .";
  return (all === 0 ? "0" : ((bytes * 100) / all).toFixed(0)).padStart(4);
}

function kilobytes(bytes: number): string {
  return (bytes / 1_000).toFixed(0);
}

const INDENT = 9;
