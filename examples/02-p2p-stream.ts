import { NetConnection, NetStream, readFlv } from "rtmfp-client";

const url = "rtmfp://127.0.0.1/demo";
const alice = new NetConnection(), bob = new NetConnection();
await Promise.all([alice.connect(url), bob.connect(url)]);
const cam = new NetStream(alice, NetStream.DIRECT_CONNECTIONS); // peers only: the server never sees it
await cam.publish("cam");
const view = new NetStream(bob, alice.nearID);
await view.play("cam");
cam.feed(readFlv("cam.flv")).finally(() => cam.close());        // any iterable of tags, paced by timestamp
for await (const tag of view) console.log(tag.type, tag.timestamp, tag.data.length);
await Promise.all([alice.close(), bob.close()]);
