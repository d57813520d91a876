/** What a connection needs of the server. */
import type { TreeClock } from "rtmfp-core/tc";
import type { Access } from "./access.ts";
import type { Applications } from "./applications.ts";
import type { Counters } from "./counters.ts";
import type { Groups } from "./groups.ts";
import type { IntroductionReport } from "./introductions.ts";
import type { KeyList } from "./key-list.ts";
import type { Logger } from "./log.ts";
import type { PeerEntry } from "./peers.ts";

/** Idle times after which sessions are probed, ms (RFC 7425 §5.3.4). */
export interface KeepaliveTimes {
  /** Of the client's session with the server. */
  readonly serverMs: number;
  /** Of its sessions with peers. */
  readonly peerMs: number;
}

/** See the file's head. `C` is the connection itself. */
export interface ConnectionHost<C = unknown> {
  readonly fingerprint: string;
  readonly introduceOnly: boolean;
  readonly legacyIdentity: boolean;
  readonly keepalive: KeepaliveTimes;
  readonly applications: Applications;
  /** Those of the moment; undefined where there is no application behind keys. */
  keys(): KeyList | undefined;
  readonly access: Access;
  readonly clock: TreeClock;
  readonly counters: Counters;
  readonly log: Logger;
  readonly groups: Groups;
  /** The client says what became of an introduction to, or by, that other peer. */
  onIntroductionReport(reporter: PeerEntry, otherId: string, report: IntroductionReport): void;
  /** The server takes no further clients. */
  isClosing(): boolean;
  /** A handler of an application threw what it should not. */
  onHandlerError(error: unknown): void;
  /** The connection has ended; `wasTold` if the client was refused or told to go. */
  onEnd(connection: C, wasTold: boolean): void;
}
