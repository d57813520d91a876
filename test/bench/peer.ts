/** Runs the benchmark program of rtmfp-cpp: a server and a client process, which report in lines of JSON. */
import { type ChildProcess, spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { createInterface } from "node:readline";

/** What its client can do. */
export type PeerMode = "bulk" | "ping" | "hs";

/** What its processes said, by role. */
export interface PeerFigures {
  readonly sender: Readonly<Record<string, number>>;
  readonly receiver: Readonly<Record<string, number>>;
}

/** Rejects if a process fails or says nothing for too long. */
export async function runPeer(program: string, mode: PeerMode, args: readonly string[]): Promise<PeerFigures> {
  const common = ["-p", String(await freePort()), "-t", String(LIMIT_S), ...args];
  const server = new Peer(program, ["server", ...common]);
  try {
    await server.line("server");
    const client = new Peer(program, [mode, ...common]);
    try {
      const sender = await client.line(mode === "bulk" ? "sender" : mode);
      return { sender, receiver: mode === "bulk" ? await server.line("receiver") : {} };
    } finally {
      client.stop();
    }
  } finally {
    server.stop();
  }
}

class Peer {
  readonly #child: ChildProcess;
  readonly #lines = new Map<string, Record<string, number>>();
  #news: () => void = () => {};
  #ended: string | undefined;

  constructor(program: string, args: readonly string[]) {
    this.#child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
    if (this.#child.stdout !== null) {
      createInterface({ input: this.#child.stdout }).on("line", (line) => {
        if (!line.startsWith("{")) return;
        const { role, ...figures } = JSON.parse(line);
        this.#lines.set(role, figures);
        this.#news();
      });
    }
    const onEnd = (why: string): void => {
      this.#ended = `${program} ${args[0]}: ${why}`;
      this.#news();
    };
    this.#child.once("error", (error) => onEnd(error.message));
    this.#child.once("close", (code, signal) => onEnd(`ended by ${signal ?? `code ${code}`} without a result`));
  }

  /** The line of a role, once it is there. */
  async line(role: string): Promise<Record<string, number>> {
    for (;;) {
      const found = this.#lines.get(role);
      if (found !== undefined) return found;
      if (this.#ended !== undefined) throw new Error(this.#ended);
      await new Promise<void>((resolve) => {
        this.#news = resolve;
      });
    }
  }

  stop(): void {
    this.#child.kill("SIGKILL");
  }
}

/** A UDP port that was free a moment ago: the program takes no 0. */
function freePort(): Promise<number> {
  const socket = createSocket("udp4");
  return new Promise((resolve) => {
    socket.bind(0, "127.0.0.1", () => {
      const { port } = socket.address();
      socket.close(() => resolve(port));
    });
  });
}

/** After that long its processes give up by themselves. */
const LIMIT_S = 120;
