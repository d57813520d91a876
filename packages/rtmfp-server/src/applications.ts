/** The applications of a server by name, and their instances with the handlers that run in them. */
import type { StatusCode } from "rtmfp-core/tc";
import {
  Application,
  type ApplicationFactory,
  type ApplicationHandlers,
  type ApplicationStats,
} from "./application.ts";
import { type ApplicationLimits, type SettledLimits, settleLimits } from "./limits.ts";
import { messageOf } from "./message-of.ts";
import { pendingOf } from "./pending.ts";
import { Reject } from "./reject.ts";

/** What the applications need of the server. */
export interface ApplicationsHost {
  /** Monotonic ms. */
  now(): number;
  /** A handler has thrown what it should not. */
  onHandlerError(error: unknown): void;
}

/** A connection that has entered an instance. */
export interface Member {
  /** Tells the client why, then closes in good order. */
  endWith(code: StatusCode, description: string): Promise<void>;
}

/** Handlers that hear of something and decide nothing. */
type Hearing =
  | "onConnectAccept"
  | "onConnectReject"
  | "onUnpublish"
  | "onStop"
  | "onGroupJoin"
  | "onGroupLeave"
  | "onDisconnect"
  | "onAppStop";
/** Handlers that decide. */
type Deciding = "onConnect" | "onPublish" | "onPlay";
type Arguments<K extends keyof ApplicationHandlers> = Parameters<NonNullable<ApplicationHandlers[K]>>;

/** An instance with its handlers. */
export class RunningApplication {
  readonly app: Application;
  readonly handlers: ApplicationHandlers;
  readonly members: Set<Member> = new Set();
  readonly #host: ApplicationsHost;

  constructor(app: Application, handlers: ApplicationHandlers, host: ApplicationsHost) {
    this.app = app;
    this.handlers = handlers;
    this.#host = host;
  }

  /** Tells a handler; what it throws, or a Promise of its rejects with, goes no further. */
  tell<K extends Hearing>(event: K, ...args: Arguments<K>): void {
    const handler = this.handlers[event] as ((...args: unknown[]) => unknown) | undefined;
    try {
      this.watch(handler?.apply(this.handlers, args));
    } catch (error) {
      this.fail(error);
    }
  }

  /** What a handler returned that decides nothing: if that is a Promise, what it rejects with goes no further. */
  watch(result: unknown): void {
    pendingOf(result)?.catch((error: unknown) => this.fail(error));
  }

  /** Asks a handler; `decide` is called once, now or later, with a Reject if the answer is no. */
  ask<K extends Deciding>(event: K, args: Arguments<K>, decide: (reject?: Reject) => void): void {
    const handler = this.handlers[event] as ((...args: unknown[]) => unknown) | undefined;
    const refuse = (error: unknown): void => {
      if (!(error instanceof Reject)) this.fail(error);
      decide(error instanceof Reject ? error : new Reject());
    };
    let answer: unknown;
    try {
      answer = handler?.apply(this.handlers, args);
    } catch (error) {
      refuse(error);
      return;
    }
    const pending = pendingOf(answer);
    if (pending === undefined) decide();
    else pending.then(() => decide(), refuse);
  }

  /** A handler has thrown what it should not. */
  fail(error: unknown): void {
    this.#host.onHandlerError(error);
    const description = messageOf(error);
    try {
      const told: unknown = this.handlers.onStatus?.({
        level: "error",
        code: "Application.Script.Error",
        description,
        error,
      });
      pendingOf(told)?.catch((second: unknown) => this.#host.onHandlerError(second));
    } catch (second) {
      this.#host.onHandlerError(second);
    }
  }
}

/** See the file's head. */
export class Applications {
  readonly #host: ApplicationsHost;
  readonly #fallback: ApplicationFactory;
  readonly #defined = new Map<string, { readonly factory: ApplicationFactory; limits: ApplicationLimits }>();
  /** Those that new clients enter, by path. */
  readonly #current = new Map<string, RunningApplication>();
  readonly #running = new Map<Application, RunningApplication>();
  #limits: SettledLimits;

