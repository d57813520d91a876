import { createHash } from "node:crypto";
import { buildGroupspec } from "rtmfp-core/group";
import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { GroupSpecifier, NetConnection, NetStream } from "../../src/index.ts";
import { closing } from "../support/connections.ts";

describe("a group that asks publishers for a password", () => {
  it(...rfc("G-7"), "lets those publish who have it, whatever bytes its salt is of, and nobody else", async () => {
    const nc = closing(new NetConnection());
    await nc.connect("rtmfp:");
    const salt = Buffer.from("ff00fe", "hex");
    const hash = createHash("sha256").update(salt).update("pw").digest();
    const fields = { name: "n", multicastEnabled: true, publishPassword: Buffer.concat([salt, hash]) };
    const text = new GroupSpecifier("t");
    text.multicastEnabled = true;
    text.setPublishPassword("pw", "\ufeffsalt");
    for (const spec of [buildGroupspec({ ...fields, publishAuthorization: "pw" }), text.toString()])
      await expect(new NetStream(nc, spec).publish("cam")).resolves.toMatchObject({ code: "NetStream.Publish.Start" });
    const short = { ...fields, publishPassword: hash.subarray(1) };
    for (const spec of [
      buildGroupspec({ ...fields, publishAuthorization: "PW" }),
      buildGroupspec({ ...short, publishAuthorization: "pw" }),
    ])
      await expect(new NetStream(nc, spec).publish("cam")).rejects.toMatchObject({
        code: "NetStream.Publish.Denied",
        message: expect.stringContaining("has another password"),
      });
  });
});
