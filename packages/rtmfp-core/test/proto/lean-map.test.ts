import { describe, expect, it } from "vitest";
import { LeanMap } from "../../src/proto/lean-map.ts";

describe("a lean map", () => {
  it("is a map with none, one and several entries, also after it was empty again", () => {
    const lean = new LeanMap<number, string>();
    const map = new Map<number, string>();
    const both = (run: (table: LeanMap<number, string> | Map<number, string>) => unknown): void => {
      expect(run(lean)).toEqual(run(map));
      expect([...lean.entries()]).toEqual([...map.entries()]);
      expect([...lean.keys()]).toEqual([...map.keys()]);
      expect([...lean.values()]).toEqual([...map.values()]);
      expect(lean.size).toBe(map.size);
      for (const id of [1, 2, 3]) {
        expect(lean.get(id)).toBe(map.get(id));
        expect(lean.has(id)).toBe(map.has(id));
      }
    };
    const set = (id: number, text: string) =>
      both((table) => {
        table.set(id, text);
      });
    both((table) => table.delete(1));
    set(2, "two");
    set(2, "two again");
    both((table) => table.delete(1));
    set(1, "one");
    set(1, "one again");
    both((table) => table.delete(2));
    set(2, "two");
    both((table) => table.delete(3));
    both((table) => table.delete(1));
    both((table) => table.delete(2));
    set(3, "three");
    both((table) => table.clear());
    set(1, "one");
    both((table) => table.delete(1));
    set(1, "one");
    set(2, "two");
    both((table) => table.clear());
    set(3, "three");
  });
});
