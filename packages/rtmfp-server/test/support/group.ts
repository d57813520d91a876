/** Members of groups that do no more than join, by bare flows. */
import type { RecvFlow, SendFlow } from "rtmfp-core";
import { defaultProvider } from "rtmfp-core/crypto";
import { decodeMember, groupAddressOf, MEMBERSHIP_METADATA } from "rtmfp-core/group";
import { fromHex, toHex } from "rtmfp-core/proto";
import type { TreeRecvFlow } from "rtmfp-core/tc";
import { expect } from "vitest";
import type { GroupClient } from "../../src/group-member.ts";
import type { GroupsHost } from "../../src/groups.ts";
import type { SimServer } from "./sim.ts";
import type { TestClient } from "./test-client.ts";

/** The group that was recorded. */
export const GROUP = "c3ab09fc9d3fd2fe3f4f82762c530b96f2eb1c49d9fe615f48f250545b731dc9";
/** The body of the recorded join. */
export const RECORDED_JOIN: Uint8Array = fromHex(`012115${GROUP}`);
/** For groups without a server. */
export const NO_HOST: GroupsHost = {
  log: () => {},
  sha256: (bytes) => defaultProvider().sha256(bytes),
  now: () => 0,
  isClosed: () => false,
};

/** A client's flow of a membership, and what the server says on its own. */
export interface Joined {
  readonly client: TestClient;
  readonly flow: SendFlow;
  readonly told: string[];
  rejected: boolean;
  /** The server's flow has ended. */
  ended: boolean;
}

/** Opens the flow and sends its first message. */
export function join(client: TestClient, message: Uint8Array = RECORDED_JOIN): Joined {
  const flow = client.session.openFlow(MEMBERSHIP_METADATA);
  const joined: Joined = { client, flow, told: [], rejected: false, ended: false };
  flow.onException = () => {
    joined.rejected = true;
  };
  const others = client.trees.onOther;
  client.trees.onOther = (answer: TreeRecvFlow) => {
    if (answer.answers !== (flow as unknown)) {
      others?.(answer);
      return;
    }
    expect((answer as unknown as RecvFlow).metadata).toEqual(MEMBERSHIP_METADATA);
    answer.onEnd = () => {
      joined.ended = true;
    };
    answer.onMessage = (data) => void joined.told.push(decodeMember(data) ?? `no member: ${toHex(data)}`);
  };
  flow.write(message);
  return joined;
}

/** The client comes, and joins; time passes until the server has said all. */
export async function newcomer(sim: SimServer, message?: Uint8Array): Promise<Joined> {
  const joined = join(await sim.connect(), message);
  await sim.pass(500);
  return joined;
}

/** The peer IDs of others in the order of the ring, from that one on. */
export function ringFrom(all: readonly Joined[], id: string): string[] {
  const at = (peerId: string): string => toHex(groupAddressOf(peerId, NO_HOST.sha256));
  const ring = all.map(({ client }) => client.peerId).sort((a, b) => (at(a) < at(b) ? -1 : 1));
  const start = ring.indexOf(id);
  return [...ring.slice(start + 1), ...ring.slice(0, start)];
}

/** A flow of nobody's. */
export class LooseFlow implements TreeRecvFlow {
  readonly metadata = MEMBERSHIP_METADATA;
  readonly answers = undefined;
  onMessage: TreeRecvFlow["onMessage"];
  onEnd: (() => void) | undefined;
  rejected = false;
  accept(): void {}
  pause(): void {}
  resume(): void {}
  reject(): void {
    this.rejected = true;
    this.onEnd?.();
  }
}

/** A client for whom so much waits, and what is written to it notes it. */
export function clientOf(farID: string, bufferedBytes = 0, written: number[] = []): GroupClient {
  const openFlow = () => ({
    isOpen: true,
    bufferedBytes,
    write: () => void written.push(bufferedBytes),
    close: () => {},
  });
  return { farID, isAccepted: true, session: { openFlow } as unknown as GroupClient["session"], onGroup: () => {} };
}
