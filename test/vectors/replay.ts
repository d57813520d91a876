/** Replays a whole recording and counts. */
import {
  type CryptoProvider,
  createStartupCipher,
  DEFAULT_SESSION_KEY,
  deriveSessionKeys,
  type FlashPacketCipher,
} from "rtmfp-core/crypto";
import { same, show } from "./chunks.ts";
import { cipherOf, materialOf, type Protection, protectionOf } from "./ciphers.ts";
import { FlowMemory } from "./flow-memory.ts";
import { canPlay, playHandshake } from "./handshake.ts";
import { type Derivation, opposite, type RecordedSession, type Recording, type Role, type Scenario } from "./model.ts";
import { type Path, replayPacket } from "./packets.ts";

/** Something that came out differently. */
export interface Failure {
  readonly scenario: string;
  /** `packet 17`, or the derivation in words. */
  readonly what: string;
  readonly differences: readonly string[];
}

/** How many came out as recorded. */
export interface Count {
  readonly passed: number;
  readonly failed: number;
}

/** What a replay gave. */
export interface Report {
  readonly derivations: Count;
  /** Ends of handshakes played through the profile, counted among the derivations; `exact` gave the recorded bytes. */
  readonly handshakes: { readonly played: number; readonly exact: number };
  readonly packets: Count;
  readonly failures: readonly Failure[];
}

/** Derives and replays everything. A recording without packets counts as one failed packet. */
export function replay(recording: Recording, provider: CryptoProvider): Report {
  const replayer = new Replayer(provider);
  replayer.derive("file", recording.derivations);
  for (const scenario of recording.scenarios) replayer.scenario(scenario);
  return replayer.report();
}

class Replayer {
  readonly #provider: CryptoProvider;
  readonly #failures: Failure[] = [];
  readonly #derivations = { passed: 0, failed: 0 };
  readonly #packets = { passed: 0, failed: 0 };
  readonly #handshakes = { played: 0, exact: 0 };

  constructor(provider: CryptoProvider) {
    this.#provider = provider;
  }

  derive(scenario: string, derivations: readonly Derivation[]): void {
    for (const { what, expected, derive } of derivations) {
      const differences = attempt(() => {
        const value = derive(this.#provider);
        return same(value, expected) ? [] : [`is ${show(value)}, recorded ${show(expected)}`];
      });
      this.#count(this.#derivations, scenario, what, differences);
    }
  }

  scenario({ name, derivations, sessions, packets }: Scenario): void {
    this.derive(name, derivations);
    const ends = new Map(sessions.map((session) => [session, this.#ends(name, session)]));
    const startup = this.#startupPath();
    const flows = new FlowMemory();
    const paths = new Map<string, Path>();
    for (const packet of packets) {
      const differences = attempt(() => {
        if (packet.problem !== undefined) return [packet.problem];
        if (packet.session === undefined) return replayPacket(packet, startup, flows);
        const key = `${packet.session.name} ${packet.from}`;
        const path = paths.get(key) ?? this.#path(key, packet.session, packet.from, ends.get(packet.session));
        paths.set(key, path);
        return replayPacket(packet, path, flows);
      });
      this.#count(this.#packets, name, `packet ${packet.index}`, differences);
    }
    if (packets.length === 0) this.#count(this.#packets, name, "packets", ["there are none"]);
  }

  report(): Report {
    if (this.#packets.passed + this.#packets.failed === 0) {
      this.#count(this.#packets, "file", "packets", ["there are none"]);
    }
    return {
      derivations: this.#derivations,
      handshakes: this.#handshakes,
      packets: this.#packets,
      failures: this.#failures,
    };
  }

  /** The ciphers of both ends: the profile's where it came to the recorded component, else made from the secrets. */
  #ends(scenario: string, session: RecordedSession): Partial<Record<Role, FlashPacketCipher>> {
    const ciphers: Partial<Record<Role, FlashPacketCipher>> = {};
    for (const role of ["initiator", "responder"] as const) {
      if (canPlay(session, role)) {
        const differences = attempt(() => {
          const played = playHandshake(this.#provider, session, role);
          if (played.cipher !== undefined) ciphers[role] = played.cipher;
          return played.differences;
        });
        this.#handshakes.played++;
        if (ciphers[role] !== undefined) this.#handshakes.exact++;
        this.#count(this.#derivations, scenario, `handshake of ${session.name}'s ${role}`, differences);
      }
      const differences = attempt(() => {
        ciphers[role] ??= cipherOf(this.#provider, session, role);
        return [];
      });
      if (differences.length > 0) this.#count(this.#derivations, scenario, `cipher of ${session.name}`, differences);
    }
    return ciphers;
  }

  #path(
    name: string,
    session: RecordedSession,
    from: Role,
    ends: Partial<Record<Role, FlashPacketCipher>> | undefined,
  ): Path {
    const [sender, receiver] = [ends?.[from], ends?.[opposite(from)]];
    if (sender === undefined || receiver === undefined) throw new RangeError("its session has no keys");
    const key = deriveSessionKeys(this.#provider, materialOf(session, from)).encryptKey.subarray(0, AES_KEY_BYTES);
    return { name, sender, receiver, protection: protectionOf(session, from), key };
  }

  #startupPath(): Path {
    const protection: Protection = { hmacLength: 0, sequence: false };
    const cipher = createStartupCipher(this.#provider);
    return { name: "startup", sender: cipher, receiver: cipher, protection, key: DEFAULT_SESSION_KEY };
  }

  #count(
    counter: { passed: number; failed: number },
    scenario: string,
    what: string,
    differences: readonly string[],
  ): void {
    if (differences.length === 0) counter.passed++;
    else {
      counter.failed++;
      this.#failures.push({ scenario, what, differences });
    }
  }
}

/** Differences that `run` finds; an exception is one. */
function attempt(run: () => readonly string[]): readonly string[] {
  try {
    return run();
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}

const AES_KEY_BYTES = 16;
