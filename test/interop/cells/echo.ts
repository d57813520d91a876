import type { Cell } from "../harness/cell.ts";
import type { Peer } from "../harness/peer-file.ts";
import type { Stage } from "../harness/stage.ts";

/** Their echo client against our echo server, then ours against theirs; all 16 pairs of settings each way. */
export const echoCells: readonly Cell[] = [
  ...pairings().map((setting) =>
    cell(
      "echo-serve",
      "their echo client, our echo server (every message must arrive; their client takes no echo)",
      setting,
      false,
    ),
  ),
  ...pairings().map((setting) => cell("echo-call", "our echo client, their echo server", setting, true)),
];

interface Setting {
  /** What a cell's name ends with: H or S for what is not required. */
  readonly suffix: string;
  /** Options of the role. */
  readonly options: readonly string[];
}

function pairings(): Setting[] {
  return [
    { suffix: "", options: [] },
    { suffix: "-H", options: ["noHmac"] },
    { suffix: "-S", options: ["noSequence"] },
    { suffix: "-HS", options: ["noHmac", "noSequence"] },
  ];
}

/** One setting of the server, all four of the client. */
function cell(name: string, who: string, server: Setting, weCall: boolean): Cell {
  const setting = server.suffix === "" ? "requires HMAC and sequence numbers" : `runs with ${server.suffix}`;
  return {
    name: `${name}${server.suffix}`,
    proves: `${who}: startup, keying, flows and acks, the server ${setting}, the clients each of four ways`,
    run: (stage) =>
      weCall ? play(stage, stage.peer, stage.ours, server) : play(stage, stage.ours, stage.peer, server),
  };
}

async function play(stage: Stage, serving: Peer, calling: Peer, server: Setting): Promise<string> {
  const { values } = await stage.start(serving, "echoServer", { options: server.options });
  const { host = "", port = "" } = values;
  for (const { options } of pairings()) {
    const client = await stage.start(calling, "echoClient", { options, values: { host, port } });
    await client.done();
    await client.program.stop();
  }
  return "4 clients, every message delivered";
}
