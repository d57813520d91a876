/** A session of the attacker's that is opened again whenever the target ends it. */
import { type Address, type Session, UdpEndpoint } from "rtmfp-core";
import type { Chunk } from "rtmfp-core/proto";
import { sealInSession } from "./seal.ts";
import type { Abuse } from "./session-attacks.ts";

/** Where a foothold is, and of which kind. */
export interface FootholdOptions {
  /** Address to send from. Default: 127.0.0.1. */
  readonly host?: string;
  /** Whether its sessions have sequence numbers. Default: "require". */
  readonly sequence?: "require" | "none";
}

/** On a socket and with an identity of its own, because a target has one session per address and identity. */
export class Foothold {
  /** Sessions so far. */
  opened = 0;
  readonly #endpoint: UdpEndpoint;
  readonly #target: Address;
  readonly #abuse: Abuse;
  #session: Session | undefined;
  #next: () => Chunk[] = () => [];
  #closed = false;

  private constructor(endpoint: UdpEndpoint, target: Address, abuse: Abuse) {
    this.#endpoint = endpoint;
    this.#target = target;
    this.#abuse = abuse;
  }

  /** Resolves once the first session is open. */
  static async open(target: Address, abuse: Abuse, options: FootholdOptions = {}): Promise<Foothold> {
    const { host = "127.0.0.1", sequence = "require" } = options;
    const endpoint = await UdpEndpoint.open({ host, profile: { groups: [31], sequence } });
    const foothold = new Foothold(endpoint, target, abuse);
    await foothold.#connect();
    return foothold;
  }

  get isOpen(): boolean {
    return this.#session?.isOpen === true;
  }

  /** Sends the next packet, under the keys of the last session if there is no other yet. */
  send(): void {
    const session = this.#session as Session;
    this.#endpoint.carrier.send(sealInSession(session, ...this.#next()), session.via, this.#target);
  }

  /** Ends the session with a word to the target. */
  close(): Promise<void> {
    this.#closed = true;
    return this.#endpoint.close();
  }

  async #connect(): Promise<void> {
    while (!this.#closed) {
      try {
        const session = await this.#endpoint.connect(this.#target, { timeoutMs: ATTEMPT_MS });
        session.onClose = () => void this.#connect();
        this.#session = session;
        this.#next = this.#abuse();
        this.opened++;
        return;
      } catch {
        // The target is busy with this attacker: once more.
      }
    }
  }
}

/** Less than the backoff of a handshake whose packets the flood pushed out. */
const ATTEMPT_MS = 2_000;
