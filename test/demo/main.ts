/** `pnpm demo`: processes on this machine stream a real FLV to each other. */
import { directDemo } from "./direct.ts";
import { groupDemo } from "./group.ts";
import { readOptions } from "./options.ts";
import { Stage } from "./stage.ts";

const { clean, out, group } = readOptions();
const stage = new Stage(clean);
await stage.run(out, (folder) => (group ? groupDemo(stage, folder) : directDemo(stage, folder)));
