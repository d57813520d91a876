/** What a command tells: events as JSON, or lines for people. */

/** From the gravest to the least. */
export const LOG_LEVELS = ["error", "warn", "info", "debug"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface ReporterOptions {
  readonly json: boolean;
  readonly level: LogLevel;
  /** True if stdout carries media: events go to stderr. */
  readonly stdoutIsTaken?: boolean;
}

/** Without `json`, stdout carries only data and people read stderr. */
export class Reporter {
  readonly json: boolean;
  /** Stdout carries media. */
  readonly stdoutIsTaken: boolean;
  readonly #most: number;
  #hasProgress = false;

  constructor(options: ReporterOptions) {
    this.json = options.json;
    this.#most = LOG_LEVELS.indexOf(options.level);
    this.stdoutIsTaken = options.stdoutIsTaken ?? false;
  }

  /** An event of the command's contract; people read `line` instead. */
  event(event: string, fields: object, line: string): void {
    if (this.json) this.#write(event, fields);
    else this.#line(line);
  }

  /** Anything else worth knowing, unless it is below the level asked for. */
  log(level: LogLevel, event: string, fields: object, line: string): void {
    if (LOG_LEVELS.indexOf(level) > this.#most) return;
    if (this.json) this.#write(event, { level, ...fields });
    else this.#line(level === "info" ? line : `${level}: ${line}`);
  }

  /** The last line of a command that failed. */
  failure(line: string): void {
    this.#line(`rtmfp-client: ${line}`);
  }

  /** How far long work is; a terminal shows it in place, a pipe stays quiet. */
  progress(line: string): void {
    if (this.json || !process.stderr.isTTY || this.#most < LOG_LEVELS.indexOf("info")) return;
    this.#hasProgress = true;
    process.stderr.write(`\r${CLEAR_LINE}${line}`);
  }

  #line(line: string): void {
    // Servers and peers have words of their own in it, which shall move no cursor.
    const plain = line.replaceAll(/[^\P{Cc}\n]/gu, "\u{fffd}");
    process.stderr.write(this.#hasProgress ? `\r${CLEAR_LINE}${plain}\n` : `${plain}\n`);
    this.#hasProgress = false;
  }

  #write(event: string, fields: object): void {
    const line = `${JSON.stringify({ event, ts: Date.now(), ...fields })}\n`;
    if (this.stdoutIsTaken) process.stderr.write(line);
    else process.stdout.write(line);
  }
}

/** Erases to the end of the line (ECMA-48). */
const CLEAR_LINE = "\u001b[K";
