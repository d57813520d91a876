/** rtmfp-client group */
import { NetGroup } from "../group/net-group.ts";
import type { CommonOptions } from "./options.ts";
import { Reporter } from "./reporter.ts";
import { run } from "./run.ts";
import { Timer } from "./timer.ts";

export interface GroupOptions extends CommonOptions {
  /** A groupspec. */
  readonly group: string;
  /** Seconds. */
  readonly wait: number;
}

/** Joins a group, and tells who is in it; resolves with the exit code. */
export async function groupInfo(url: string, options: GroupOptions): Promise<number> {
  const reporter = new Reporter({ json: options.json ?? false, level: options.logLevel });
  return run(url, options, reporter, async ({ connection, signal }) => {
    const refusal = new Promise<never>((_, reject) => {
      connection.on("status", ({ code, description = code }) => {
        if (code === "NetGroup.Connect.Rejected" || code === "NetGroup.Connect.Failed") reject(new Error(description));
        else if (code === "NetConnection.Connect.Closed") reject(new Error(description));
      });
    });
    const group = new NetGroup(connection, options.group);
    await Promise.race([settled(group, options.wait * 1000, signal), refusal]);
    signal.throwIfAborted();
    const neighbors = group.neighbors.map(({ peerID, neighbor }) => ({ peerId: peerID, address: neighbor }));
    const info = {
      peerId: connection.nearID,
      members: group.estimatedMemberCount,
      neighbors,
      coverage: { from: group.localCoverageFrom, to: group.localCoverageTo },
      streams: group.streams,
    };
    if (reporter.json) reporter.event("group", info, "");
    else process.stdout.write(`${lines(info).join("\n")}\n`);
    refusal.catch(() => {});
    group.close();
  });
}

interface Info {
  readonly members: number;
  readonly neighbors: readonly { readonly peerId: string; readonly address: string }[];
  readonly coverage: { readonly from: string; readonly to: string };
  readonly streams: readonly string[];
}

/** Resolves once nothing has changed for a while, or after `ms`. */
async function settled(group: NetGroup, ms: number, signal: AbortSignal): Promise<void> {
  const [end, quiet] = [new Timer(), new Timer()];
  await new Promise<void>((resolve) => {
    end.set(ms, resolve);
    signal.addEventListener("abort", () => resolve(), { once: true });
    group.on("status", () => quiet.set(QUIET_MS, resolve));
  });
  end.clear();
  quiet.clear();
}

function lines({ members, neighbors, coverage, streams }: Info): string[] {
  return [
    `members     ${members}${members > neighbors.length + 1 ? " (estimated)" : ""}, this one included`,
    `neighbours  ${neighbors.length}`,
    ...neighbors.map(({ peerId }) => `  ${peerId}`),
    `coverage    ${coverage.from} to`,
    `            ${coverage.to}`,
    // Other members choose the names.
    `streams     ${streams.length === 0 ? "none" : streams.map((name) => JSON.stringify(name)).join(", ")}`,
  ];
}

/** Members come and streams are announced one after another. */
const QUIET_MS = 2_000;
