/** What applications do at random. */
import { RtmfpError } from "../../packages/rtmfp-core/src/proto/errors.ts";
import { PRIORITIES } from "../../packages/rtmfp-core/src/proto/priority.ts";
import type { WriteOptions } from "../../packages/rtmfp-core/src/proto/send-flow.ts";
import type { Session } from "../../packages/rtmfp-core/src/proto/session.ts";
import type { Prng } from "../../packages/rtmfp-core/src/testing/index.ts";
import type { FlowRecord, Ledger, MessageRecord, ReceiverRecord } from "./ledger.ts";
import { label, type Peer, type WalkContext } from "./peer.ts";

/** Does something; false if there was nothing to do it with. */
export type Action = (context: WalkContext, peers: readonly Peer[]) => boolean;

/** One of the items, or undefined if there is none. */
export function pick<T>(prng: Prng, items: readonly T[]): T | undefined {
  return items[prng.int(items.length)];
}

/** A session of any peer, with its peer. */
function anySession({ prng }: WalkContext, peers: readonly Peer[]): { peer: Peer; session: Session } | undefined {
  return pick(
    prng,
    peers.flatMap((peer) => [...peer.sessions].map((session) => ({ peer, session }))),
  );
}

function openSendFlow({ prng, ledger }: WalkContext): FlowRecord | undefined {
  return pick(
    prng,
    ledger.flows.filter((record) => record.flow.state === "F_OPEN"),
  );
}

function openReceiver({ prng, ledger }: WalkContext): { record: FlowRecord; receiver: ReceiverRecord } | undefined {
  const open = ledger.flows.flatMap((record) => {
    const { receiver } = record;
    return receiver !== undefined && receiver.flow.state !== "RF_CLOSED" && !receiver.rejected
      ? [{ record, receiver }]
      : [];
  });
  return pick(prng, open);
}

function queued({ prng, ledger }: WalkContext): MessageRecord | undefined {
  const flow = pick(
    prng,
    ledger.flows.filter((record) => !record.tiny && record.flow.bufferedBytes > 0),
  );
  return (
    flow &&
    pick(
      prng,
      flow.messages.filter((message) => message.receipt.state === "queued"),
    )
  );
}

/** Opens a session straight to a peer, or through another one that may introduce it. */
const connect: Action = ({ prng, log }, peers) => {
  const from = pick(prng, peers) as Peer;
  const to = pick(
    prng,
    peers.filter((peer) => peer !== from),
  ) as Peer;
  const helper = prng.chance(to.nat === undefined ? 0.3 : 1) ? (pick(prng, peers) as Peer) : to;
  const by = helper.nat === undefined ? helper : to;
  log(`${from.name}: opens a session to ${to.name} by ${by.name}`);
  from.open(to.epd, by.address);
  if (prng.chance(0.2) && by === to && from.nat === undefined) {
    log(`${to.name}: at the same time to ${from.name}`);
    to.open(from.epd, from.address);
  }
  return true;
};

const openFlow: Action = (context, peers) => {
  const { prng, ledger, log } = context;
  const found = anySession(context, peers);
  if (found === undefined || !found.session.isOpen) return false;
  const { peer, session } = found;
  const received = [...session.receives.flows].filter((flow) => flow.state === "RF_OPEN");
  const answers = prng.chance(0.4) ? pick(prng, received) : undefined;
  const priority = pick(prng, PRIORITIES) ?? "routine";
  const flow = session.openFlow(ledger.nextMetadata(prng.chance(0.2) ? prng.int(508) : 0), {
    priority,
    ...(answers === undefined ? {} : { answers }),
    ...(prng.chance(0.2) ? { capBytes: 20_000, lowWaterBytes: 5_000 } : {}),
  });
  const record = ledger.opened(peer, session, flow, prng.chance(0.15));
  log(
    `${peer.name}: opens flow #${record.uid} (id ${flow.id}, ${priority}${record.tiny ? ", tiny" : ""}) in ${label(session)}`,
  );
  write(context, record);
  return true;
};

const writeMore: Action = (context) => {
  const record = openSendFlow(context);
  if (record !== undefined) write(context, record);
  return record !== undefined;
};

function write({ prng, ledger, log }: WalkContext, record: FlowRecord): void {
  const count = 1 + prng.int(prng.chance(0.2) ? 60 : 6);
  const bound = record.tiny ? 8 : (pick(prng, [40, 400, 3_000, 3_000, 20_000, 100_000]) as number);
  const { now } = record.peer;
  let bytes = 0;
  for (let i = 0; i < count && bytes < 300_000; i++) {
    const size = record.tiny ? prng.int(bound) : 8 + prng.int(bound);
    const hurried = !record.tiny && prng.chance(0.25);
    const parent = !record.tiny && prng.chance(0.2) ? pick(prng, record.messages.slice(-5))?.receipt : undefined;
    const written = writeOne(ledger, record, size, {
      ...(hurried && prng.chance(0.5) ? { startBy: now + prng.int(2_000) } : {}),
      ...(hurried ? { finishBy: now + prng.int(5_000) } : {}),
      ...(parent === undefined ? {} : { parent }),
    });
    if (!written) break;
    bytes += size;
  }
  log(`${record.peer.name}: writes ${bytes} bytes to flow #${record.uid}`);
}

