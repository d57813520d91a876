import { afterEach, describe, expect, it } from "vitest";
import { type PeerEndpoint, type RecvFlow, type SendFlow, type Session, UdpEndpoint } from "../../src/index.ts";

const open: PeerEndpoint[] = [];

async function connect(onFlow?: (flow: RecvFlow) => void): Promise<Session> {
  const bob = await UdpEndpoint.open({ host: "127.0.0.1" });
  const alice = await UdpEndpoint.open({ host: "127.0.0.1" });
  open.push(bob, alice);
  bob.onFlow = onFlow;
  return alice.connect(bob.address);
}

async function flow(options: object): Promise<SendFlow> {
  return (await connect()).openFlow("x", options);
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((endpoint) => endpoint.close()));
});

describe("arguments that plain JavaScript can get wrong", () => {
  it("are refused where they are given: text for bytes", async () => {
    const sender = await flow({});
    expect(() => sender.write("hi" as never)).toThrow("expected bytes, got string");
  });

  it("are refused where they are given: a priority that does not exist", async () => {
    await expect(flow({ priority: "bogus" })).rejects.toMatchObject({ code: "BAD_ARGUMENT" });
  });

  it("are refused where they are given: a time below zero", async () => {
    const sender = await flow({});
    expect(() => sender.write(new Uint8Array(1), { finishWithinMs: -1 })).toThrow("expected a time of 0 ms or more");
  });

  it("are refused where they are given: sizes of buffers", async () => {
    for (const bad of [Number.NaN, -5, 0.5, Number.POSITIVE_INFINITY]) {
      for (const what of ["lowWaterBytes", "capBytes"])
        await expect(flow({ [what]: bad })).rejects.toMatchObject({
          code: "BAD_ARGUMENT",
          message: `${what}: expected an integer from 0 to 2^53 - 1, got ${bad}`,
        });
    }
  });

  it("are refused where they are given: a Ping beyond 512 bytes", async () => {
    const session = await connect();
    const answered = new Promise((resolve) => {
      session.onPong = (message) => resolve(message.length);
    });
    expect(() => session.ping(new Uint8Array(513))).toThrow("message: expected at most 512 bytes, got 513");
    expect(() => session.ping("hi" as never)).toThrow("message: expected bytes, got string");
    session.ping(new Uint8Array(512));
    expect(await answered).toBe(512);
  });

  it("are refused where they are given: times of sessions and endpoints", async () => {
    const session = await connect();
    for (const bad of [Number.NaN, -1]) {
      const refusal = { code: "BAD_ARGUMENT", message: expect.stringContaining(`a time of 0 ms or more, got ${bad}`) };
      expect(() => {
        session.keepaliveMs = bad;
      }).toThrow(expect.objectContaining(refusal));
      await expect(open[0]?.connect("127.0.0.1:9", { timeoutMs: bad })).rejects.toMatchObject(refusal);
      await expect(UdpEndpoint.open({ host: "127.0.0.1", keepaliveMs: bad })).rejects.toMatchObject(refusal);
      await expect(UdpEndpoint.open({ host: "127.0.0.1", maxSessions: bad })).rejects.toMatchObject({
        code: "BAD_ARGUMENT",
      });
    }
    expect(session.keepaliveMs).toBe(30_000);
  });

  it("are refused where they are given: capacity and code of a receiving flow", async () => {
    const thrown: string[] = [];
    const attempt = (run: () => void): void => {
      try {
        run();
      } catch (error) {
        thrown.push((error as Error).message);
      }
    };
    let tell: (code: number) => void = () => {};
    const rejected = new Promise<number>((resolve) => {
      tell = resolve;
    });
    const session = await connect((receiver) => {
      for (const bad of [Number.NaN, -5]) attempt(() => receiver.accept({ capacityBytes: bad }));
      for (const bad of [-1, 1.5]) attempt(() => receiver.reject(bad));
      receiver.reject(7);
    });
    const sender = session.openFlow("x");
    sender.onException = tell;
    sender.write(new Uint8Array(1));
    expect(await rejected).toBe(7);
    expect(thrown).toEqual([
      "capacityBytes: expected an integer from 0 to 2^53 - 1, got NaN",
      "capacityBytes: expected an integer from 0 to 2^53 - 1, got -5",
      "code: expected an integer from 0 to 2^53 - 1, got -1",
      "code: expected an integer from 0 to 2^53 - 1, got 1.5",
    ]);
  });
});
