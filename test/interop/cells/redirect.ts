import type { Cell } from "../harness/cell.ts";
import { stream } from "./media.ts";

/** Their redirector hands our clients on to their server, which registered there. */
export const redirectCells: readonly Cell[] = [
  {
    name: "redirect",
    proves: "our publisher and our player know only their redirector's address: redirects are followed to their server",
    run: async (stage) => {
      const login = { redirectorName: "redirector.example", user: "server", password: "secret" };
      const { values } = await stage.start(stage.peer, "redirector", { values: login });
      const { host = "", port = "" } = values;
      await stage.start(stage.peer, "server", {
        options: ["redirected"],
        values: { ...login, redirectorHost: host, redirectorPort: port },
      });
      return stream(stage, { host, port }, { publisher: stage.ours, player: stage.ours });
    },
  },
];
