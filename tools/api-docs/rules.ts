import type { ApiItem, ApiValue } from "./item.ts";

/** What the comment of one item lacks; empty if nothing. */
export function missing(item: ApiItem): string[] {
  if (item.doc === "") return speaksForItself(item) ? [] : ["no comment"];
  const lacks: string[] = [];
  for (const value of [...item.parameters, ...(item.value ? [item.value] : [])]) {
    const unit = missingUnit(item, value);
    if (unit !== undefined) lacks.push(`${value.name}: no unit of ${unit}`);
  }
  if (needsDefault(item) && !/\bdefault/i.test(item.doc)) lacks.push("no default");
  for (const { name, type, optional } of item.parameters) {
    if (optional && !OPTIONS.test(type) && !ABSENCE.test(item.doc)) lacks.push(`${name}: no default`);
  }
  if (handlesBytes(item) && !OWNERSHIP.test(item.doc) && !OWNERSHIP.test(item.around))
    lacks.push("no owner of the bytes");
  if (item.throws && !/@throws|\b(throws|rejects)\b/i.test(item.doc)) lacks.push("throws, but does not say so");
  if (item.kind === "export" && PROTOCOL.test(item.file) && !SECTION.test(item.doc) && !SECTION.test(item.head)) {
    lacks.push("no section");
  }
  return lacks;
}

/**
 * A constructor without parameters, a tag (one text, and no other, as its value), and a field of a type or constant
 * written in place that the comment of the whole names in backticks.
 */
function speaksForItself(item: ApiItem): boolean {
  if (item.kind === "constructor") return item.parameters.length === 0;
  const own = item.name.slice(item.name.lastIndexOf(".") + 1);
  const isTag = item.kind !== "export" && item.value !== undefined && /^"[^"]*"$/.test(item.value.type);
  return isTag || (item.kind === "field" && item.around.includes(`\`${own}\``));
}

/** The kind of unit that a number's name calls for and neither name nor comments give. */
function missingUnit(item: ApiItem, value: ApiValue): string | undefined {
  if (!/\b(number|bigint)\b/.test(value.type)) return undefined;
  const name = value.name === "result" ? item.name.slice(item.name.lastIndexOf(".") + 1) : value.name;
  const words = name.split(/_|(?<=[a-z0-9])(?=[A-Z])/).map((word) => word.toLowerCase());
  const kind = KINDS.find((each) => words.some((word) => each.words.has(word)));
  if (kind === undefined || words.some((word) => UNIT_WORDS.has(word))) return undefined;
  // A name in the plural, such as mtuProbes, is a count of things.
  if (words.at(-1)?.endsWith("s") && !kind.words.has(words.at(-1) as string)) return undefined;
  return kind.unit.test(item.doc) || kind.shared.test(item.around) ? undefined : kind.name;
}

/** Optional properties of what is handed over as options or settings. */
function needsDefault(item: ApiItem): boolean {
  return item.optional && /(Options|Config|Settings|Limits)\b/.test(item.name);
}

/** Bytes go in or out. A function alone that takes bytes and gives a number, a text or a truth cannot keep them. */
function handlesBytes(item: ApiItem): boolean {
  const isBytes = (value: ApiValue | undefined): boolean => value !== undefined && /\bUint8Array\b/.test(value.type);
  if (isBytes(item.value)) return true;
  const forgets = item.kind === "export" && /^(number|string|boolean|bigint)$/.test(item.value?.type ?? "");
  return !forgets && item.parameters.some(isBytes);
}

const KINDS: readonly { name: string; words: ReadonlySet<string>; unit: RegExp; shared: RegExp }[] = [
  {
    name: "time",
    words: new Set(
      "now time timeout delay interval age period duration deadline until rtt srtt rttvar erto mrto latency jitter lifetime timestamp elapsed".split(
        " ",
      ),
    ),
    unit: /\b(ms|milliseconds?|seconds?|minutes?|\d+ s|ticks?)\b/i,
    shared: /\b(times?|timestamps?|durations?)\b[^.]*\b(ms|milliseconds|seconds)\b/i,
  },
  {
    name: "size",
    words: new Set("size length window buffer buffered mtu cwnd ssthresh capacity".split(" ")),
    unit: /\b(bytes?|bits?|packets?|fragments?|messages?|characters?|items?|entries|values?|elements?)\b/i,
    shared: /\bsizes?\b[^.]*\bbytes\b/i,
  },
  {
    name: "rate",
    words: new Set("rate bandwidth bitrate throughput goodput".split(" ")),
    unit: /\b(per (second|s)|a second|\/s|bps|kbps|per millisecond|Hz)\b/i,
    shared: /\brates?\b[^.]*\bper second\b/i,
  },
];

const UNIT_WORDS: ReadonlySet<string> = new Set("ms seconds minutes bytes bits packets fragments messages".split(" "));
/** Parameters of these types: their fields name the defaults. */
const OPTIONS = /(Options|Limits|Encoding)\b/;
const ABSENCE = /\bdefault|\bwithout\b|\bomitted\b|\bundefined\b|\bunless\b|\bif given\b|\bif any\b/i;
const OWNERSHIP =
  /\b(cop(y|ies|ied)|borrow(s|ed)?|own(s|ed|er|ers)|your own|kept|keeps|views?|caller's|fresh|new (array|bytes|buffer))\b/i;
const PROTOCOL = /packages\/rtmfp-core\/src\/(proto|crypto|tc)\//;
const SECTION = /§\s?[\dA-Z]|\bRFC \d{4}|\bAppendix [A-Z]|\b(our|its) own\b|\bnot (of|in) (the|any) RFCs?\b/i;
