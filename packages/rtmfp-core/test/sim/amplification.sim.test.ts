import { readFileSync } from "node:fs";
import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import {
  buildEpd,
  CLIENT_IDENTITY,
  type FlashProfileOptions,
  LEGACY_IDENTITY,
  SERVER_IDENTITY,
  STATIC_SERVER_IDENTITY,
} from "../../src/crypto/index.ts";
import { Origin } from "../../src/proto/address.ts";
import { EMPTY } from "../../src/proto/bytes.ts";
import { type Chunk, ChunkType } from "../../src/proto/chunk/types.ts";
import { type SimCarrier, SimWorld } from "../../src/testing/index.ts";
import { type SealedNode, sealedNode, sealWith } from "./sealed.ts";

interface Bench {
  readonly world: SimWorld;
  readonly node: SealedNode;
  readonly stranger: SimCarrier;
  /** Sizes of the datagrams that the stranger was sent. */
  readonly heard: number[];
}

function bench(identity: FlashProfileOptions["identity"]): Bench {
  const world = new SimWorld(1);
  const node = sealedNode(world.host("near", { link: { latencyMs: 0 } }), { identity }, { port: 1935 });
  const stranger = world.host("stranger", { link: { latencyMs: 0 } }).open([{ port: 0 }]);
  const heard: number[] = [];
  stranger.onDatagram = (bytes) => heard.push(bytes.length);
  return { world, node, stranger, heard };
}

/** Sends chunks in one startup packet; gives its size. */
function ask(b: Bench, ...chunks: Chunk[]): number {
  const datagram = sealWith(b.node.endpoint.profile.startupCipher, 0, {}, ...chunks);
  b.stranger.send(datagram, 0, b.node.address);
  b.world.run(50);
  return datagram.length;
}

const hello = (epd: Uint8Array, tagBytes = 8): Chunk => ({
  type: ChunkType.iHello,
  epd,
  tag: new Uint8Array(tagBytes),
});
const anyServer = buildEpd({ ancillaryData: EMPTY });
const byName = (b: Bench): Uint8Array => b.node.epd;

/** What the table of docs/security.md has, by its first column: identity, and the shortest hello that selects it. */
const ROWS: Readonly<Record<string, readonly [FlashProfileOptions["identity"], (b: Bench) => Uint8Array]>> = {
  "RHello of a server with ephemeral keys": [SERVER_IDENTITY, () => anyServer],
  "RHello of a server with `--identity`: three static keys": [STATIC_SERVER_IDENTITY, () => anyServer],
  "RHello of a client: three static keys": [CLIENT_IDENTITY, byName],
  "RHello of a legacy client": [LEGACY_IDENTITY, byName],
};

const DOCUMENT = new URL("../../../../docs/security.md", import.meta.url);
const table = readFileSync(DOCUMENT, "utf8")
  .split("\n")
  .filter((line) => /^\| (RHello|Redirect)/.test(line))
  .map((line) => line.split("|").map((cell) => cell.trim()))
  .map(([, what = "", request = "", answer = "", factor = ""]) => [what, [request, answer, factor]] as const);

/** A row of the table as it ought to be. */
function row(request: number, answer: number): readonly string[] {
  return [`${request}`, `${answer}`, (answer / request).toFixed(1)];
}

describe("what a stranger gets for a hello", () => {
  it("is in the table of docs/security.md, row by row", () => {
    expect(table.map(([what]) => what)).toEqual([...Object.keys(ROWS), "Redirect, with all that fits"]);
  });

  for (const [what, [identity, epd]] of Object.entries(ROWS)) {
    it(`is an ${what} as large as docs/security.md says`, () => {
      const b = bench(identity);
      const request = ask(b, hello(epd(b)));
      expect(b.heard.length).toBe(1);
      expect(Object.fromEntries(table)[what]).toEqual(row(request, b.heard[0] as number));
    });
  }

  it("is a Redirect as large as docs/security.md says, at most six times the hello", () => {
    const b = bench(CLIENT_IDENTITY);
    const destinations = Array.from({ length: 100 }, (_, i) => ({
      host: `192.0.2.${i}`,
      port: 9,
      origin: Origin.local,
    }));
    b.node.onEvent = (event) => {
      if (event.type === "introduction") b.node.endpoint.redirect(b.node.driver.now(), event.id, destinations);
    };
    const request = ask(b, hello(buildEpd({ fingerprint: new Uint8Array(32) })));
    expect(b.heard.length).toBe(1);
    expect(b.heard[0]).toBeLessThanOrEqual(6 * request);
    expect(Object.fromEntries(table)["Redirect, with all that fits"]).toEqual(row(request, b.heard[0] as number));
  });

  it(
    ...rfc("R7016-5-04"),
    "is one packet, however many hellos there are in one datagram, or in fragments in it",
    () => {
      const b = bench(SERVER_IDENTITY);
      ask(b, ...Array.from({ length: 100 }, () => hello(anyServer)));
      expect(b.heard.length).toBe(1);
      expect(b.node.endpoint.stats).toMatchObject({ ihellos: 100, rateLimited: 99 });
      const whole = sealWith(b.node.endpoint.profile.startupCipher, 0, {}, hello(anyServer));
      const packet = b.node.endpoint.profile.startupCipher.open(whole.slice(4)) as Uint8Array;
      const fragment = (packetId: number): Chunk => ({
        type: ChunkType.fragment,
        more: false,
        packetId,
        index: 0,
        data: packet,
      });
      ask(b, ...Array.from({ length: 30 }, (_, i) => fragment(i)));
      expect(b.heard.length).toBe(2);
      ask(b, hello(anyServer));
      expect(b.heard.length).toBe(3);
    },
  );

  it(...rfc("R7016-5-04"), "is nothing if the tag has fewer than 8 bytes, which is counted", () => {
    const b = bench(SERVER_IDENTITY);
    for (const length of [0, 1, 7]) ask(b, hello(anyServer, length));
    expect(b.heard).toEqual([]);
    expect(b.node.endpoint.stats.malformed).toBe(3);
  });
});
