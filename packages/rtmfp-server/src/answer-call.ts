/** A client calls a method of its application. */
import type { AmfValue, Command } from "rtmfp-core/tc";
import type { Client } from "./client.ts";
import type { ControlWriter } from "./control-writer.ts";
import { pendingOf } from "./pending.ts";

/** Answers with what `method` gives, now or later; without one, a call that old clients make for no effect, or an error. */
export function answerCall(
  writer: ControlWriter,
  method: ReturnType<Client["exposed"]>,
  { name, transactionId, args }: Command,
): void {
  if (method === undefined) {
    if (QUIET_CALLS.has(name)) writer.reply(transactionId, name === "getStreamLength" ? 0 : null);
    else writer.fail(transactionId, `Method not found (${name}).`);
    return;
  }
  const fail = (error: unknown): void => {
    writer.fail(transactionId, error instanceof Error ? error.message : "The call failed.");
  };
  try {
    const result = method(...args);
    const pending = pendingOf(result);
    if (pending === undefined) writer.reply(transactionId, result as AmfValue);
    else pending.then((value) => writer.reply(transactionId, value as AmfValue)).catch(fail);
  } catch (error) {
    fail(error);
  }
}

/** Calls of old clients and encoders that need an answer and nothing else. */
const QUIET_CALLS: ReadonlySet<string> = new Set([
  "FCPublish",
  "FCUnpublish",
  "FCSubscribe",
  "FCUnsubscribe",
  "getStreamLength",
  "checkBandwidth",
  "_checkbw",
  "initStream",
  "closeStream",
]);
