import { expect } from "vitest";
import type { Chunk } from "../../src/proto/chunk/types.ts";
import type { AcceptOptions, RecvFlow } from "../../src/proto/recv-flow.ts";
import type { Session } from "../../src/proto/session.ts";
import { SimWorld } from "../../src/testing/index.ts";
import { type RawNode, rawNode } from "./raw.ts";
import { data, openScripted, Scripted, startup, textOf } from "./scripted.ts";

/** A receiver under test, a scripted sender, and what has come of it. */
export interface ReceiveBench {
  readonly world: SimWorld;
  readonly node: RawNode;
  readonly far: Scripted;
  readonly session: Session;
  /** Messages read, as text, with `(n)` in front when n numbers are missing before. */
  readonly messages: string[];
  readonly flows: RecvFlow[];
  finished: number;
}

/** A receiver under test and a scripted sender, without latency; flows are accepted with `accept` and read at once. */
export function receiveBench(accept: AcceptOptions | "reject" | "unread" = {}): ReceiveBench {
  const world = new SimWorld(1);
  const link = { latencyMs: 0, mtu: 9_000 };
  const node = rawNode(world.host("near", { link }), "near", { port: 1935, keepaliveMs: 0 });
  const far = new Scripted(world.host("far", { link }), "far", node.address);
  const messages: string[] = [];
  const flows: RecvFlow[] = [];
  const result: ReceiveBench = {
    world,
    node,
    far,
    session: openScripted(world, node, far, "initiator"),
    messages,
    flows,
    finished: 0,
  };
  node.onEvent = (event) => {
    if (event.type === "flow") {
      flows.push(event.flow);
      if (accept === "reject") event.flow.reject(42);
      else event.flow.accept(accept === "unread" ? {} : accept);
    } else if (event.type === "readable" && accept !== "unread") drain(event.flow, messages);
    else if (event.type === "finished") result.finished++;
  };
  return result;
}

/** Reads everything there is. */
export function drain(flow: RecvFlow, messages: string[]): void {
  for (let message = flow.read(); message !== undefined; message = flow.read()) {
    const text = textOf(message.data);
    messages.push(message.missingBefore > 0 ? `(${message.missingBefore})${text}` : `${text}`);
  }
}

/** Sends one packet and gives what comes back within a millisecond: at once, that is. */
export function atOnce({ world, far }: ReceiveBench, ...chunks: Chunk[]): string[] {
  far.take();
  far.send(...chunks);
  world.run(1);
  return far.heard();
}

/** A flow that has been opened and its first acknowledgement seen. */
export function opened(b: ReceiveBench, flowId = 3): void {
  expect(atOnce(b, data(flowId, 1, 1, { data: "1", options: startup() }))).toEqual(["A 0-1"]);
}
