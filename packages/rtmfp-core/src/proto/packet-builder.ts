/** Where a packet is put together: the caller's buffer, and how far the packet may reach. */
import { ByteWriter } from "./bytes.ts";

/** One packet under construction. Reused from packet to packet. */
export class PacketBuilder {
  writer: ByteWriter = new ByteWriter(new Uint8Array(0));
  /** First byte of the packet: its flags. */
  start = 0;
  /** First byte behind the header. */
  body = 0;
  /** No chunk may end beyond this. */
  limit = 0;
  /** A packet that ends beyond this needs more than a 1200-byte datagram. */
  largeBeyond = 0;
  /** The packet was filled with user data, and more waits. */
  isFull = false;
  /** Serial number of the packet, so that a flow knows whether it already has a chunk in it. */
  serial = 0;
  /** The packet carries user data of a time-critical flow. */
  timeCritical = false;
  /** The packet carries user data. */
  hasData = false;

  begin(buffer: Uint8Array, start: number, limit: number): void {
    this.writer = new ByteWriter(buffer, start);
    this.start = start;
    this.limit = limit;
    this.largeBeyond = limit;
    this.isFull = false;
    this.serial++;
    this.timeCritical = false;
    this.hasData = false;
  }

  /** True while the packet has no chunk. */
  get isEmpty(): boolean {
    return this.writer.pos === this.body;
  }

  /** Bytes left for chunks. */
  get room(): number {
    return this.limit - this.writer.pos;
  }
}
