/** The process under attack: rtmfp-server at default limits, with an application that takes and counts bytes. */
import { createServer } from "rtmfp-server";
import { APPLICATION } from "./names.ts";
import { serveVictim } from "./victim.ts";

const server = createServer({ host: "127.0.0.1", port: 0 });
let received = 0;
server.application(APPLICATION, () => ({
  onConnect(client) {
    client.expose({
      take: (text) => {
        received += String(text).length;
      },
      echo: (value) => value,
    });
  },
}));
const { addresses } = await server.listen();
const [address] = addresses;
if (address === undefined) throw new Error("the server has no address");
serveVictim({
  address,
  received: () => received,
  sessions: () => server.stats.sessions,
  counters: () => ({ ...server.transport }),
});
