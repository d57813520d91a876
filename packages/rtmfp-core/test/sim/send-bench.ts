import type { Chunk } from "../../src/proto/chunk/types.ts";
import type { EndpointConfig } from "../../src/proto/config.ts";
import type { AckEvent, CongestionController } from "../../src/proto/congestion/controller.ts";
import type { Session } from "../../src/proto/session.ts";
import { SimWorld } from "../../src/testing/index.ts";
import { type RawNode, rawNode } from "./raw.ts";
import { openScripted, Scripted, say } from "./scripted.ts";

/** A congestion controller that leaves the window to the test and keeps what it is told. */
export class ManualWindow implements CongestionController {
  window = 1e9;
  readonly acks: AckEvent[] = [];
  readonly timeouts: boolean[] = [];

  onAck(event: AckEvent): void {
    this.acks.push({ ...event });
  }

  onTimeout(lost: boolean): void {
    this.timeouts.push(lost);
  }
}

/** A sender under test and a scripted receiver, without latency. */
export interface SendBench {
  readonly world: SimWorld;
  readonly node: RawNode;
  readonly far: Scripted;
  readonly session: Session;
  readonly manual: ManualWindow;
  /** Delivers chunks of the far end in one packet. */
  hear(...chunks: Chunk[]): void;
  /** Lets the sender send what it may, and gives it packet by packet. */
  flush(take?: boolean): string[][];
  /** Opens the window for one chunk, and closes it. */
  release(): void;
}

export function sendBench(config: Partial<EndpointConfig> = {}, seed = 1): SendBench {
  const world = new SimWorld(seed);
  const link = { latencyMs: 0, mtu: 9_000 };
  const manual = new ManualWindow();
  const host = world.host("near", { link });
  const node = rawNode(host, "near", {
    keepaliveMs: 0,
    tailLossProbe: false,
    ...(config.maxDatagram === undefined ? { datagramBytes: 1_200 } : {}),
    congestion: () => manual,
    ...config,
  });
  const far = new Scripted(world.host("far", { link }), "far", node.address);
  const session = openScripted(world, node, far);
  const turn = (): void => {
    session.requestTransmit();
    node.driver.wake();
    world.run(0.01);
  };
  return {
    world,
    node,
    far,
    session,
    manual,
    hear: (...chunks) => {
      far.send(...chunks);
      world.run(0.01);
    },
    flush: (take = true) => {
      turn();
      return take ? far.take().map(({ chunks }) => chunks.map(say)) : [];
    },
    release: () => {
      manual.window = session.sends.outstandingBytes + 1;
      turn();
      manual.window = 0;
    },
  };
}
