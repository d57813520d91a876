// One thread of a swarm: simulates its part, and after each step exchanges datagrams with the other threads.
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { STEP_MS, type SwarmOptions } from "./options.ts";
import { Parts } from "./parts.ts";

/** What another thread sends, in order. */
class Inbox {
  readonly #waiting: Uint8Array[] = [];
  #wake: ((parcel: Uint8Array) => void) | undefined;

  constructor(port: MessagePort) {
    port.on("message", (parcel: Uint8Array) => {
      const wake = this.#wake;
      this.#wake = undefined;
      if (wake === undefined) this.#waiting.push(parcel);
      else wake(parcel);
    });
  }

  async next(): Promise<Uint8Array> {
    return (
      this.#waiting.shift() ??
      new Promise((resolve) => {
        this.#wake = resolve;
      })
    );
  }
}

const { options, index, ports } = workerData as {
  options: SwarmOptions;
  index: number;
  /** To each thread, undefined for this one. */
  ports: readonly (MessagePort | undefined)[];
};

const parts = new Parts(options, index);
const inboxes = ports.map((port) => (port === undefined ? undefined : new Inbox(port)));
for (let now = STEP_MS; now <= options.seconds * 1000; now += STEP_MS) {
  await parts.runTo(now);
  parts.parcels().forEach((parcel, to) => {
    ports[to]?.postMessage(parcel);
  });
  // What others sent in a step is wanted at the end of the next one only: a thread that is behind for a moment keeps nobody
  // waiting.
  if (now > STEP_MS) for (const inbox of inboxes) if (inbox !== undefined) parts.receive(await inbox.next());
  if (now % 1000 === 0) parentPort?.postMessage({ look: parts.look() });
}
parentPort?.postMessage({ reports: parts.reports() });
for (const port of ports) port?.close();
