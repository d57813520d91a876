/** One message of 100 bytes there and back, then the next. */
import type { SendFlow } from "rtmfp-core";
import { openEndpoint } from "./open.ts";
import { percentiles } from "./percentiles.ts";
import type { Work } from "./work.ts";

export const echo: Work = {
  async serve(settings) {
    const endpoint = await openEndpoint(settings);
    endpoint.onFlow = (flow) => {
      const back = flow.openReturn("echo");
      flow.onMessage = (message) => void back.write(message);
      flow.onEnd = () => void back.close();
    };
    return { address: endpoint.address };
  },
  async drive(settings, address) {
    const endpoint = await openEndpoint(settings);
    const session = await endpoint.connect(address);
    const flow = session.openFlow("echo");
    let onEcho = (): void => {};
    session.onFlow = (back) => {
      back.onMessage = () => onEcho();
    };
    const run = (seconds: number): Promise<number[]> =>
      new Promise((resolve) => {
        const times: number[] = [];
        const until = performance.now() + seconds * 1_000;
        let at = performance.now();
        onEcho = () => {
          const now = performance.now();
          times.push(now - at);
          if (now > until) resolve(times);
          else at = write(flow);
        };
        at = write(flow);
      });
    await run(settings.warmUp);
    return async () => percentiles(await run(settings.seconds));
  },
};

function write(flow: SendFlow): number {
  const at = performance.now();
  flow.write(MESSAGE);
  return at;
}

const MESSAGE: Uint8Array = new Uint8Array(100).fill(0x33);
