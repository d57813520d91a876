/** One end of a bulk case, as a process of its own. */
import { CASES, type CaseName } from "./cases.ts";
import type { EndMessage } from "./runner.ts";

const [role, name, bytes, to] = process.argv.slice(2) as [string, CaseName, string, string?];
const tell = (message: EndMessage): void => void process.send?.(message);
const cpuSeconds = (since?: NodeJS.CpuUsage): number => {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1e6;
};

if (role === "receive") {
  const before = process.cpuUsage();
  await CASES[name].receive(
    Number(bytes),
    (ready) => tell({ ready }),
    () => tell({ done: { ms: 0, cpuSeconds: cpuSeconds(before) } }),
  );
} else {
  const before = process.cpuUsage();
  const start = performance.now();
  await CASES[name].send(Number(bytes), JSON.parse(to ?? "{}"));
  tell({ done: { ms: performance.now() - start, cpuSeconds: cpuSeconds(before) } });
}
