/** The figures as text, and as JSON. */
import { cpus } from "node:os";
import type { SwarmFigures } from "./figures.ts";

/** A few lines for people. */
export function describe(figures: SwarmFigures): string {
  const { startUp, endToEnd, healed, nats } = figures;
  const mix = Object.entries(nats).map(([kind, share]) => `${kind} ${percent(share)}`);
  return [
    `swarm: ${figures.members} members, seed ${figures.seed}, ${figures.kbps} kbit/s, ${percent(figures.loss)} loss each way, ` +
      `${percent(figures.churn)} churn a minute, ${figures.seconds} s, ${figures.crypto} crypto, ` +
      (figures.threads === 1 ? "one thread" : `${figures.threads} threads`),
    `  links       up 2 Mbit/s, publisher 4, down 20; round trips 20 to 150 ms; ${mix.join(", ")}`,
    `  viewers     ${figures.came} came, ${figures.left} left, ${figures.failed} failed; ${figures.measured} measured (up for 30 s)`,
    `  delivered   ${percent(figures.deliveredMin, 2)} at least, ${percent(figures.deliveredMean, 3)} on average, within the window of 8 s`,
    `  start-up    ${startUp.p50} s p50, ${startUp.p99} s p99, to the first key frame`,
    `  end to end  ${endToEnd.p50} s p50, ${endToEnd.p99} s p99`,
    `  silences    ${figures.interruptionsPerMinute} a minute and viewer of more than 1 s, the longest ${figures.longestInterruption} s`,
    `  upload      publisher ${figures.publisherUpload} times the stream; all bytes sent ${figures.overhead} per byte delivered`,
    `  duplicates  ${percent(figures.duplicates, 2)} of the fragments`,
    `  neighbours  ${figures.neighboursMean} on average, ${figures.neighboursMax} at most`,
    `  ring        ${percent(figures.ringMembers, 1)} of members have both neighbours; ${percent(figures.ringPairs, 1)} of pairs that can meet; ${figures.pieces} piece${figures.pieces === 1 ? "" : "s"}`,
    ...(healed === undefined
      ? []
      : [
          `  healing     ${percent(figures.kill)} killed: silence over after ${healed.silence} s, nothing late after ` +
            `${healed.late ?? "never"} s, ring whole after ${healed.ring ?? "never"} s`,
        ]),
    `  cost        ${figures.datagrams} datagrams, ${figures.wallSeconds} s of wall time, ${figures.cpuSeconds} s of CPU, ${figures.peakHeapMiB} MiB of heap`,
  ].join("\n");
}

/** The figures with what they were measured on. */
export function toJson(figures: SwarmFigures): string {
  const machine = `${cpus().length} x ${cpus()[0]?.model ?? "unknown CPU"}, Node ${process.versions.node}`;
  return `${JSON.stringify({ date: new Date().toISOString().slice(0, 10), machine, figures }, undefined, 2)}\n`;
}

function percent(share: number, digits = 0): string {
  return `${(share * 100).toFixed(digits)} %`;
}
