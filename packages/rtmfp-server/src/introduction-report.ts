/** What clients of ours tell of an introduction: `introductionReport(peerID, outcome, reason?)`, which asks for no reply. */
import type { Command } from "rtmfp-core/tc";
import type { IntroductionReport } from "./introductions.ts";

/** A report and whom else it is about. */
export type ReportOfPeer = IntroductionReport & { readonly peerId: string };

/** The report in a command; undefined if it is none, or makes no sense. */
export function readReport({ name, args }: Command): ReportOfPeer | undefined {
  if (name !== "introductionReport") return undefined;
  const [peerId, outcome, reason] = args;
  if (typeof peerId !== "string" || !/^[0-9a-f]{64}$/.test(peerId)) return undefined;
  if (outcome === "connected" || outcome === "failed") return { peerId, outcome };
  if (outcome !== "refused" || (reason !== "consent" && reason !== "limit")) return undefined;
  return { peerId, outcome, reason };
}
