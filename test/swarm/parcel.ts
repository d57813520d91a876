/** Datagrams packed for another thread. */
import { copyDatagram } from "rtmfp-core/testing";
import type { Crossing } from "./parts.ts";

/** Collects datagrams; IPv4 addresses alone. */
export class Parcel {
  #bytes = new Uint8Array(FIRST_BYTES);
  #used = 0;

  add({ datagram: { from, to, bytes }, at: time }: Crossing): void {
    const end = this.#used + HEADER_BYTES + bytes.length;
    if (end > this.#bytes.length) this.#grow(end);
    const view = new DataView(this.#bytes.buffer);
    const at = this.#used;
    view.setUint32(at, packHost(from.host));
    view.setUint16(at + 4, from.port);
    view.setUint32(at + 6, packHost(to.host));
    view.setUint16(at + 10, to.port);
    view.setUint16(at + 12, bytes.length);
    view.setFloat64(at + 14, time);
    this.#bytes.set(bytes, at + HEADER_BYTES);
    this.#used = end;
  }

  /** What was added, in order; then the parcel is empty. The memory is the caller's own, and can be shared with another thread. */
  take(): Uint8Array {
    const taken = new Uint8Array(new SharedArrayBuffer(this.#used));
    taken.set(this.#bytes.subarray(0, this.#used));
    this.#used = 0;
    return taken;
  }

  #grow(size: number): void {
    const grown = new Uint8Array(2 * size);
    grown.set(this.#bytes.subarray(0, this.#used));
    this.#bytes = grown;
  }
}

/** The datagrams of a parcel; their bytes are copies. */
export function* unpack(parcel: Uint8Array): Iterable<Crossing> {
  const view = new DataView(parcel.buffer, parcel.byteOffset, parcel.length);
  for (let at = 0; at < parcel.length; ) {
    const start = at + HEADER_BYTES;
    const end = start + view.getUint16(at + 12);
    const from = { host: unpackHost(view.getUint32(at)), port: view.getUint16(at + 4) };
    const to = { host: unpackHost(view.getUint32(at + 6)), port: view.getUint16(at + 10) };
    yield { datagram: { from, to, bytes: copyDatagram(parcel.subarray(start, end)) }, at: view.getFloat64(at + 14) };
    at = end;
  }
}

/** Each host is packed many times. */
const packed = new Map<string, number>();
const unpacked = new Map<number, string>();

function packHost(host: string): number {
  let value = packed.get(host);
  if (value === undefined) {
    value = host.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
    packed.set(host, value);
  }
  return value;
}

function unpackHost(value: number): string {
  let host = unpacked.get(value);
  if (host === undefined) {
    host = [24, 16, 8, 0].map((shift) => (value >>> shift) & 0xff).join(".");
    unpacked.set(value, host);
  }
  return host;
}

const FIRST_BYTES = 65_536;
const HEADER_BYTES = 22;
