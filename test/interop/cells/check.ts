import type { Cell } from "../harness/cell.ts";
import type { Peer } from "../harness/peer-file.ts";
import type { Stage } from "../harness/stage.ts";

/** Connectivity checks from three addresses: on loopback nothing is in the way, so that everything must be found open. */
export const checkCells: readonly Cell[] = [
  {
    name: "check-theirs",
    proves: "their checker's probes and introduction reach our client, and its results are understood",
    run: (stage) => checked(stage, stage.peer, stage.ours),
  },
  {
    name: "check-ours",
    proves: "our checker's probes and introduction reach their client, and its results are understood",
    run: (stage) => checked(stage, stage.ours, stage.peer),
  },
];

async function checked(stage: Stage, host: Peer, guest: Peer): Promise<string> {
  const server = await stage.start(host, "checkServer");
  const { host: address = "", port = "" } = server.values;
  const checker = await stage.start(guest, "checker", { values: { host: address, port } });
  for (const field of FIELDS) {
    if (checker.values[field] !== "true") throw new Error(`${field} is ${checker.values[field]}, expected true`);
  }
  await checker.done();
  return `${FIELDS.length} findings, and the server closes the connection`;
}

const FIELDS = ["otherPort", "otherHost", "allowed", "sameHost", "samePort"];
