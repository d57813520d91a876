/**
 * Plays a server's rules for clients that meet there: relay, broadcast, watch, hashed names, priorities, releaseStream.
 * Prints one JSON line per step with what was seen, so that two servers can be compared. `rules.ts URL`
 */
import { createHash } from "node:crypto";
import { type AmfValue, NetConnection, NetStream, RtmfpError } from "rtmfp-client";

const [url = ""] = process.argv.slice(2);
const open: NetConnection[] = [];

/** A client with what it was called with, by method. */
class Guest {
  readonly nc = new NetConnection({ timeoutMs: 10_000 });
  readonly #calls: AmfValue[][] = [];
  readonly #waiting: (() => void)[] = [];

  constructor() {
    open.push(this.nc);
    const take =
      (name: string) =>
      (...args: AmfValue[]): void => {
        this.#calls.push([name, ...args]);
        for (const wake of this.#waiting.splice(0)) wake();
      };
    this.nc.expose({ onRelay: take("onRelay"), onDisconnected: take("onDisconnected") });
  }

  async connect(): Promise<this> {
    await this.nc.connect(url);
    return this;
  }

  /** The next call, waited for if need be. */
  async called(): Promise<AmfValue[]> {
    for (;;) {
      const call = this.#calls.shift();
      if (call !== undefined) return call;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }
}

/** A stream with its status codes. */
class Channel {
  readonly ns: NetStream;
  readonly #codes: string[] = [];
  readonly #waiting: (() => void)[] = [];

  constructor({ nc }: Guest) {
    this.ns = new NetStream(nc);
    this.ns.on("status", ({ code }) => {
      this.#codes.push(code);
      for (const wake of this.#waiting.splice(0)) wake();
    });
  }

  /** The outcome of publishing. */
  publish(name: string): Promise<string> {
    return this.ns.publish(name).then(
      () => "published",
      (error: unknown) => (error instanceof RtmfpError ? error.code : String(error)),
    );
  }

  /** Waits until that code has come. */
  async sees(code: string): Promise<string> {
    while (!this.#codes.includes(code)) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return code;
  }
}

function show(step: string, seen: unknown): void {
  console.log(JSON.stringify({ step, seen }));
}

/** The sender in a relayed call: servers give the ID, or an object with it. */
function sender(value: AmfValue): AmfValue {
  return typeof value === "object" && value !== null ? (value as Record<string, AmfValue>)["sender"] : value;
}

const names = new Map<unknown, string>();
/** IDs differ from run to run: told by who has them. */
function named(values: readonly AmfValue[]): unknown[] {
  return values.map((value) => names.get(sender(value)) ?? names.get(value) ?? value);
}

const [alice, bob, carol] = [await new Guest().connect(), await new Guest().connect(), await new Guest().connect()];
for (const [guest, name] of [
  [alice, "alice"],
  [bob, "bob"],
  [carol, "carol"],
] as const) {
  names.set(guest.nc.nearID, name);
}

void alice.nc.call("relay", null, bob.nc.nearID, "this is a relay message", 5);
show("relay", named(await bob.called()));
void bob.nc.call("broadcast", null, "this is a broadcast", "foo");
for (const guest of [alice, bob, carol]) show("broadcast", named(await guest.called()));
void alice.nc.call("watch", null, "00".repeat(32));
show("watch nobody", named(await alice.called()));
void alice.nc.call("watch", null, carol.nc.nearID);
// What is relayed to oneself comes after the server has read everything before it.
void alice.nc.call("relay", null, alice.nc.nearID, "watched");
show("relay to oneself", named(await alice.called()));
await carol.nc.close();
show("watch", named(await alice.called()));

const hash = `sha256:${createHash("sha256").update("hidden").digest("hex")}`;
const viewer = new Channel(bob);
await viewer.ns.play(hash);
const hidden = new Channel(alice);
show("publish", await hidden.publish("hidden"));
show("play by hash", await viewer.sees("NetStream.Play.PublishNotify"));
show("publish by hash", await new Channel(bob).publish(hash));

const low = new Channel(alice);
show("publish at -2", await low.publish("cam?priority=-2"));
show("publish at -3", await new Channel(bob).publish("cam?priority=-3"));
show("publish at -1", await new Channel(bob).publish("cam?priority=-1"));
show("the one at -2", await low.sees("NetStream.Publish.BadName"));
show("publish at 5, which is 0", await new Channel(alice).publish("cam?priority=5"));
show("publish at 6, which is 0", await new Channel(bob).publish("cam?priority=6"));

const stuck = new Channel(alice);
show("publish without priority", await stuck.publish("stuck"));
show("again", await new Channel(bob).publish("stuck"));
void bob.nc.call("releaseStream", null, "stuck");
show("released", await stuck.sees("NetStream.Publish.BadName"));
show("publish at 0", await new Channel(alice).publish("stuck?priority=0"));
void bob.nc.call("releaseStream", null, "stuck");
show("not released", await new Channel(bob).publish("stuck"));

await Promise.all(open.map((nc) => nc.close()));
console.log("done");
