import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, it } from "vitest";

it("marks the heap at most a third as often while messages come and go", { timeout: 240_000 }, async () => {
  const usual = await marks(false);
  const grown = await marks(true);
  expect(usual).toBeGreaterThanOrEqual(8);
  expect(grown * 3).toBeLessThanOrEqual(usual);
});

/** How often V8 by itself marks the heap of a process that transfers 700 MB and was idle before, so that its heap is tight. */
async function marks(grow: boolean): Promise<number> {
  const program = `
    import { UdpEndpoint, letHeapGrow } from "rtmfp-core";
    if (${grow}) letHeapGrow();
    const receiver = await UdpEndpoint.open({ host: "127.0.0.1" });
    const sender = await UdpEndpoint.open({ host: "127.0.0.1" });
    let received = 0;
    receiver.onFlow = (flow) => {
      flow.onMessage = (message) => {
        received += message.length;
        if (received > 700e6) process.exit();
      };
    };
    const flow = (await sender.connect(receiver.address)).openFlow(new Uint8Array(1));
    const transfer = async (until) => {
      for (const message = new Uint8Array(16_384); received < until; flow.write(message)) await flow.ready;
    };
    for (let i = 1; i <= 4; i++) {
      await transfer(i * 5e6);
      gc();
      gc();
    }
    await transfer(Infinity);`;
  const argv = ["--trace-gc", "--expose-gc", "--conditions=source", "--import", "tsx", "--input-type=module"];
  const { stdout } = await promisify(execFile)(process.execPath, [...argv, "-e", program], { maxBuffer: 2 ** 24 });
  return stdout.split("\n").filter((line) => line.includes("Mark-Compact") && !line.includes("testing")).length;
}
