import { createServer, Reject } from "rtmfp-server";

const server = createServer({ port: 1935 });
server.application("lobby", (app) => ({                  // once per instance: rtmfp://host/lobby/room1
  onConnect(client, name) {                              // return: accept; throw: reject; Promise: pending
    if (typeof name !== "string") throw new Reject("tell us your name");
    client.expose({ say: (text) => app.broadcastMsg("onSay", name, text) });
    app.broadcastMsg("onJoin", name, client.farID);      // the id that others need to reach this peer
  },
  onPeerLookup: (asker, target) => asker.app === target.app, // only the same room is introduced
}));
console.log((await server.listen()).url);
