import { readFileSync } from "node:fs";
import { defaultProvider, hmacSha256 } from "rtmfp-core/crypto";
import {
  buildGroupspec,
  decodeControl,
  decodeFragment,
  decodeJoin,
  decodeMember,
  decodeMulticast,
  encodeControl,
  encodeFragment,
  encodeJoin,
  encodeMember,
  encodeMulticast,
  groupIdOf,
  groupProof,
  parseGroupspec,
} from "rtmfp-core/group";
import { fromHex, toHex } from "rtmfp-core/proto";
import { expect, it } from "vitest";
import { root } from "../../tools/run.ts";

const provider = defaultProvider();
const page = readFileSync(`${root}docs/netgroup-wire.md`, "utf8");
const blocks = [...page.matchAll(/^```(\w+)(?: (\w+))?\n([^`]+)\n```$/gm)].map(
  ([, kind = "", says = "", text = ""]): [string, string, string] => [kind, says, text.replace(/ *#.*$/gm, "")],
);

it("docs/netgroup-wire.md shows messages of each kind", () => {
  const kinds = new Set(
    blocks.map(([kind, says]) => (kind === "groupspec" || kind === "proof" ? kind : `${kind} ${says}`)),
  );
  expect([...kinds].sort()).toEqual([
    "control askClose",
    "control begin",
    "control connect",
    "control prelude",
    "control report",
    "fragment end",
    "fragment next",
    "fragment start",
    "fragment whole",
    "groupspec",
    "join ",
    "member ",
    "multicast end",
    "multicast info",
    "multicast map",
    "multicast pull",
    "multicast push",
    "proof",
  ]);
});

it.each(blocks)("docs/netgroup-wire.md shows what is read and written: %s %s", (kind, says, text) => {
  const lines = text.split("\n").map((line) => line.trim());
  if (kind === "groupspec") {
    expect(parseGroupspec(text).version).toBe(text.includes("7f02") ? 2 : 1);
    expect(toHex(groupIdOf(text, (bytes) => provider.sha256(bytes)))).toBe(says);
    return;
  }
  if (kind === "proof") {
    const [canonical = "", nonce = ""] = lines;
    const proof = groupProof(canonical, fromHex(nonce), (key, data) => hmacSha256(provider, key, data));
    expect(toHex(proof)).toBe(says);
    return;
  }
  const bytes = fromHex(lines.join(" "));
  const again = rewritten(kind, bytes);
  expect(again?.type).toBe(says);
  expect(toHex(again?.bytes as Uint8Array)).toBe(toHex(bytes));
});

it("docs/netgroup-wire.md has the options of groupspecs in their order", () => {
  const spec = {
    version: 2,
    routingEnabled: true,
    multicastEnabled: true,
    objectReplicationEnabled: true,
    postingEnabled: true,
    publishPassword: new Uint8Array(32),
    postingPassword: new Uint8Array(32),
    serverChannelEnabled: true,
    peerToPeerDisabled: true,
    name: "n",
    uniqueTag: new Uint8Array(32),
    ipMulticastMemberUpdatesEnabled: true,
    ipMulticastAddresses: [{ host: "239.1.2.3", port: 1 }],
    bootstrapPeers: ["00".repeat(32)],
    publishAuthorization: "p",
    postingAuthorization: "p",
  };
  const table = page.slice(page.indexOf("| Option |"), page.indexOf("- The canonical part"));
  const named = [...table.matchAll(/^\| ([0-9a-f]{2})[^|]*\|/gm)].map(([row, type]) =>
    row.includes(",") ? ["15", "17"] : type,
  );
  const text = buildGroupspec(spec);
  let at = 2;
  const written: string[] = [];
  while (at < text.length) {
    const length = Number.parseInt(text.slice(at, at + 2), 16);
    if (length > 0) written.push(text.slice(at + 2, at + 4));
    at += 2 * (1 + length);
  }
  expect(named.flat()).toEqual(written);
});

/** What a message is, and how it is written; undefined where it is not read. */
function rewritten(kind: string, bytes: Uint8Array): { type: string; bytes: Uint8Array } | undefined {
  if (kind === "control") {
    const message = decodeControl(bytes);
    return message && { type: message.type, bytes: encodeControl(message) };
  }
  if (kind === "multicast") {
    const message = decodeMulticast(bytes);
    return message && { type: message.type, bytes: encodeMulticast(message) };
  }
  if (kind === "fragment") {
    const fragment = decodeFragment(bytes);
    return fragment && { type: fragment.kind, bytes: encodeFragment(fragment) };
  }
  if (kind === "join") {
    const join = decodeJoin(bytes);
    return join && { type: "", bytes: encodeJoin(join) };
  }
  const member = decodeMember(bytes);
  return member === undefined ? undefined : { type: "", bytes: encodeMember(member) };
}
