import type { Socket } from "node:dgram";
import { EventEmitter } from "node:events";
import { setImmediate } from "node:timers/promises";
import { expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { createUnprotectedTestProfile } from "../../src/crypto/plain.ts";
import { Driver } from "../../src/node/driver.ts";
import { openUdpCarrier, UdpCarrier } from "../../src/node/udp-carrier.ts";

/** A socket whose kernel takes nothing while it is blocked: like dgram, it then keeps the caller's memory. */
class BlockedSocket {
  blocked = false;
  readonly sent: Uint8Array[] = [];
  #waiting = 0;

  send(bytes: Uint8Array): void {
    this.sent.push(this.blocked ? bytes : bytes.slice());
    if (this.blocked) this.#waiting++;
  }

  getSendQueueCount(): number {
    return this.#waiting;
  }

  address(): { address: string; port: number } {
    return { address: "127.0.0.1", port: 1_935 };
  }

  on(): this {
    return this;
  }
}

it("sends what has to wait for the kernel unchanged, although its caller reuses the buffer", () => {
  const socket = new BlockedSocket();
  const carrier = new UdpCarrier([socket as unknown as Socket]);
  const buffer = new Uint8Array(4);
  for (let i = 0; i < 6; i++) {
    socket.blocked = i >= 2;
    carrier.send(buffer.fill(i).subarray(0, 2), 0, { host: "127.0.0.1", port: 1 });
  }
  buffer.fill(9);
  new UdpCarrier([new BlockedSocket() as unknown as Socket]).send(buffer, 0, { host: "127.0.0.1", port: 1 });
  expect(socket.sent.map((bytes) => [...bytes])).toEqual([0, 1, 2, 3, 4, 5].map((i) => [i, i]));
});

it("gives the memory of datagrams back once the driver has read them, not before", async () => {
  const socket = Object.assign(new EventEmitter(), { address: () => ({ address: "127.0.0.1", port: 1_935 }) });
  const carrier = new UdpCarrier([socket as unknown as Socket]);
  const profile = createUnprotectedTestProfile(Uint8Array.of(1));
  const { endpoint } = new Driver({ profile, random: (length) => new Uint8Array(length) }, carrier, () => {});
  const datagrams = Array.from({ length: 100 }, () => new Uint8Array(4_096));
  for (const datagram of datagrams.slice(0, 10)) socket.emit("message", datagram, { address: "127.0.0.1", port: 1 });
  expect(datagrams.every((datagram) => datagram.length === 4_096)).toBe(true);
  for (const datagram of datagrams.slice(10)) socket.emit("message", datagram, { address: "127.0.0.1", port: 1 });
  await setImmediate();
  await setImmediate();
  expect(endpoint.stats.bytesIn).toBe(409_600);
  expect(datagrams.filter((datagram) => datagram.length > 0).length).toBeLessThan(50);
});

it(...rfc("R7016-2.2.1-02"), "binds the port that it is told to, and says so where another has it", async () => {
  const carrier = await openUdpCarrier([{ host: "127.0.0.1", port: 0 }]);
  const port = carrier.sockets[0]?.address.port as number;
  expect(port).toBeGreaterThan(0);
  await expect(openUdpCarrier([{ host: "127.0.0.1", port }])).rejects.toThrow(`cannot bind UDP 127.0.0.1:${port}`);
  await carrier.close();
});
