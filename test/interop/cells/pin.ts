import type { Cell } from "../harness/cell.ts";
import type { Values } from "../harness/command.ts";
import { mediaValues, stream } from "./media.ts";

/** Clients that demand a server's fingerprint: the right one is let in, and a wrong one is not, at the same time. */
export const pinCells: readonly Cell[] = [
  {
    name: "pin-theirs",
    proves:
      "our clients pin the static identity of their server; with a wrong fingerprint ours gives up and exits with 1",
    run: async (stage) => {
      const server = await stage.start(stage.peer, "server", { options: ["static"] });
      const misled = await stage.launch(stage.ours, "player", {
        options: ["pin", "hurry"],
        values: mediaValues(stage, wrong(server.values), "misled.flv"),
      });
      const cast = { publisher: stage.ours, player: stage.ours, options: ["pin"] };
      const seen = await stream(stage, server.values, cast);
      const { code, how } = await misled.ended();
      if (misled.isReady() || code !== 1) throw new Error(`our player with a wrong fingerprint ${how}`);
      return `${seen}; a wrong fingerprint: ${misled.program.output.trim().split("\n").at(-1)}`;
    },
  },
  {
    name: "pin-ours",
    proves: "their clients pin the static identity of our server; with a wrong fingerprint theirs is not let in",
    run: async (stage) => {
      const server = await stage.start(stage.ours, "server", { options: ["static"] });
      const misled = await stage.launch(stage.peer, "player", {
        options: ["pin"],
        values: mediaValues(stage, wrong(server.values), "misled.flv"),
      });
      const cast = { publisher: stage.peer, player: stage.peer, options: ["pin"] };
      const seen = await stream(stage, server.values, cast);
      if (misled.isReady()) throw new Error("their player was let in with a wrong fingerprint");
      return `${seen}; a wrong fingerprint: not let in`;
    },
  },
];

/** The same server with another fingerprint. */
function wrong(values: Values): Values {
  const { fingerprint = "" } = values;
  if (!/^[0-9a-f]{64}$/.test(fingerprint)) throw new Error(`the server's ready line gave no fingerprint`);
  return { ...values, fingerprint: `${fingerprint.slice(0, -1)}${fingerprint.endsWith("0") ? "1" : "0"}` };
}
