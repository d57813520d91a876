/** The process under attack: an endpoint with default limits, whose application takes every flow. */
import { type EndpointStats, type RecvFlow, type Session, UdpEndpoint } from "rtmfp-core";
import { BULK, HELD } from "./names.ts";
import { serveVictim } from "./victim.ts";

const endpoint = await UdpEndpoint.open({ host: "127.0.0.1" });
/** Counters of sessions that have ended. */
const ended: Record<string, number> = {};
let received = 0;
endpoint.onFlow = take;
endpoint.onSession = (session) => {
  session.onClose = () => addStats(ended, session);
};
serveVictim({
  address: endpoint.address,
  received: () => received,
  sessions: () => endpoint.sessions.size,
  counters,
});

function take(flow: RecvFlow): void {
  const { name } = flow;
  if (name === HELD) {
    flow.accept();
    flow.pause();
  } else if (name === BULK) {
    flow.onMessage = (message) => {
      received += message.length;
    };
  } else flow.onMessage = () => {};
}

function counters(): Record<string, number> {
  const sum: Record<string, number> = { ...ended };
  for (const session of endpoint.sessions) addStats(sum, session);
  for (const [name, value] of Object.entries(endpoint.stats as EndpointStats)) sum[name] = (sum[name] ?? 0) + value;
  return sum;
}

function addStats(sum: Record<string, number>, session: Session): void {
  for (const [name, value] of Object.entries(session.stats)) {
    if (typeof value === "number") sum[name] = (sum[name] ?? 0) + value;
  }
}
