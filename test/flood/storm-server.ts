/** rtmfp-server on loopback, at default limits. */
import { createServer } from "rtmfp-server";
import { serve } from "./remote.ts";

const server = createServer({ host: "127.0.0.1", port: 0 });
const { addresses } = await server.listen();
serve({ url: (): string => `rtmfp://127.0.0.1:${addresses[0]?.port}/storm` });
