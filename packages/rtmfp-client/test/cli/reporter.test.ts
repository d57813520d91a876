import { describe, expect, vi } from "vitest";
import { it } from "../../../../test/support/rfc.ts";
import { Reporter } from "../../src/cli/reporter.ts";

describe("what people read", () => {
  it("moves no cursor, whatever servers and peers say", () => {
    const told = vi.spyOn(process.stderr, "write").mockImplementation(() => true);
    const reporter = new Reporter({ json: false, level: "info" });
    reporter.failure("the server answers 403 \u001b[31mRED\u001b]0;title\u0007\u009b2J\r");
    reporter.log("info", "x", {}, "größer\ttwo");
    reporter.event("x", {}, "one\ntwo");
    const lines = told.mock.calls.map(([line]) => line);
    told.mockRestore();
    expect(lines).toEqual([
      "rtmfp-client: the server answers 403 \ufffd[31mRED\ufffd]0;title\ufffd\ufffd2J\ufffd\n",
      "größer\ufffdtwo\n",
      "one\ntwo\n",
    ]);
  });
});
