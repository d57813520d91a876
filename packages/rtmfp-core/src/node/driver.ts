/** Joins a sans-IO endpoint to a carrier: turns of the loop in, drained packets and events out. */

import type { EndpointConfig } from "../proto/config.ts";
import type { PublicKeyJob, PublicKeyResult } from "../proto/crypto-profile.ts";
import { type Datagram, Endpoint, TRANSMIT_BUFFER_BYTES } from "../proto/endpoint.ts";
import type { EndpointEvent } from "../proto/events.ts";
import type { Carrier, CarrierSocket } from "./carrier.ts";

/** Runs public-key jobs somewhere; calls `done` now or later. */
export type JobRunner = (job: PublicKeyJob, done: (result: PublicKeyResult) => void) => void;

/**
 * Feeds the datagrams of one turn, then drains what is to be sent once: that drain is where acknowledgements are
 * coalesced. A turn is cut at {@link MAX_TURN_DATAGRAMS}, so that one acknowledgement never stands for more.
 */
export class Driver {
  readonly endpoint: Endpoint;
  readonly carrier: Carrier;
  readonly #onEvent: (event: EndpointEvent) => void;
  readonly #runJob: JobRunner;
  readonly #batch: Datagram[] = [];
  /** What the application's handlers threw: it surfaces when the turn is complete, so that it harms no other session. */
  readonly #thrown: unknown[] = [];
  /** Memory that nobody uses any more once the endpoint's current call has returned: the turn's end gives it back. */
  readonly #spent: Uint8Array[] = [];
  #turnPending = false;
  #inTurn = false;
  #closed = false;
  #alarmAt: number = Number.POSITIVE_INFINITY;
  /** The latest time told, and whole ms that the carrier's clock is behind since it was set back. */
  #latest: number = Number.NEGATIVE_INFINITY;
  #behindMs = 0;

  readonly #onDeferred = (): void => {
    this.#turnPending = false;
    this.turn();
  };

  constructor(config: EndpointConfig, carrier: Carrier, onEvent: (event: EndpointEvent) => void, runJob?: JobRunner) {
    this.carrier = carrier;
    this.#onEvent = onEvent;
    this.#runJob = runJob ?? ((job, done) => done(config.profile.runJob(job)));
    this.endpoint = new Endpoint({
      viaFor: (address, via) => viaFor(carrier, address.host, via),
      ...config,
      wake: () => this.wake(),
      discard: (memory) => {
        this.#spent.push(memory);
        this.wake();
      },
    });
    carrier.onDatagram = (bytes, from, via) => this.#onDatagram(bytes, from, via);
    carrier.onAlarm = () => this.#onAlarm();
  }

  /**
   * The endpoint's clock: the carrier's, but where that steps back, against its contract, this one goes on from where it
   * was. Deadlines would lie out of reach otherwise, and every rate limit would refuse.
   */
  now(): number {
    const time = this.carrier.now() + this.#behindMs;
    if (time < this.#latest) {
      this.#behindMs += Math.ceil(this.#latest - time);
      this.#alarmAt = Number.NaN;
      return this.now();
    }
    this.#latest = time;
    return time;
  }

  /** Something may wait to be sent or told: runs a turn soon. */
  wake(): void {
    if (this.#turnPending || this.#inTurn || this.#closed) return;
    this.#turnPending = true;
    this.carrier.defer(this.#onDeferred);
  }

  /** Hands over what has come in, tells events, sends what is due, and sets the alarm. */
  turn(): void {
    if (this.#inTurn || this.#closed) return;
    this.#inTurn = true;
    try {
      const now = this.now();
      if (this.#batch.length > 0) this.#handOver(now);
      this.endpoint.handleTimeout(now);
      this.#drain(now);
      if (this.#spent.length > 0) for (const memory of this.#spent.splice(0)) this.carrier.release?.(memory);
    } finally {
      this.#inTurn = false;
    }
    this.#setAlarm();
    if (this.#thrown.length > 0) throw this.#thrown.splice(0)[0];
  }

  /** Sends what is left and releases the carrier. */
  async close(): Promise<void> {
    this.turn();
    this.#closed = true;
    await this.carrier.close();
  }

  #handOver(now: number): void {
    const batch = this.#batch.splice(0);
    this.endpoint.handleDatagrams(now, batch);
    for (const { bytes } of batch) this.carrier.release?.(bytes);
  }

  #drain(now: number): void {
    for (;;) {
      for (let event = this.endpoint.pollEvent(); event !== undefined; event = this.endpoint.pollEvent())
        this.#tell(event);
      const out = this.endpoint.pollTransmit(now, BUFFER);
      if (out === undefined) {
        const event = this.endpoint.pollEvent();
        if (event === undefined) return;
        this.#tell(event);
        continue;
      }
      this.carrier.send(BUFFER.subarray(0, out.length), out.via, out.to);
    }
  }

  #tell(event: EndpointEvent): void {
    if (event.type !== "job") {
      try {
        this.#onEvent(event);
      } catch (error) {
        this.#thrown.push(error);
      }
      return;
    }
    this.#runJob(event.job, (result) => this.endpoint.completeJob(this.now(), event.id, result));
  }

  #onDatagram(bytes: Uint8Array, from: { host: string; port: number }, via: number): void {
    if (this.#closed) return;
    this.#batch.push({ bytes, from, via });
    if (this.#batch.length >= MAX_TURN_DATAGRAMS) this.turn();
    else this.wake();
  }

  #onAlarm(): void {
    this.#alarmAt = Number.POSITIVE_INFINITY;
    this.turn();
  }

  #setAlarm(): void {
    if (this.#closed) return;
    const at = this.endpoint.pollTimeout() ?? Number.POSITIVE_INFINITY;
    if (at === this.#alarmAt) return;
    this.#alarmAt = at;
    // A whole ms later at most, so that rounding does not wake us before it is time.
    this.carrier.setAlarm(this.#behindMs === 0 ? at : Math.floor(at - this.#behindMs) + 1);
  }
}

/** The socket `via` if it is of the host's family, else the first that is. */
function viaFor(carrier: Carrier, host: string, via: number): number | undefined {
  const fits = (socket: CarrierSocket): boolean => socket.address.host.includes(":") === host.includes(":");
  const sockets = carrier.sockets.filter(fits);
  return (sockets.find((socket) => socket.via === via) ?? sockets[0])?.via;
}

/** Datagrams after which a turn ends though more may have arrived. */
export const MAX_TURN_DATAGRAMS = 16;
/** Where the drivers of this thread have datagrams written, one at a time: carriers have taken them when `send` returns. */
const BUFFER: Uint8Array = new Uint8Array(TRANSMIT_BUFFER_BYTES);
