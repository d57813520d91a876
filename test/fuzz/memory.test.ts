import { describe, expect, it } from "vitest";
import { MemoryCheck } from "./memory.ts";

const MIB = 1024 * 1024;

/** After so many rounds, each of which leaves so many bytes behind. */
function checkAfter(rounds: number, bytesEach: number): MemoryCheck {
  let used = 50 * MIB;
  const check = new MemoryCheck(() => used);
  for (let i = 0; i < rounds; i++) {
    used += bytesEach;
    check.onRound();
  }
  return check;
}

describe("the memory check of fuzzing", () => {
  it("does not judge fewer than 90 rounds, whatever they leave behind", () => {
    for (const rounds of [0, 1, 59, 60, 89]) {
      const check = checkAfter(rounds, MIB);
      expect(check.hasEnough).toBe(false);
      expect(check.verdict()).toEqual({
        outcome: "unjudged",
        text: `memory not judged: ${rounds} rounds, at least 90 needed`,
      });
    }
  });

  it("fails what each round after the sixtieth leaves behind once it adds up to more than 8 MiB", () => {
    expect(checkAfter(90, MIB).verdict()).toEqual({
      outcome: "failed",
      text: "heap growth=30720 KiB from round 60 to 90",
    });
    expect(checkAfter(200, 60 * 1024).verdict().outcome).toBe("failed");
    expect(checkAfter(188, 64 * 1024).verdict()).toEqual({
      outcome: "passed",
      text: "heap growth=8192 KiB from round 60 to 188",
    });
  });

  it("passes what does not grow, and sees real memory by default", () => {
    expect(checkAfter(90, 0).verdict().outcome).toBe("passed");
    const check = new MemoryCheck();
    const kept: Uint8Array[] = [];
    for (let i = 0; i < 90; i++) {
      check.onRound();
      kept.push(new Uint8Array(MIB));
    }
    expect(check.verdict().outcome).toBe("failed");
    expect(kept).toHaveLength(90);
  });
});
