/** Standard output, whose reader may go. */
import { once } from "node:events";
import { encodeFlvHeader, encodeFlvTag, type FlvTag } from "rtmfp-core/flv";
import type { FlvFileInfo } from "../files.ts";

/** Keeps a write that fails from ending the process with a stack; who must know listens too. */
export function guardOutput(): void {
  for (const stream of [process.stdout, process.stderr]) stream.off("error", ignore).on("error", ignore);
}

/** Tags as FLV on stdout, until its reader has had enough, which aborts `signal`. */
export async function writeStdout(tags: AsyncIterable<FlvTag>, signal: AbortSignal): Promise<FlvFileInfo> {
  let count = 0;
  let bytes = 0;
  const write = async (part: Uint8Array): Promise<void> => {
    bytes += part.length;
    if (!process.stdout.write(part)) await once(process.stdout, "drain", { signal });
  };
  await write(encodeFlvHeader());
  for await (const tag of tags) {
    await write(encodeFlvTag(tag));
    count++;
  }
  return { tags: count, bytes };
}

function ignore(): void {}
