/** A connected client, as applications see it. */
import { type Address, RtmfpError, type Session } from "rtmfp-core";
import type { AmfValue, ObjectEncoding, StatusCode } from "rtmfp-core/tc";
import type { Application } from "./application.ts";
import type { NatVerdict } from "./nat.ts";
import type { User } from "./user.ts";

/** A function that clients may call. What they pass is theirs to choose: check it. */
export type Exposed = (...args: AmfValue[]) => unknown;

/** What a client needs of its connection. */
export interface ClientLink {
  readonly app: Application;
  readonly farID: string;
  readonly nearID: string;
  readonly farNonce: Uint8Array;
  readonly nearNonce: Uint8Array;
  readonly address: Address;
  readonly behindNat: boolean | undefined;
  readonly nat: NatVerdict;
  readonly security: Session["security"];
  readonly objectEncoding: ObjectEncoding;
  /** Whom the client's token is for. */
  readonly user: User | undefined;
  /** Of the session under the connection. */
  readonly sessionStats: Session["stats"];
  /** What the client says of itself in `connect`; `""` where it says nothing. */
  readonly uri: string;
  readonly pageUrl: string;
  readonly referrer: string;
  readonly agent: string;
  /** Sends a Forwarded IHello. */
  introduce(to: Address, tag: Uint8Array): void;
  /** Sends a command on stream 0, after the answer to `connect`. */
  command(name: string, transactionId: number, args: readonly AmfValue[]): void;
  close(): Promise<void>;
  /** Says why, then closes. */
  endWith(code: StatusCode, description: string): Promise<void>;
}

/** One client of an application, from `onConnect` to `onDisconnect`. */
export class Client {
  /** The application instance that it asked for. */
  readonly app: Application;
  readonly #link: ClientLink;
  /** Made with the first function. */
  #exposed: Map<string, Exposed> | undefined;
  /** Calls that wait for their reply; made with the first. */
  #calls: Map<number, { resolve: (value: AmfValue) => void; reject: (error: Error) => void }> | undefined;
  #nextCall = 1;
  #gone = false;

  /** Called by the server. */
  constructor(link: ClientLink) {
    this.app = link.app;
    this.#link = link;
  }

  /** Its identity, 64 lower-case hex digits: what other peers need to reach it. */
  get farID(): string {
    return this.#link.farID;
  }

  /** The server's identity. */
  get nearID(): string {
    return this.#link.nearID;
  }

  /**
   * Secrets of this session that nobody in the middle can have (RFC 7425 §4.6.5); 32 bytes each. Owned by the session.
   */
  get farNonce(): Uint8Array {
    return this.#link.farNonce;
  }

  /** The server's side of {@link farNonce}. Owned by the session. */
  get nearNonce(): Uint8Array {
    return this.#link.nearNonce;
  }

  /** Where the server sees it. */
  get address(): Address {
    return this.#link.address;
  }

  /** Its IP address. */
  get ip(): string {
    return this.address.host;
  }

  /** Always "rtmfp". */
  get protocol(): "rtmfp" {
    return "rtmfp";
  }

  /** Whether it is taken to be behind a NAT (RFC 7425 §5.3.3); undefined before it has told its own addresses. */
  get behindNat(): boolean | undefined {
    return this.#link.behindNat;
  }

  /** What the server knows of the NAT in front of it. */
  get nat(): NatVerdict {
    return this.#link.nat;
  }

  /** What the keying of its session agreed on; `legacy` marks the weak group 2. */
  get security(): Session["security"] {
    return this.#link.security;
  }

  /** 0 for AMF0, 3 for AMF3. */
  get objectEncoding(): ObjectEncoding {
    return this.#link.objectEncoding;
  }

  /** The URL that it connected to, as it says. */
  get uri(): string {
    return this.#link.uri;
  }

  /** The page that it ran in, as it says. */
  get pageUrl(): string {
    return this.#link.pageUrl;
  }

  /** Where its program came from, as it says. */
  get referrer(): string {
    return this.#link.referrer;
  }

  /** What it calls itself. */
  get agent(): string {
    return this.#link.agent;
  }

  /** What its token says of it; undefined where none was asked for, and for the token of a whole application. */
  get user(): User | undefined {
    return this.#link.user;
  }

  /** A snapshot of its session's counters and path figures: times in ms, sizes in bytes. */
  get stats(): Session["stats"] {
    return this.#link.sessionStats;
  }

  /** Lets it call these functions, and no others but the instance's; adds to those exposed before. The reply is what they return. */
  expose(functions: Readonly<Record<string, Exposed>>): void {
    this.#exposed ??= new Map();
    for (const [name, run] of Object.entries(functions)) this.#exposed.set(name, run);
  }

  /** The function of that name that it may call: its own, or one of the instance's. */
  exposed(name: string): Exposed | undefined {
    const own = this.#exposed?.get(name);
    if (own !== undefined) return own;
    const shared = this.app.exposed(name);
    return shared === undefined ? undefined : (...args) => shared(this, ...args);
  }

  /** Calls `name` on its client object and asks for no reply. Nothing happens once it is gone. */
  send(name: string, ...args: AmfValue[]): void {
    if (!this.#gone) this.#link.command(name, 0, args);
  }

  /**
   * Calls `name` on its client object; resolves with the reply. Rejects with `NetConnection.Call.Failed` when the far end
   * says so, when it is gone, and when too many calls wait.
   */
  call(name: string, ...args: AmfValue[]): Promise<AmfValue> {
    if (this.#gone) return Promise.reject(failed(`${name}: the client is gone`));
    this.#calls ??= new Map();
    const calls = this.#calls;
    if (calls.size >= MAX_WAITING_CALLS) return Promise.reject(failed(`${name}: too many calls wait for a reply`));
    const id = this.#nextCall++;
    return new Promise((resolve, reject) => {
      calls.set(id, { resolve, reject });
      try {
        this.#link.command(name, id, args);
      } catch (error) {
        calls.delete(id);
        reject(error as Error);
      }
    });
  }

  /**
   * Has the client answer whoever asks for it from `address`, with the `tag` of that request (RFC 7016 §3.5.1.5): one half
   * of an introduction, for applications that make the other half themselves. The bytes are kept until they are sent.
   */
  introducePeer(address: Address, tag: Uint8Array): void {
    if (!this.#gone) this.#link.introduce(address, tag);
  }

  /**
   * Closes the connection in good order; resolves when it has ended. The client's streams, groups and rights end at once, and
   * after 5 s its session with them, if it has not closed its end.
   */
  close(): Promise<void> {
    return this.#link.close();
  }

  /** Tells the client by a status event why, then closes as {@link close} does. */
  end(code: StatusCode, description: string): Promise<void> {
    return this.#link.endWith(code, description);
  }

  /** A reply to {@link call} came. Called by the server. */
  onReply(isError: boolean, transactionId: number, value: AmfValue): void {
    const call = this.#calls?.get(transactionId);
    this.#calls?.delete(transactionId);
    if (call === undefined) return;
    if (isError) call.reject(failed("the client could not be called", value));
    else call.resolve(value);
  }

  /** The connection has ended. Called by the server. */
  onGone(): void {
    this.#gone = true;
    for (const call of this.#calls?.values() ?? []) call.reject(failed("the client is gone"));
    this.#calls = undefined;
  }
}

function failed(message: string, info?: AmfValue): RtmfpError {
  return new RtmfpError("NetConnection.Call.Failed", message, info);
}

/** Calls to one client that wait for a reply. */
export const MAX_WAITING_CALLS = 256;
