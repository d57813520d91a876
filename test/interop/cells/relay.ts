import { once } from "node:events";
import { createServer } from "node:net";
import type { Cell } from "../harness/cell.ts";
import { stream } from "./media.ts";

/** Their relay turns RTMFP into RTMP over TCP, and a second one turns that back, between our programs. */
export const relayCells: readonly Cell[] = [
  {
    name: "relay-rtmp",
    proves: "our publisher and player reach our server through two of their relays with RTMP between them",
    run: async (stage) => {
      const server = await stage.start(stage.ours, "server");
      const { host = "", port = "" } = server.values;
      const between = String(await freeTcpPort(host));
      await stage.start(stage.peer, "relay", {
        options: ["fromRtmp"],
        values: { listen: `${host}:${between}`, host, port },
      });
      const relay = await stage.start(stage.peer, "relay", {
        options: ["toRtmp"],
        values: { listen: `${host}:0`, host, port: between },
      });
      return stream(stage, relay.values, { publisher: stage.ours, player: stage.ours });
    },
  },
];

/** A TCP port that was free just now. */
async function freeTcpPort(host: string): Promise<number> {
  const server = createServer().listen(0, host);
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}
