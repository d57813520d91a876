import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { authKey, authToken, defaultProvider } from "rtmfp-core/crypto";
import type { Cell } from "../harness/cell.ts";
import type { Values } from "../harness/command.ts";
import type { Peer } from "../harness/peer-file.ts";
import type { Stage } from "../harness/stage.ts";
import { APP, mediaValues, stream } from "./media.ts";

/** Servers that ask for tokens: a user's token bound to the session is taken, the server proves itself, a wrong one is not. */
export const tokenCells: readonly Cell[] = [
  {
    name: "token-theirs",
    proves: "their server takes our clients' tokens, bound to the session, and proves that it knows them",
    run: (stage) => played(stage, stage.peer, stage.ours),
  },
  {
    name: "token-ours",
    proves: "our server takes their clients' tokens, bound to the session, and proves that it knows them",
    run: (stage) => played(stage, stage.ours, stage.peer),
  },
];

async function played(stage: Stage, host: Peer, guest: Peer): Promise<string> {
  writeFileSync(join(stage.folder, "keys"), `${SECRET}\n`);
  const server = await stage.start(host, "server", { options: ["token"], values: { secret: SECRET } });
  const misled = await stage.launch(guest, "player", {
    options: ["token"],
    values: { ...mediaValues(stage, server.values, "misled.flv"), ...credentials("wrong") },
  });
  const seen = await stream(stage, server.values, {
    publisher: guest,
    player: guest,
    options: ["token"],
    values: credentials(authToken(defaultProvider(), authKey(SECRET), APP, USER)),
  });
  if (misled.isReady()) throw new Error(`${guest.name}'s player was let in with a wrong token`);
  return `${seen}; a wrong token: not let in`;
}

/** The options' values, and how programs take them that want both in the URL. */
function credentials(token: string): Values {
  const hex = token === "wrong" ? "00".repeat(32) : token;
  return { token: hex, tokenUser: USER, credentials: `${encodeURIComponent(USER)}:${hex}@` };
}

const SECRET = "supersecret";
const USER = "67890;name=mike;pri=5;exp=4000000000";
