import { EventQueue, type SimEvent } from "./event-queue.ts";

/** Cancels what was scheduled; without effect once it has run. */
export type Cancel = () => void;

/**
 * Virtual time. It passes only while one of the run methods is at work, and jumps from event to event, so an hour
 * takes as long as its events do. Spans and times are milliseconds; time starts at 0.
 *
 * The synchronous methods suit code that only uses callbacks. The asynchronous ones also let promises settle between
 * events: after each event that ran foreign code they hop over one setImmediate, by which Node has drained the whole
 * microtask queue, however long a chain of promises is. Code under test may therefore wait for promises and carriers
 * only: what waits for a file, a thread or a real timer sees virtual time rush past.
 */
export class SimClock {
  readonly #queue = new EventQueue();
  /** Events that have run and may be used again: most of what a simulation would leave to the collector. */
  readonly #spent: SimEvent[] = [];
  #now = 0;
  #sequence = 0;
  #atThisInstant = 0;
  /** Calls of {@link runUntilAsync} under way. */
  #runners = 0;
  #calledOut = false;

  /** Virtual milliseconds since the start. */
  get now(): number {
    return this.#now;
  }

  /**
   * Runs `action` at the given time; a time that has passed means now, but never before this call returns. Throws
   * RangeError for NaN.
   */
  at(time: number, action: () => void): Cancel {
    const run = (): void => {
      this.calledOut();
      action();
    };
    return this.schedule(time, run, 0);
  }

  /** Runs `action` when `ms` have passed. Throws RangeError for NaN. */
  after(ms: number, action: () => void): Cancel {
    return this.at(this.#now + ms, action);
  }

  /** Resolves when `ms` of virtual time have passed; something else must drive the clock. */
  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => void this.after(ms, resolve));
  }

  /** What the event does from now on is not the simulator's own: promises may have to settle after it. */
  calledOut(): void {
    this.#calledOut = true;
  }

  /**
   * {@link at} for the simulator's own code, with the order inside one instant: see SimEvent. Throws RangeError for
   * NaN.
   */
  schedule(time: number, run: () => void, phase: number): Cancel {
    if (Number.isNaN(time)) throw new RangeError("expected a time in milliseconds, got NaN");
    if (time === Number.POSITIVE_INFINITY) return () => {};
    const sequence = this.#sequence++;
    const at = Math.max(time, this.#now);
    const event = { time: at, phase, sequence, run, argument: undefined, isReusable: false, cancelled: false };
    this.#queue.push(event);
    return () => {
      event.cancelled = true;
    };
  }

  /** {@link schedule} for what is never cancelled, of which there is much: `run` gets `argument`. `time` is finite. */
  post<T>(time: number, run: (argument: T) => void, argument: T, phase: number): void {
    const at = Math.max(time, this.#now);
    const sequence = this.#sequence++;
    let event = this.#spent.pop();
    if (event === undefined) {
      event = { time: at, phase, sequence, run, argument, isReusable: true, cancelled: false };
    } else {
      event.time = at;
      event.phase = phase;
      event.sequence = sequence;
      event.run = run;
      event.argument = argument;
    }
    this.#queue.push(event);
  }

  /** Runs the next event; false if there is none. Throws what the event throws, and Error when time stands still. */
  step(): boolean {
    const event = this.#queue.pop();
    if (event === undefined) return false;
    this.#atThisInstant = event.time > this.#now ? 0 : this.#atThisInstant + 1;
    if (this.#atThisInstant > MAX_EVENTS_PER_INSTANT) throw new Error(`time stands still at ${this.#now} ms`);
    this.#now = event.time;
    const { run, argument } = event;
    if (event.isReusable) {
      event.argument = undefined;
      this.#spent.push(event);
    }
    run(argument as never);
    return true;
  }

  /**
   * Runs all events of the next `ms`, which then have passed; with Infinity, until nothing is left to happen. Throws as
   * {@link step}.
   */
  run(ms: number): void {
    const end = this.#now + ms;
    while (this.#queue.nextTime <= end && this.step()) {}
    this.#passTo(end);
  }

  /**
   * Runs until `predicate` holds, asked before the first and after every event; false if `limitMs` pass first. Throws
   * as {@link step}.
   */
  runUntil(predicate: () => boolean, limitMs: number): boolean {
    const end = this.#now + limitMs;
    while (!predicate()) {
      if (this.#queue.nextTime > end || !this.step()) {
        this.#passTo(end);
        return predicate();
      }
    }
    return true;
  }

  /** {@link run} that lets promises settle between events. Rejects as {@link step} throws. */
  async runAsync(ms: number): Promise<void> {
    await this.runUntilAsync(() => false, ms);
  }

  /** {@link runUntil} that lets promises settle between events. Rejects as {@link step} throws. */
  async runUntilAsync(predicate: () => boolean, limitMs: number): Promise<boolean> {
    const end = this.#now + limitMs;
    this.#runners++;
    return new Promise<boolean>((resolve, reject) => {
      let hops = 0;
      let planned = FIRST_HOPS;
      let over = false;
      const turn = (): void => {
        if (over) return;
        hops--;
        try {
          over = this.#runToCallOut(predicate, end);
        } catch (error) {
          over = true;
          reject(error);
          return;
        }
        if (over) resolve(predicate());
        else if (hops === 0) plan();
      };
      const plan = (): void => {
        // Who runs beside others must see at once what it waits for.
        for (const most = this.#runners > 1 ? 1 : planned; hops < most; hops++) hop(turn);
        planned = Math.min(2 * planned, MOST_HOPS);
      };
      plan();
    }).finally(() => {
      this.#runners--;
    });
  }

  /**
   * Runs until `promise` settles and gives its outcome. Throws if `limitMs` pass first or nothing is left to happen.
   */
  async settle<T>(promise: PromiseLike<T>, limitMs: number): Promise<T> {
    let settled = false;
    const done = (): void => {
      settled = true;
    };
    promise.then(done, done);
    const started = this.#now;
    if (!(await this.runUntilAsync(() => settled, limitMs))) {
      throw new Error(`still pending after ${this.#now - started} ms of virtual time`);
    }
    return promise;
  }

  /** Runs events until one has run foreign code; true if `predicate` holds before that, or time is up, which then passes. */
  #runToCallOut(predicate: () => boolean, end: number): boolean {
    this.#calledOut = false;
    while (!this.#calledOut) {
      if (predicate()) return true;
      if (this.#queue.nextTime > end || !this.step()) {
        this.#passTo(end);
        return true;
      }
    }
    return false;
  }

  #passTo(time: number): void {
    if (Number.isFinite(time)) this.#now = Math.max(this.#now, time);
  }
}

/**
 * Calls back after every promise reaction that is due, or becomes due from one, has run. Taken at load, so that a test
 * runner's fake timers do not stop it.
 */
const hop: (callback: () => void) => unknown = setImmediate;
/**
 * Hops planned at a time: microtasks run between any two, and a turn of Node's loop costs more than most events. Few at first,
 * for runs in which little happens.
 */
const FIRST_HOPS = 4;
const MOST_HOPS = 64;

/** More events than this without the passing of time are a loop in the code under test. */
const MAX_EVENTS_PER_INSTANT = 5_000_000;
