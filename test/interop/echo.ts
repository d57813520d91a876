/** An echo server and client on raw flows, to talk with other implementations' echo programs. */
import { Command, InvalidArgumentError } from "commander";
import { type RecvFlow, type Session, UdpEndpoint, type UdpEndpointOptions } from "rtmfp-core";

interface Protection {
  hmac: boolean;
  sequence: boolean;
}

const program = new Command("echo").description("echo server and client on raw flows");

program
  .command("serve")
  .option("--host <address>", "address to bind", "127.0.0.1")
  .option("--port <port>", "port to bind", parsePort, 0)
  .option("-H, --no-hmac", "do not require an HMAC")
  .option("-S, --no-sequence", "do not require session sequence numbers")
  .action(async (options: Protection & { host: string; port: number }) => {
    const endpoint = await UdpEndpoint.open({ ...options, profile: protection(options) });
    endpoint.onFlow = echo;
    console.log(`listening ${endpoint.address.host}:${endpoint.address.port} ${endpoint.peerId}`);
    process.once("SIGTERM", () => void endpoint.close());
  });

program
  .command("call")
  .argument("<host:port>")
  .option("--count <n>", "messages to send", parsePositive, 60)
  .option("--size <bytes>", "size of each", parsePositive, 4096)
  .option("--peer-id <hex>", "identity that the server must have")
  .option("-H, --no-hmac", "do not require an HMAC")
  .option("-S, --no-sequence", "do not require session sequence numbers")
  .action(async (target: string, options: Protection & { count: number; size: number; peerId?: string }) => {
    const endpoint = await UdpEndpoint.open({ profile: protection(options) });
    const pin = options.peerId === undefined ? {} : { peerId: options.peerId };
    const session = await endpoint.connect(target, { timeoutMs: 10_000, ...pin });
    const echoed = await call(session, options.count, options.size);
    console.log(`echoed ${echoed} of ${options.count} messages, security ${JSON.stringify(session.security)}`);
    await endpoint.close();
    process.exitCode = echoed === options.count ? 0 : 1;
  });

await program.parseAsync();

/** Sends every message back on a return flow; reading waits while the return flow is full. */
async function echo(flow: RecvFlow): Promise<void> {
  const back = flow.openReturn(`${flow.name} return`);
  for await (const message of flow) {
    await back.ready;
    if (back.isOpen) back.write(message);
  }
  await back.close();
}

/** Sends `count` messages and counts how many come back unchanged and in order. */
async function call(session: Session, count: number, size: number): Promise<number> {
  const flow = session.openFlow("echo");
  const messages = Array.from({ length: count }, (_, i) => new Uint8Array(size).fill(i + 1));
  let echoed = 0;
  const done = new Promise<void>((resolve) => {
    session.onFlow = (back) => {
      back.onMessage = (message) => {
        const sent = messages[echoed];
        if (sent !== undefined && Buffer.compare(message, sent) === 0) echoed++;
        if (echoed === count) resolve();
      };
    };
    session.onClose = () => resolve();
  });
  for (const message of messages) {
    await flow.ready;
    flow.write(message);
  }
  await done;
  await flow.close();
  return echoed;
}

function protection(options: Protection): NonNullable<UdpEndpointOptions["profile"]> {
  return { hmac: options.hmac ? "require" : "request", sequence: options.sequence ? "require" : "request" };
}

function parsePort(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new InvalidArgumentError("expected 0 to 65535.");
}

function parsePositive(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new InvalidArgumentError("expected a positive number.");
}
