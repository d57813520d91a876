// Video chat between two peers. The first to come prints its peer ID, the second one calls it:
//   ffmpeg -f v4l2 -i /dev/video0 -f alsa -i default -c:v libx264 -tune zerolatency -g 30 -c:a aac -f flv - |
//     npx tsx examples/video-chat.ts rtmfp://host/key - [PEERID] | ffplay -fflags nobuffer -
// or with an FLV file instead of "-": then lines that you type are sent as text. Who shows the picture also has to cancel
// the echo of its own loudspeakers: use headphones, or ffmpeg's and the system's filters.
import { createInterface } from "node:readline";
import { NetConnection, NetStream, type PeerStream, readFlv } from "rtmfp-client";
import { encodeFlvHeader, encodeFlvTag } from "rtmfp-core/flv";

const [url = "rtmfp://127.0.0.1/chat", source = "-", callee] = process.argv.slice(2);
const say = (text: string): void => console.error(text);

// Who is who: the caller relays a word to the callee by the server, and the callee answers in the same way.
const nc = new NetConnection();
const friend = new Promise<string>((resolve) => {
  nc.client = { onRelay: (from: string | { sender: string }) => resolve(typeof from === "string" ? from : from.sender) };
});
await nc.connect(url);
if (callee === undefined) say(`waiting for a call; call me with: video-chat.ts ${url} FILE|- ${nc.nearID}`);

// My own stream, for my friend alone. Late pictures are dropped rather than sent; sound always arrives.
const cam = new NetStream(nc, NetStream.DIRECT_CONNECTIONS);
cam.videoReliable = false;
cam.client = { onPeerConnect: async (peer: PeerStream) => peer.farID === (await friend) };
const joined = new Promise<PeerStream>((resolve) => cam.on("peerJoined", resolve));
await cam.publish("chat");

if (callee !== undefined) await nc.call("relay", null, callee, "let us talk");
const peer = await friend;
if (callee === undefined) await nc.call("relay", null, peer, "with pleasure");
say(`talking to ${peer}`);

// My friend's stream, of the same name. It ends when my friend hangs up.
const view = new NetStream(nc, peer, { reorderMs: 500 });
view.client = { onChat: (text: string) => say(`friend: ${text}`) };
await view.play("chat");
const viewer = await joined;
cam.send("onChat", "hello");
if (source !== "-") createInterface({ input: process.stdin }).on("line", (text) => cam.send("onChat", text));

/** How much later than the earliest tag they come, ms. */
let late = 0;
const show = async (): Promise<void> => {
  let earliest = Number.POSITIVE_INFINITY;
  process.stdout.write(encodeFlvHeader());
  for await (const tag of view) {
    const shift = performance.now() - tag.timestamp;
    earliest = Math.min(earliest, shift);
    late = shift - earliest;
    process.stdout.write(encodeFlvTag(tag));
  }
};

const report = setInterval(() => {
  const { srtt = 0, fragmentsLost, fragmentsSent } = viewer.stats;
  const lost = (100 * fragmentsLost) / Math.max(1, fragmentsSent);
  const rate = (bytes: number): string => `${((bytes * 8) / 1_000).toFixed(0)} kbit/s`;
  const rates = `out ${rate(cam.info.currentBytesPerSecond)}, in ${rate(view.info.currentBytesPerSecond)}`;
  say(`SRTT ${srtt.toFixed(0)} ms, loss ${lost.toFixed(1)} %, delay ${(srtt / 2 + late).toFixed(0)} ms, ${rates}`);
}, 1_000);

process.once("SIGINT", () => void cam.close());
const shown = show();
const { delivered, tags } = await cam.feed(readFlv(source)); // paced by its timestamps
await cam.close();
say(`${delivered} of my ${tags} tags arrived`);
await shown;
clearInterval(report);
await nc.close();
process.exit(); // whatever else waits on standard input
