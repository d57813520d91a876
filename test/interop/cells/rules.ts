import type { Cell } from "../harness/cell.ts";
import type { Peer } from "../harness/peer-file.ts";
import type { Stage } from "../harness/stage.ts";
import { APP, mediaValues } from "./media.ts";

/** What a server does for clients that meet there. */
export const rulesCells: readonly Cell[] = [
  {
    name: "rules",
    proves: "relay, broadcast, watch, hashed names, priorities and releaseStream: our server does what theirs does",
    run: async (stage) => {
      const theirs = await steps(stage, stage.peer);
      const ours = await steps(stage, stage.ours);
      const differs = ours.findIndex((step, i) => step !== theirs[i]);
      if (differs >= 0) throw new Error(`ours: ${ours[differs]}; theirs: ${theirs[differs]}`);
      if (ours.length !== theirs.length) throw new Error(`${ours.length} steps at ours, ${theirs.length} at theirs`);
      return `${ours.length} steps with the same outcome at both`;
    },
  },
  {
    name: "relay-player",
    proves: "their client gets what ours broadcasts at our server, with the sender where it looks for it",
    run: async (stage) => {
      const { values } = await stage.start(stage.ours, "server");
      const target = mediaValues(stage, values, "unused.flv");
      const player = await stage.start(stage.peer, "player", { values: target });
      const caller = await stage.start(stage.ours, "caller", { values: target });
      await caller.done();
      await player.program.waitFor(RELAYED, RELAY_LIMIT_MS);
      return "onRelay with an object that names the sender";
    },
  },
];

/** One line per step of `rules.ts` at a server of theirs or ours. */
async function steps(stage: Stage, who: Peer): Promise<string[]> {
  const { values } = await stage.start(who, "server");
  const { host = "", port = "" } = values;
  const rules = await stage.start(stage.ours, "rules", { values: { host, port, app: APP } });
  await rules.done();
  return rules.program.output.split("\n").filter((line) => line.startsWith('{"step"'));
}

const RELAYED = 'onRelay[^]*"sender": "[0-9a-f]{64}"[^]*hello';
const RELAY_LIMIT_MS = 20_000;
