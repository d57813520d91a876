/** Carriers in one process without sockets, in time that is set: for what lives long and is measured at rest. */
import type { Address, Carrier } from "rtmfp-core";

interface Attached extends Carrier {
  alarm: number;
}

/** Delivers in order, at once, losing nothing. */
export class MemoryNetwork {
  #now = 0;
  readonly #carriers = new Map<string, Attached>();
  #turns: (() => void)[] = [];
  #sent: { readonly bytes: Uint8Array; readonly from: Address; readonly to: Address }[] = [];

  /** A carrier at an address; the name must be free. */
  attach(address: Address): Carrier {
    const carrier: Attached = {
      alarm: Number.POSITIVE_INFINITY,
      now: () => this.#now,
      setAlarm: (at) => {
        carrier.alarm = at;
      },
      defer: (turn) => void this.#turns.push(turn),
      send: (datagram, _via, to) => void this.#sent.push({ bytes: datagram.slice(), from: address, to }),
      sockets: [{ via: 0, address }],
      onDatagram: () => {},
      onAlarm: () => {},
      interfaceAddresses: () => [address],
      resolve: async (host, port) => [{ host, port }],
      close: async () => this.detach(address),
    };
    this.#carriers.set(nameOf(address), carrier);
    return carrier;
  }

  /** Forgets a carrier: what is sent to it is lost. */
  detach(address: Address): void {
    this.#carriers.delete(nameOf(address));
  }

  /** Runs turns and delivers until nothing is under way. */
  settle(): void {
    while (this.#turns.length > 0 || this.#sent.length > 0) {
      for (const { bytes, from, to } of this.#sent.splice(0)) {
        this.#carriers.get(nameOf(to))?.onDatagram(bytes, from, 0);
      }
      for (const turn of this.#turns.splice(0)) turn();
    }
  }

  /** Lets time pass, alarms in order. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      this.settle();
      let next: Attached | undefined;
      for (const carrier of this.#carriers.values())
        if (carrier.alarm <= end && carrier.alarm < (next?.alarm ?? Number.POSITIVE_INFINITY)) next = carrier;
      if (next === undefined) break;
      this.#now = Math.max(this.#now, next.alarm);
      next.alarm = Number.POSITIVE_INFINITY;
      next.onAlarm();
    }
    this.#now = end;
  }
}

function nameOf(address: Address): string {
  return `${address.host}:${address.port}`;
}
