/** Reads CPU profiles in V8's format, of one thread: where the time goes. */

interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly samples: readonly number[];
  /** Microseconds before each sample. */
  readonly timeDeltas: readonly number[];
}

/** Functions with the largest share of the busy time, themselves without what they call: lines of text. */
export function topSelfTime(json: string, count: number): string[] {
  const profile: Profile = JSON.parse(json);
  const names = new Map(profile.nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  const times = new Map<string, number>();
  let busy = 0;
  profile.samples.forEach((id, i) => {
    const name = names.get(id) ?? "?";
    if (name === "(idle)" || name === "(root)") return;
    const time = profile.timeDeltas[i] ?? 0;
    busy += time;
    times.set(name, (times.get(name) ?? 0) + time);
  });
  const sorted = [...times].toSorted((a, b) => b[1] - a[1]).slice(0, count);
  return sorted.map(([name, time]) => `${((100 * time) / busy).toFixed(1).padStart(5)} %  ${name}`);
}

function nameOf({ functionName, url, lineNumber }: Profile["nodes"][number]["callFrame"]): string {
  const name = functionName === "" ? "(anonymous)" : functionName;
  return url === ""
    ? name
    : `${name}  ${url.replace(/^file:.*\/(packages|test|node_modules)\//, "$1/")}:${lineNumber + 1}`;
}
