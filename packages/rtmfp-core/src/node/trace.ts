/** Traces: decrypted packets and session secrets as JSON lines, which `vectors` replays. See docs/trace.md. */
import { type FileHandle, open } from "node:fs/promises";
import { formatAddress } from "../proto/address.ts";
import type { EndpointConfig, SessionTraceRecord, TraceRecord } from "../proto/config.ts";

/** Settings of {@link openTrace}. */
export interface TraceOptions {
  /** Told in one line, once for each, when the file cannot be written or packets are left out. Default: nobody is told. */
  readonly onWarning?: (message: string) => void;
}

/** An open trace. */
export interface Trace {
  /** To be spread into the options of one endpoint or several, whose profiles are made with `exposeSecrets: true`. */
  readonly hooks: Required<Pick<EndpointConfig, "trace" | "traceSession">>;
  /** Writes what is buffered and closes the file. Never rejects. */
  close(): Promise<void>;
}

/**
 * Starts a trace in a file that only its owner can read (mode 0600); an existing file is replaced. The file holds
 * the secrets of every session. Rejects with the system's error if it cannot be created. Later the hooks never throw
 * and never wait: what cannot be written is left out, with a warning.
 */
export async function openTrace(path: string, options: TraceOptions = {}): Promise<Trace> {
  const handle = await open(path, "w", OWNER_ONLY);
  // The mode above is for new files; a device keeps its own.
  if ((await handle.stat()).isFile()) await handle.chmod(OWNER_ONLY);
  const file = new TraceFile(path, handle, options.onWarning);
  file.put(line({ format: "rtmfp-trace", version: 1, warning: WARNING, startedAt: new Date().toISOString() }));
  return {
    hooks: {
      trace: (record) => file.putPacket(packetLine(record)),
      traceSession: (record) => {
        if (record.keys.secrets === undefined)
          file.warn("secrets", "it lacks secrets: set exposeSecrets in the profile");
        file.put(sessionLine(record));
      },
    },
    close: () => file.close(),
  };
}

/** Lines on their way to the file, written in batches, one after another. */
class TraceFile {
  readonly #path: string;
  readonly #handle: FileHandle;
  readonly #onWarning: ((message: string) => void) | undefined;
  readonly #warned = new Set<string>();
  #pending: string[] = [];
  #pendingChars = 0;
  #leftOut = 0;
  #ended = false;
  #writing: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(path: string, handle: FileHandle, onWarning: ((message: string) => void) | undefined) {
    this.#path = path;
    this.#handle = handle;
    this.#onWarning = onWarning;
  }

  put(text: string): void {
    if (this.#ended) return;
    this.#pending.push(text);
    this.#pendingChars += text.length;
    this.#writing ??= this.#write();
  }

  /** Leaves the line out while too much waits, so that a slow disk does not fill the memory. */
  putPacket(text: string): void {
    if (this.#pendingChars > MAX_PENDING_CHARS) {
      this.#leftOut++;
      this.warn("slow", "the disk is too slow; packets are left out");
      return;
    }
    if (this.#leftOut > 0) this.put(line({ type: "gap", packets: this.#leftOut }));
    this.#leftOut = 0;
    this.put(text);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  warn(kind: string, message: string): void {
    if (this.#warned.has(kind)) return;
    this.#warned.add(kind);
    this.#onWarning?.(`trace ${this.#path}: ${message}`);
  }

  async #close(): Promise<void> {
    if (this.#leftOut > 0) this.put(line({ type: "gap", packets: this.#leftOut }));
    this.#ended = true;
    await this.#writing;
    await this.#handle.close().catch(() => undefined);
  }

  async #write(): Promise<void> {
    while (this.#pending.length > 0) {
      const batch = this.#pending.join("");
      this.#pending = [];
      try {
        await this.#handle.appendFile(batch);
      } catch (error) {
        this.#ended = true;
        this.#pending = [];
        this.warn("failed", `it ends here: ${(error as Error).message}`);
      }
      this.#pendingChars = this.#pending.reduce((sum, text) => sum + text.length, 0);
    }
    this.#writing = undefined;
  }
}

function packetLine(record: TraceRecord): string {
  return line({
    type: "packet",
    ts: record.now,
    dir: record.direction,
    via: record.via,
    peer: formatAddress(record.peer),
    sessionId: record.sessionId,
    session: record.session,
    startup: record.startup,
    raw: hex(record.datagram),
    plain: hex(record.packet),
  });
}

function sessionLine({ now, role, nearId, farId, peer, peerId, keys }: SessionTraceRecord): string {
  const { secrets } = keys;
  return line({
    type: "session",
    ts: now,
    role,
    nearId,
    farId,
    peer: formatAddress(peer),
    peerId,
    security: keys.description,
    nearNonce: hex(keys.nearNonce),
    farNonce: hex(keys.farNonce),
    dhSecret: secrets && hex(secrets.dhSecret),
    nearComponent: secrets && hex(secrets.nearComponent),
    farComponent: secrets && hex(secrets.farComponent),
  });
}

function line(value: Readonly<Record<string, unknown>>): string {
  return `${JSON.stringify(value)}\n`;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex");
}

const OWNER_ONLY = 0o600;
const WARNING = "contains session secrets and everything that was sent; share it only with whom you trust with both";
/** About 16 MB of text. */
const MAX_PENDING_CHARS: number = 16 * 1024 * 1024;
