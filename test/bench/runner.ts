/** Runs one bulk case in two processes and measures both. */
import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Address } from "rtmfp-core";
import type { BulkResult, CaseName } from "./cases.ts";

/** What an end of a case tells its parent. */
export type EndMessage = { ready: Address } | { done: { ms: number; cpuSeconds: number } };

/** Sends `bytes` through the case once. */
export async function runCase(name: CaseName, bytes: number): Promise<BulkResult> {
  const receiver = start("receive", name, bytes);
  const { ready } = (await message(receiver, "ready")) as { ready: Address };
  const received = message(receiver, "done");
  const sender = start("send", name, bytes, JSON.stringify(ready));
  const sent = await message(sender, "done");
  const { done: rx } = (await received) as { done: { cpuSeconds: number } };
  const { done: tx } = sent as { done: { ms: number; cpuSeconds: number } };
  sender.kill();
  receiver.kill();
  const perGB = 1e9 / bytes;
  return {
    megabytesPerSecond: bytes / tx.ms / 1000,
    senderCpuPerGB: tx.cpuSeconds * perGB,
    receiverCpuPerGB: rx.cpuSeconds * perGB,
  };
}

function start(role: string, ...args: (string | number)[]): ChildProcess {
  return fork(fileURLToPath(new URL("./end.ts", import.meta.url)), [role, ...args.map(String)]);
}

function message(child: ChildProcess, key: string): Promise<EndMessage> {
  return new Promise((resolve, reject) => {
    const onMessage = (value: unknown): void => {
      if (!(key in (value as object))) return;
      child.off("message", onMessage);
      resolve(value as EndMessage);
    };
    child.on("message", onMessage);
    child.once("exit", (code) => reject(new Error(`a bench process ended with code ${code}`)));
  });
}
