import { statusInfo } from "rtmfp-core/tc";
import { describe, expect } from "vitest";
import { it } from "../../../test/support/rfc.ts";
import { Calls } from "../src/calls.ts";
import { systemClock } from "../src/clock.ts";
import { statusError } from "../src/status-error.ts";

function failWith(info: Parameters<typeof statusInfo>): Promise<unknown> {
  const calls = new Calls(systemClock);
  const answer = calls.start("foo", (transactionId) =>
    queueMicrotask(() =>
      calls.settle({ name: "_error", transactionId, commandObject: null, args: [statusInfo(...info)] }),
    ),
  );
  return answer.catch((error) => error.message);
}

describe("the error of a call", () => {
  it("says what the server described, and the text that its application added", async () => {
    const rejected = "NetConnection.Connect.Rejected";
    const failed = "NetConnection.Call.Failed";
    expect(await failWith([rejected, "Connection failed", { application: "tell us your name" }])).toBe(
      "Connection failed: tell us your name",
    );
    expect(await failWith([rejected, "", { application: "full" }])).toBe("full");
    expect(await failWith([rejected, "Connection failed", { application: { why: 1 } }])).toBe("Connection failed");
    expect(await failWith([failed, "Method not found (foo)."])).toBe("Method not found (foo).");
    expect(await failWith([failed, ""])).toBe('the call of "foo" failed');
  });

  it("is told alike by an event", () => {
    const event = { code: "NetConnection.Connect.Rejected", level: "error" } as const;
    expect(statusError({ ...event, description: "no", application: "full" }).message).toBe("no: full");
    expect(statusError(event).message).toBe("NetConnection.Connect.Rejected");
  });
});
