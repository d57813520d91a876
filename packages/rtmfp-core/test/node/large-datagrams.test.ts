import { expect, it } from "vitest";
import { createFlashProfile, SERVER_IDENTITY } from "../../src/crypto/index.ts";
import { PeerEndpoint } from "../../src/node/peer-endpoint.ts";
import { openUdpCarrier } from "../../src/node/udp-carrier.ts";
import { Prng } from "../../src/testing/prng.ts";

/** In each flow. */
const MESSAGES = 100;

/** A message that tells its place in its flow, and all of whose bytes do. */
function messageOf(index: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i < 2 ? index >> (8 * i) : index * 7 + i));
}

it("brings messages of every size whole, in large datagrams whose memory is given back and used again", async () => {
  const open = async (): Promise<PeerEndpoint> =>
    new PeerEndpoint(await openUdpCarrier([{ host: "127.0.0.1", port: 0 }]), {
      profile: createFlashProfile({ identity: SERVER_IDENTITY }),
      datagramBytes: 8_192,
    });
  const [near, far] = await Promise.all([open(), open()]);
  const prng = new Prng(7);
  const flows = 4;
  const lengths = Array.from({ length: flows }, () =>
    Array.from({ length: MESSAGES }, () => 2 + prng.int(prng.int(4) === 0 ? 60_000 : 9_000)),
  );
  const received = lengths.map(() => [] as Uint8Array[]);
  let running = flows;
  const ended = new Promise<void>((resolve) => {
    far.onFlow = (flow) => {
      const into = received[Number(flow.name)]!;
      flow.accept({ order: Number(flow.name) % 2 === 0 ? "sequence" : "network" });
      flow.onMessage = (data) => into.push(data);
      flow.onEnd = () => --running === 0 && resolve();
    };
  });
  const session = await near.connect(far.address);
  await Promise.all(
    lengths.map(async (sizes, name) => {
      const flow = session.openFlow(String(name));
      for (const [index, length] of sizes.entries()) {
        flow.write(messageOf(index, length));
        await flow.ready;
      }
      await flow.close();
    }),
  );
  await ended;
  received.forEach((messages, name) => {
    expect(messages.length).toBe(MESSAGES);
    for (const data of messages) {
      const index = data[0]! + 256 * data[1]!;
      expect(Buffer.compare(data, messageOf(index, lengths[name]![index]!))).toBe(0);
    }
  });
  await Promise.all([near.close(), far.close()]);
}, 60_000);
