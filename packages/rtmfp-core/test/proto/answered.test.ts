import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { type Answered, AnsweredKeyings } from "../../src/proto/startup/answered.ts";

const entry = (key: string, nearId: number, until: number): Answered => ({
  key,
  nearId,
  initiatorSessionId: 1,
  skic: "",
  skrc: "",
  signature: new Uint8Array(0),
  copies: undefined,
  until,
});

describe("the table of answered keyings", () => {
  it(...rfc("R7016-5-04"), "forgets the oldest beyond 131072", () => {
    const table = new AnsweredKeyings();
    for (let i = 0; i <= 131_072; i++) table.add(entry(`key ${i}`, i, 110_000));
    expect(table.size).toBe(131_072);
    expect([table.get("key 0", 0)?.nearId, table.get("key 1", 0)?.nearId]).toEqual([undefined, 1]);
    expect(table.get("key 131072", 0)?.nearId).toBe(131_072);
  });

  it("forgets each when its time is over, but not a later one of the same key", () => {
    const table = new AnsweredKeyings();
    table.add(entry("a", 1, 100));
    table.add(entry("b", 2, 100));
    table.add(entry("a", 3, 200));
    expect(table.get("b", 100)?.nearId).toBe(2);
    expect([table.get("a", 101)?.nearId, table.get("b", 101)]).toEqual([3, undefined]);
    table.get("a", 201);
    expect(table.size).toBe(0);
  });
});
