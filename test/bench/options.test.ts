import { describe, expect, it } from "vitest";
import { parseOptions, usage } from "./options.ts";

const CASES = ["bulk", "ping"];

describe("the command line of the benchmark", () => {
  it("runs every case three times for three seconds unless told otherwise", () => {
    expect(parseOptions([], CASES)).toMatchObject({ names: [], seconds: 3, rounds: 3, quick: false });
    expect(parseOptions(["ping", "--quick"], CASES)).toMatchObject({ names: ["ping"], seconds: 1, rounds: 1 });
    expect(parseOptions(["--quick", "--seconds", "0.5"], CASES)).toMatchObject({ seconds: 0.5, rounds: 1 });
  });

  it("says in one line what is wrong with an argument", () => {
    const wrong: [string[], string][] = [
      [["pong"], "no case pong; there are bulk, ping"],
      [["--seconds", "0"], 'expected a number above 0 for --seconds, got "0"'],
      [["--rounds", "2.5"], 'expected a number above 0 for --rounds, got "2.5"'],
      [["--json", "results.txt"], 'expected a name in .json, got "results.txt"'],
      [["--peer-cpp", "/nowhere/bench"], "--peer-cpp: there is no file /nowhere/bench"],
      [["--node", "/nowhere/node"], "--node: there is no file /nowhere/node"],
    ];
    for (const [argv, message] of wrong) expect(() => parseOptions(argv, CASES)).toThrow(message);
    expect(() => parseOptions(["--frobnicate"], CASES)).toThrow("--frobnicate");
  });

  it("names every case in its help", () => {
    expect(usage(CASES)).toContain("cases: bulk, ping");
  });
});