  /** `fallback` serves every name that is not defined. Throws BAD_ARGUMENT for limits that cannot be. */
  constructor(fallback: ApplicationFactory, host: ApplicationsHost, limits: ApplicationLimits = {}) {
    this.#fallback = fallback;
    this.#host = host;
    this.#limits = settleLimits(limits);
  }

  /** Throws RangeError if the name is taken or no first segment of a path, BAD_ARGUMENT for limits that cannot be. */
  define(name: string, factory: ApplicationFactory, limits: ApplicationLimits = {}): void {
    if (name === "" || name.includes("/")) throw new RangeError(`expected an application's name, got "${name}"`);
    if (this.#defined.has(name)) throw new RangeError(`the application "${name}" is defined already`);
    settleLimits(limits);
    this.#defined.set(name, { factory, limits });
  }

  has(name: string): boolean {
    return this.#defined.has(name);
  }

  /** Instances that run. */
  get instances(): Iterable<Application> {
    return this.#running.keys();
  }

  /** What holds for the instances of that name. */
  limitsOf(name: string): SettledLimits {
    const own = this.#defined.get(name)?.limits;
    return own === undefined ? this.#limits : settleLimits(own, this.#limits);
  }

  /** Puts other limits in place, of one application or those that hold for all. Throws as {@link define} does. */
  setLimits(limits: ApplicationLimits, name?: string): void {
    const settled = settleLimits(limits);
    if (name === undefined) {
      this.#limits = settled;
      return;
    }
    const defined = this.#defined.get(name);
    if (defined === undefined) throw new RangeError(`there is no application "${name}"`);
    defined.limits = limits;
  }

  /** The instance for a new connection, made if need be. Pair with {@link leave}. Throws what its factory throws. */
  enter(name: string, instance: string, member: Member): RunningApplication {
    const path = `${name}/${instance}`;
    const running = this.#current.get(path) ?? this.#start(name, instance, path);
    running.members.add(member);
    return running;
  }

  /** A connection that had entered is gone; with the last one the instance ends. */
  leave(running: RunningApplication, member: Member): void {
    if (!running.members.delete(member) || running.members.size > 0) return;
    this.#running.delete(running.app);
    this.#retire(running);
    running.tell("onAppStop");
  }

  /** The handlers of a running instance. */
  handlersOf(app: Application): ApplicationHandlers | undefined {
    return this.#running.get(app)?.handlers;
  }

  /** Statistics of all instances, by path. */
  stats(): ReadonlyMap<string, ApplicationStats> {
    return new Map([...this.#running.keys()].map((app) => [app.path, app.getStats()]));
  }

  #start(name: string, instance: string, path: string): RunningApplication {
    const app = new Application(name, instance, {
      now: () => this.#host.now(),
      end: (which, code, description) => this.#end(which, code, description),
    });
    const factory = this.#defined.get(name)?.factory ?? this.#fallback;
    const running = new RunningApplication(app, this.#handlersBy(factory, app), this.#host);
    running.watch(running.handlers.onAppStart?.());
    this.#current.set(path, running);
    this.#running.set(app, running);
    return running;
  }

  /** A factory must give handlers at once: a Promise has none, and all that they decide would pass for a yes. */
  #handlersBy(factory: ApplicationFactory, app: Application): ApplicationHandlers {
    const made: unknown = factory(app);
    const pending = pendingOf(made);
    if (pending === undefined && typeof made === "object" && made !== null) return made;
    pending?.catch((error: unknown) => this.#host.onHandlerError(error));
    const what = pending === undefined ? "nothing" : "a Promise: return them at once, and wait in onConnect";
    throw new TypeError(`the factory of application "${app.path}" must return handlers, not ${what}`);
  }

  async #end(app: Application, code: StatusCode, description: string): Promise<void> {
    const running = this.#running.get(app);
    if (running === undefined) return;
    this.#retire(running);
    await Promise.all([...running.members].map((member) => member.endWith(code, description)));
  }

  #retire({ app }: RunningApplication): void {
    const path = `${app.name}/${app.instance}`;
    if (this.#current.get(path)?.app === app) this.#current.delete(path);
  }
}