/** False if the flow's send buffer is full. */
function writeOne(ledger: Ledger, record: FlowRecord, size: number, options: WriteOptions): boolean {
  try {
    ledger.written(record, size, record.flow.write(ledger.nextPayload(record, size), options));
    return true;
  } catch (error) {
    if (error instanceof RtmfpError && error.code === "FLOW_BUFFER_FULL") return false;
    throw error;
  }
}

/** A sender ignores the window from now on, and has plenty to send to an application that does not read. */
export const overrun: Action = (context) => {
  const found = openReceiver(context);
  if (found === undefined || found.record.tiny || found.record.flow.state !== "F_OPEN") return false;
  const { record, receiver } = found;
  context.log(`${record.peer.name}: ignores the window of flow #${record.uid}, which ${receiver.peer} holds`);
  Object.defineProperty(record.flow, "windowBytes", { get: () => OVERRUN_BYTES, set: () => {} });
  receiver.flow.accept({ order: "hold" });
  for (let bytes = 0; bytes < OVERRUN_BYTES; bytes += OVERRUN_MESSAGE_BYTES)
    if (!writeOne(context.ledger, record, OVERRUN_MESSAGE_BYTES, {})) break;
  return true;
};

const abandon: Action = (context) => {
  const message = queued(context);
  if (message === undefined) return false;
  context.log(`abandons message ${message.index} of flow #${message.flow.uid}`);
  message.receipt.abandon();
  return true;
};

const hurry: Action = (context) => {
  const message = queued(context);
  if (message === undefined) return false;
  message.receipt.finishBy = message.flow.peer.now + context.prng.int(3_000);
  return true;
};

const pause: Action = (context) => {
  const found = openReceiver(context);
  if (found === undefined) return false;
  context.log(`${found.receiver.peer}: holds flow #${found.record.uid}`);
  found.receiver.flow.accept({ order: "hold" });
  return true;
};

const resume: Action = (context) => {
  const found = openReceiver(context);
  if (found === undefined) return false;
  const { record, receiver } = found;
  const network = !record.tiny && context.prng.chance(0.3);
  if (network) receiver.inSequence = false;
  context.log(`${receiver.peer}: takes flow #${record.uid} in ${network ? "network" : "sequence"} order`);
  receiver.flow.accept({ order: network ? "network" : "sequence" });
  return true;
};

const read: Action = (context, peers) => {
  const found = openReceiver(context);
  if (found === undefined) return false;
  const peer = peers.find(({ name }) => name === found.receiver.peer);
  peer?.drain(found.receiver.flow);
  return true;
};

const reject: Action = (context) => {
  const found = openReceiver(context);
  if (found === undefined || found.receiver.flow.state !== "RF_OPEN") return false;
  context.log(`${found.receiver.peer}: rejects flow #${found.record.uid} late`);
  found.receiver.rejected = true;
  found.receiver.flow.reject(context.prng.int(100));
  return true;
};

const closeFlow: Action = (context) => {
  const record = openSendFlow(context);
  if (record === undefined) return false;
  context.log(`${record.peer.name}: closes flow #${record.uid}`);
  record.flow.close();
  return true;
};

const ping: Action = (context, peers) => {
  const found = anySession(context, peers);
  found?.session.ping(context.prng.bytes(context.prng.int(513)));
  return found !== undefined;
};

const closeSession: Action = (context, peers) => {
  const found = anySession(context, peers);
  if (found === undefined) return false;
  context.log(`${found.peer.name}: closes ${label(found.session)}`);
  found.session.close(found.peer.now);
  if (context.prng.chance(0.2)) found.session.ping();
  if (context.prng.chance(0.2)) found.session.abort();
  return true;
};

const abortSession: Action = (context, peers) => {
  const found = anySession(context, peers);
  if (found === undefined) return false;
  context.log(`${found.peer.name}: aborts ${label(found.session)}`);
  found.session.abort();
  if (context.prng.chance(0.3)) found.session.ping();
  return true;
};

const giveUpOpening: Action = ({ prng, log }, peers) => {
  const peer = pick(
    prng,
    peers.filter((one) => one.opening.size > 0),
  );
  if (peer === undefined) return false;
  const session = pick(prng, [...peer.opening]) as Session;
  log(`${peer.name}: gives up opening ${label(session)}`);
  if (prng.chance(0.5)) session.abort();
  else session.close(peer.now);
  return true;
};

const restart: Action = ({ prng, log }, peers) => {
  const peer = pick(prng, peers) as Peer;
  log(`${peer.name}: closes its endpoint and starts again`);
  peer.restart();
  return true;
};

/** Beyond all small capacities and what is tolerated. */
const OVERRUN_BYTES = 250_000;
const OVERRUN_MESSAGE_BYTES = 1_500;
/** Actions with their weights. */
export const actions: readonly (readonly [number, Action])[] = [
  [6, connect],
  [12, openFlow],
  [30, writeMore],
  [8, abandon],
  [4, hurry],
  [4, pause],
  [8, resume],
  [8, read],
  [1, reject],
  [5, closeFlow],
  [3, ping],
  [1, closeSession],
  [1, abortSession],
  [1, giveUpOpening],
  [0.3, restart],
];
