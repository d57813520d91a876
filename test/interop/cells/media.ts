import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Cell } from "../harness/cell.ts";
import type { Values } from "../harness/command.ts";
import { compareTags, excerpt, type SeenTag, tagsOfFile, tagsOfOutput, writeMedia } from "../harness/media.ts";
import type { Peer } from "../harness/peer-file.ts";
import type { Actor, Stage } from "../harness/stage.ts";

/** Live streams of a real file, with our programs in each place in turn. */
export const mediaCells: readonly Cell[] = [
  {
    name: "publish",
    proves:
      "our publisher, their server, their player: connect, createStream, publish and media of ours are understood",
    run: async (stage) => {
      const server = await stage.start(stage.peer, "server");
      return stream(stage, server.values, { publisher: stage.ours, player: stage.peer });
    },
  },
  {
    name: "serve",
    proves: "their publisher, our server, our player: our server understands them and passes every tag on unchanged",
    run: async (stage) => {
      const server = await stage.start(stage.ours, "server");
      return stream(stage, server.values, { publisher: stage.peer, player: stage.ours });
    },
  },
  {
    name: "serve-player",
    proves: "their publisher, our server, their player: two of theirs meet at our server",
    run: async (stage) => {
      const server = await stage.start(stage.ours, "server");
      return stream(stage, server.values, { publisher: stage.peer, player: stage.peer });
    },
  },
  {
    name: "play",
    proves: "their publisher, their server, our player: we subscribe at their server and write every tag unchanged",
    run: async (stage) => {
      const server = await stage.start(stage.peer, "server");
      return stream(stage, server.values, { publisher: stage.peer, player: stage.ours });
    },
  },
];

/** Who publishes and who plays, and options for both. */
export interface Cast {
  readonly publisher: Peer;
  readonly player: Peer;
  readonly options?: readonly string[];
  /** Values of the options that the server's ready line does not give. */
  readonly values?: Values;
}

/**
 * Streams an excerpt of the sample from a publisher to a player through the server at `target` (host, port and whatever
 * the options need), the player first, and compares what was played with the file.
 */
export async function stream(stage: Stage, target: Values, cast: Cast): Promise<string> {
  const values = { ...mediaValues(stage, target, "played.flv"), ...cast.values };
  const options = cast.options ?? [];
  const tags = excerpt(SAMPLE, EXCERPT_MS);
  const file = join(stage.folder, `${STREAM}.flv`);
  writeMedia(file, tags, cast.publisher.roles.publisher?.trailerMs);
  const player = await stage.start(cast.player, "player", { values, options });
  const publisher = await stage.start(cast.publisher, "publisher", { values: { ...values, in: file }, options });
  await publisher.done();
  await player.done();
  return compareTags(tags, played(player));
}

/** The values of a publisher or player at a server, as its ready line captured them. */
export function mediaValues(stage: Stage, target: Values, out: string): Values {
  const { host = "", port = "", fingerprint = "" } = target;
  return { host, port, fingerprint, app: APP, stream: STREAM, out: join(stage.folder, out) };
}

function played(player: Actor): SeenTag[] {
  const { tags } = player.role;
  return tags === undefined ? tagsOfFile(player.values["out"]!) : tagsOfOutput(player.program.output, tags);
}

/** Path of the application that all meet in. */
export const APP = "live/interop";
const STREAM = "sample";
const SAMPLE = fileURLToPath(new URL("../../fixtures/sample-h264-aac.flv", import.meta.url));
/** Publishers from files take as long as the file plays. */
const EXCERPT_MS = 2_000;
