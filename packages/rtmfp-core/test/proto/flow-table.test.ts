import { describe, expect, it } from "vitest";
import { FlowTable } from "../../src/proto/flow-table.ts";

describe("a table of flows", () => {
  it("is a map, also after it was empty again", () => {
    const table = new FlowTable<string>();
    const map = new Map<number, string>();
    const both = (run: (flows: FlowTable<string> | Map<number, string>) => void): void => {
      run(table);
      run(map);
      expect([...table.values()]).toEqual([...map.values()]);
      expect(table.size).toBe(map.size);
      for (const id of [1, 2, 3]) {
        expect(table.get(id)).toBe(map.get(id));
      }
    };
    both(() => {});
    both((flows) => flows.delete(1));
    both((flows) => flows.set(2, "two"));
    both((flows) => flows.set(1, "one"));
    both((flows) => flows.delete(2));
    both((flows) => flows.delete(1));
    both((flows) => flows.set(3, "three"));
    both((flows) => flows.clear());
    both((flows) => flows.set(1, "one again"));
  });
});
