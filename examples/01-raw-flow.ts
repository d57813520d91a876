import { UdpEndpoint } from "rtmfp-core";

const bob = await UdpEndpoint.open({ host: "127.0.0.1", port: 0 }), alice = await UdpEndpoint.open();
bob.onFlow = async (flow) => { for await (const m of flow) console.log(new TextDecoder().decode(m)); };
const session = await alice.connect(bob.address, { peerId: bob.peerId }); // peerId pins the identity
const flow = session.openFlow("chat", { priority: "high" });
const receipt = flow.write(new TextEncoder().encode("hi"), { finishWithinMs: 100 });
console.log(await receipt.done);                                    // "delivered" or "abandoned"
await Promise.all([alice.close(), bob.close()]);
