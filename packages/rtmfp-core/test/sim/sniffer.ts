import { equalBytes } from "../../src/proto/bytes.ts";
import { decodePacket } from "../../src/proto/chunk/codec.ts";
import { ChunkType } from "../../src/proto/chunk/types.ts";
import { unscrambleSessionId } from "../../src/proto/packet.ts";
import type { SimWorld } from "../../src/testing/index.ts";
import type { RawNode } from "./raw.ts";

/** Reads along: every chunk that nodes of the unprotected profile send, as `i>r iHello`. */
export class Sniffer {
  /** `from>to sessionId chunk`, the ID unsigned. */
  readonly log: string[] = [];
  /** `from>to chunk`. */
  readonly names: string[] = [];
  readonly times: number[] = [];
  readonly #datagrams: { name: string; bytes: Uint8Array }[] = [];

  constructor(world: SimWorld, nodes: readonly RawNode[]) {
    const owners = new Map<string, string>();
    for (const { host } of nodes) {
      for (const address of host.addresses) owners.set(address, host.name);
      for (const address of host.behind?.addresses ?? []) owners.set(address, host.name);
    }
    world.filter(({ to, bytes, sender }) => {
      const way = `${sender}>${owners.get(to.host) ?? to.host}`;
      const id = unscrambleSessionId(bytes) >>> 0;
      for (const chunk of decodePacket(bytes.subarray(4))?.chunks ?? []) {
        const name = `${way} ${nameOfType(chunk?.type)}`;
        this.log.push(`${way} ${id} ${nameOfType(chunk?.type)}`);
        this.names.push(name);
        this.times.push(world.now);
        this.#datagrams.push({ name, bytes: bytes.slice() });
      }
      return undefined;
    });
  }

  /** True if all datagrams with that chunk were equal. */
  sameBytes(name: string): boolean {
    const [first, ...rest] = this.#datagrams.filter((datagram) => datagram.name === name);
    return first !== undefined && rest.every(({ bytes }) => equalBytes(bytes, first.bytes));
  }
}

function nameOfType(type: number | undefined): string {
  return Object.entries(ChunkType).find(([, value]) => value === type)?.[0] ?? `${type}`;
}
