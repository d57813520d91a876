import { describe, expect, it } from "vitest";
import { topSelfTime } from "./profile.ts";
import { cells, toText } from "./report.ts";
import type { Row } from "./row.ts";

const ROW: Row = {
  case: "bulk",
  what: "bulk",
  unit: "MB/s",
  number: 52.04,
  reference: "rtmfp-cpp",
  target: { of: "ratio", better: "more", reach: 0.4, aim: 0.6 },
  verdict: "unavailable",
  rounds: [[52.04]],
};

describe("the report of the benchmark", () => {
  it("says unavailable where the reference is absent", () => {
    expect(cells(ROW)).toEqual([
      "bulk",
      "52.0 MB/s",
      "rtmfp-cpp: unavailable",
      "-",
      "≥ 0.4x",
      "≥ 0.6x",
      "unavailable",
      "-",
      "-",
      "-",
      "",
    ]);
  });

  it("shows number, reference, ratio, limits, verdict and the CPU of all sides", () => {
    const row: Row = {
      ...ROW,
      referenceNumber: 104.2,
      ratio: 0.4994,
      verdict: "reach met",
      senderCpu: 21.04,
      receiverCpu: 19,
      referenceSenderCpu: 7,
      referenceReceiverCpu: 6.06,
      cpuRatio: 1 / 3,
      note: "packets of 1200 bytes",
    };
    expect(cells(row).slice(2)).toEqual([
      "rtmfp-cpp: 104 MB/s",
      "0.50",
      "≥ 0.4x",
      "≥ 0.6x",
      "reach met",
      "21.0 / 19.0",
      "7.0 / 6.1",
      "0.33",
      "packets of 1200 bytes",
    ]);
    const lines = toText([ROW, row]).split("\n");
    expect(lines[1]?.indexOf("≥ 0.4x")).toBe(lines[0]?.indexOf("reach"));
  });

  it("sums a profile by function, without idle time", () => {
    const frame = (functionName: string, url = ""): object => ({ functionName, url, lineNumber: 9 });
    const json = JSON.stringify({
      nodes: [
        { id: 1, callFrame: frame("(idle)") },
        { id: 2, callFrame: frame("open", "file:///here/packages/core/dist/a.js") },
        { id: 3, callFrame: frame("(garbage collector)") },
        { id: 4, callFrame: frame("open", "file:///here/packages/core/dist/a.js") },
      ],
      samples: [1, 2, 3, 4],
      timeDeltas: [1_000, 200, 100, 100],
    });
    expect(topSelfTime(json, 15)).toEqual([
      " 75.0 %  open  packages/core/dist/a.js:10",
      " 25.0 %  (garbage collector)",
    ]);
    expect(topSelfTime(json, 1)).toHaveLength(1);
  });
});
