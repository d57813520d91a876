/** Gives memory outside the heap back at once instead of leaving it to the garbage collector. */

type WorkerThreads = typeof import("node:worker_threads");
type MessagePort = import("node:worker_threads").MessagePort;

/**
 * Frees the memory of `bytes`, soon: nobody may use them from now on. They are left alone if they are small, if they
 * share their memory, and where the runtime has no way.
 *
 * V8 marks the whole heap whenever a few megabytes have been allocated outside it, and each packet that Node receives
 * or OpenSSL returns is a piece of that: at 8 KB each, a third of the time goes there.
 */
export function discard(bytes: Uint8Array): void {
  if (bytes.length < LEAST_BYTES || bytes.length !== bytes.buffer.byteLength) return;
  spent.push(bytes.buffer as ArrayBuffer);
  if (spent.length < BATCH) return;
  port ??= closedPort();
  try {
    // What is transferred to a closed port is detached and dropped.
    port?.postMessage(undefined, spent);
  } catch {
    // Some of it may not be detached here: all of it is left to the collector, as without this.
  }
  spent = [];
}

function closedPort(): MessagePort | undefined {
  const threads: WorkerThreads | undefined = globalThis.process?.getBuiltinModule?.("node:worker_threads");
  if (threads === undefined) return undefined;
  const { port1 } = new threads.MessageChannel();
  port1.close();
  return port1;
}

/** Less is not worth the call: the collector takes it with the rest. */
const LEAST_BYTES = 2_048;
/** Pieces given back in one call. */
const BATCH = 16;
let spent: ArrayBuffer[] = [];
let port: MessagePort | undefined;
