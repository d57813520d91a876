// `pnpm sim`: random walks of endpoints; `pnpm sim swarm`: a group of many members. Each has its own --help.
import process from "node:process";

if (process.argv[2] === "swarm") {
  process.argv.splice(2, 1);
  await import("../test/swarm/main.ts");
} else await import("../test/walk/main.ts");
