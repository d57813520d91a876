import { readFileSync } from "node:fs";
import { GroupSpecifier, NetConnection, NetGroup, NetStream } from "rtmfp-client";
import { SimWorld } from "rtmfp-core/testing";
import { describe, expect, it } from "vitest";
import { root } from "../../tools/run.ts";

interface Row {
  readonly member: string;
  readonly here: string;
  readonly fallback: string;
}

const TEXT = readFileSync(`${root}docs/flash-api.md`, "utf8");

/** Rows of the table under a heading, and the names in backticks behind "Ours:". */
function section(heading: string): { rows: Row[]; ours: ReadonlySet<string> } {
  const lines = TEXT.slice(TEXT.indexOf(`${heading}\n`) + heading.length).split(/\n##+ /)[0] ?? "";
  const rows = lines
    .split("\n")
    .filter((line) => line.startsWith("| `"))
    .map((line) => line.split(" | ").map((cell) => cell.replace(/^\| /, "").trim()))
    .map(([member = "", here = "", fallback = ""]) => ({ member, here, fallback }));
  const ours = lines.split("\n\n").find((paragraph) => paragraph.startsWith("Ours: ")) ?? "";
  return { rows, ours: new Set([...ours.matchAll(/`(\w+)`/g)].map(([, name]) => name as string)) };
}

/** What there is: own fields, and members of the class and those that it builds on; statics, without JavaScript's own. */
function membersOf(instance: object): Set<string> {
  const names = new Set(Object.keys(instance));
  for (let of = instance; of !== Object.prototype; of = Object.getPrototypeOf(of) as object)
    for (const name of Object.getOwnPropertyNames(of)) names.add(name);
  if (instance.constructor !== Object)
    for (const name of Object.getOwnPropertyNames(instance.constructor)) names.add(name);
  for (const name of ["constructor", "length", "name", "prototype", "emit"]) names.delete(name);
  return names;
}

/** A member's value: the instance's, or the class's. */
function memberValue(instance: object, name: string): unknown {
  return Reflect.has(instance, name) ? Reflect.get(instance, name) : Reflect.get(instance.constructor, name);
}

const connection = new NetConnection();
const stream = new NetStream(connection);
const world = new SimWorld(1);
const alone = new NetConnection({
  carrier: () => world.host("alone").open([{ port: 0 }]),
  clock: { now: () => world.now, after: (ms, run) => world.after(ms, run) },
});
await alone.connect("rtmfp:");
const specifier = new GroupSpecifier("group");
const group = new NetGroup(alone, specifier.toString());
const CASES: [string, object][] = [
  ["## NetConnection", connection],
  ["## NetStream", stream],
  ["### NetStreamInfo", stream.info],
  ["### NetStreamMulticastInfo", stream.multicastInfo],
  ["## NetGroup", group],
  ["## GroupSpecifier", specifier],
];

describe.each(CASES)("docs/flash-api.md, %s", (heading, instance) => {
  const { rows, ours } = section(heading);
  const named = rows.map((row) => ({ ...row, name: /^`(\w+)`$/.exec(row.member)?.[1] })).filter(({ name }) => name);
  const members = membersOf(instance);

  it("has a row for every member, and lists those of our own", () => {
    const listed = new Set([...named.map(({ name }) => name as string), ...ours]);
    expect([...members].filter((name) => !listed.has(name))).toEqual([]);
    expect(named.length).toBeGreaterThanOrEqual(19);
  });

  it.each(named)("says rightly that $name is there, or left out", ({ name, here }) => {
    expect(["yes", "no effect", "left out"]).toContain(here);
    expect(members.has(name as string)).toBe(here !== "left out");
  });

  it.each(named.filter(({ fallback }) => /^`[^,]+`$/.test(fallback)))(
    "says rightly what $name is at first",
    ({ name, fallback }) => {
      const value = memberValue(instance, name as string);
      const expected: unknown = JSON.parse(fallback.slice(1, -1));
      expect(typeof value === "function" ? expected : value).toEqual(expected);
    },
  );
});
