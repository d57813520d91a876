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
  /** Bytes that a member had from another, by both labels, when the last table was printed. */
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

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Prints a remark. */
  note(text: string): void {
    console.log(`${this.#time}  -- ${text}`);
  }

  /** One row for each member that is there: from whom it had the stream since the last table, in percent. */
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
    for (const [label, { neighbors }] of reports) {
      const had = new Map<string, number>();
      for (const { peerId, bytesIn } of neighbors) {
        const from = labels.get(peerId);
        if (from === undefined) continue;
        const key = `${label} ${from}`;
        had.set(from, bytesIn - (this.#before.get(key) ?? 0));
        this.#before.set(key, bytesIn);
      }
      const all = [...had.values()].reduce((sum, bytes) => sum + bytes, 0);
      const cells = columns.map((from) => cell(from === label ? undefined : had.get(from), all));
      const kilobytes = (all / 1_000).toFixed(0).padStart(5);
      console.log(`${" ".repeat(INDENT)}${label.padStart(6)} ${cells.join("")}${kilobytes}  ${neighbors.length}`);
    }
  }

  get #time(): string {
    return `${((performance.now() - this.#started) / 1000).toFixed(1).padStart(5)} s`;
  }
}

function cell(bytes: number | undefined, all: number): string {
  if (bytes === undefined) return "   .";
  return (all === 0 ? "0" : ((bytes * 100) / all).toFixed(0)).padStart(4);
}

const INDENT = 9;
