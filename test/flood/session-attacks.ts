/** Floods from within sessions of the attacker's own: what each sends in one session, packet by packet. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { type Address, UdpEndpoint } from "rtmfp-core";
import { type Chunk, ChunkType, FragmentControl, type Option, UserDataFlag } from "rtmfp-core/proto";
import type { Attack } from "./attacks.ts";
import { Foothold, type FootholdOptions } from "./foothold.ts";
import { HELD, READ } from "./names.ts";
import { EPD } from "./seal.ts";

/** Begins with a new session; each call gives the chunks of its next packet. */
export type Abuse = () => () => Chunk[];

/** Flows opened, one per packet, and never ended. */
export const flows: Abuse = () => {
  let id = 0;
  return () => [fragment(id++, 1, FragmentControl.whole, TO_READ)];
};

/** One message in pieces of a byte, several to a packet, without an end. */
export const endlessMessage: Abuse = () => {
  let sn = 0;
  return () =>
    several(() => fragment(1, ++sn, sn === 1 ? FragmentControl.begin : FragmentControl.middle, TO_READ, ONE_BYTE));
};

/** Beginnings of messages with gaps between them, several to a packet, numbers descending as if by reordering. */
export const gaps: Abuse = () => {
  let sent = 0;
  return () =>
    several(() => {
      const sn = 2 * (RUN - (sent % RUN)) + 2 * RUN * Math.floor(sent / RUN);
      sent++;
      return fragment(1, sn, FragmentControl.begin, TO_READ, ONE_BYTE);
    });
};

/** Data for a flow whose reader has stopped, whatever window is advertised. */
export const beyondWindow: Abuse = () => {
  let sn = 0;
  return () => [fragment(1, ++sn, FragmentControl.whole, TO_HOLD, THOUSAND_BYTES)];
};

/** Pings of 500 bytes. */
export const pings: Abuse = () => {
  const message = new Uint8Array(500);
  return () => [{ type: ChunkType.ping, message }];
};

/** Forwarded hellos from one who is no introducer. */
export const forwardedHellos: Abuse = () => {
  const replyAddress = { host: "127.0.0.1", port: 9, origin: 2 } as const;
  return () => [{ type: ChunkType.forwardedIHello, epd: EPD, replyAddress, tag: new Uint8Array(16) }];
};

/**
 * All through one session, and through the next, which is ready by then, as soon as the target ends it. Each has an address
 * of its own, because an address has to wait for its next session.
 */
export async function reopening(target: Address, abuse: Abuse): Promise<Attack> {
  const footholds = await openFootholds(target, abuse, REOPENED, (i) => ({ host: `127.0.0.${i + 2}` }));
  let current = footholds[0] as Foothold;
  return attackBy(footholds, () => {
    // With none open, the packets of the one that has ended keep the rate up.
    if (!current.isOpen) current = footholds.find((each) => each.isOpen) ?? current;
    current.send();
  });
}

/** Through so many sessions that none sends often enough to be ended for it. */
export async function patient(target: Address, abuse: Abuse, rate: number): Promise<Attack> {
  const footholds = await openFootholds(target, abuse, Math.ceil(rate / BORNE_PER_SECOND));
  let sent = 0;
  return attackBy(footholds, () => footholds[sent++ % footholds.length]?.send());
}

/** All through one session without sequence numbers, which is not ended because replays cannot be told in it. */
export async function unnumbered(target: Address, abuse: Abuse): Promise<Attack> {
  const footholds = await openFootholds(target, abuse, 1, () => ({ sequence: "none" }));
  return attackBy(footholds, () => footholds[0]?.send());
}

async function openFootholds(
  target: Address,
  abuse: Abuse,
  count: number,
  optionsOf: (index: number) => FootholdOptions = () => ({}),
): Promise<Foothold[]> {
  await practise(abuse);
  return Promise.all(Array.from({ length: count }, (_, i) => Foothold.open(target, abuse, optionsOf(i))));
}

/** Sends the same to a target of its own first: an attacker still being compiled would take a processor from the others. */
async function practise(abuse: Abuse): Promise<void> {
  const target = await UdpEndpoint.open({ host: "127.0.0.1" });
  const foothold = await Foothold.open(target.address, abuse);
  for (let sent = 1; sent <= PRACTICE; sent++) {
    foothold.send();
    if (sent % 100 === 0) await nextTurn();
  }
  await foothold.close();
  await target.close();
}

function attackBy(footholds: readonly Foothold[], send: () => void): Attack {
  return {
    send,
    sessions: () => footholds.reduce((sum, { opened }) => sum + opened, 0),
    end: () => Promise.all(footholds.map((each) => each.close())),
  };
}

/** User Data that opens its flow if it is the first, and gives up nothing before it. */
function fragment(
  flow: number,
  sn: number,
  control: FragmentControl,
  options: readonly Option[],
  data: Uint8Array = TEN_BYTES,
): Chunk {
  return {
    type: ChunkType.userData,
    flags: (control << 4) | UserDataFlag.options,
    flowId: flow,
    sequenceNumber: sn,
    fsnOffset: sn,
    options,
    data,
  };
}

function several(make: () => Chunk): Chunk[] {
  return Array.from({ length: CHUNKS_PER_PACKET }, make);
}

/** Made once: what an attacker spends on a packet, its target's machine does not have. */
const TO_READ: readonly Option[] = [{ type: 0, value: new TextEncoder().encode(READ) }];
const TO_HOLD: readonly Option[] = [{ type: 0, value: new TextEncoder().encode(HELD) }];
const ONE_BYTE = new Uint8Array(1);
const TEN_BYTES = new Uint8Array(10);
const THOUSAND_BYTES = new Uint8Array(1_000);
const RUN = 20_000;
/** So that 500 packets a second reach the caps of a session within seconds. */
const CHUNKS_PER_PACKET = 16;
/** Sessions that take turns: half a second each, and 2.5 s to wait for the next of their address. */
const REOPENED = 12;
/** Just below the 500 useless packets a second that a session is borne with. */
const BORNE_PER_SECOND = 480;
/** Packets until its code is compiled. */
const PRACTICE = 10_000;
