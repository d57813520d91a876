/** What the command tells: events as JSON on stdout, or lines for people on stderr. */
import { LOG_LEVELS, type LogEntry, type LogLevel } from "./log.ts";

/** Where a reporter writes, and what it tells the time by. */
export interface ReporterOutput {
  out(line: string): void;
  err(line: string): void;
  /** Milliseconds since 1970. */
  now(): number;
}

/** Writes each event once, in the form that was asked for. */
export class Reporter {
  readonly #json: boolean;
  #most = 0;
  readonly #output: ReporterOutput;

  constructor(json: boolean, level: LogLevel, output: ReporterOutput = PROCESS_OUTPUT) {
    this.#json = json;
    this.#output = output;
    this.level = level;
  }

  /** Entries below it are left out. */
  set level(level: LogLevel) {
    this.#most = LOG_LEVELS.indexOf(level);
  }

  /** An event of the command's contract; people read `line` instead. */
  event(event: string, fields: object, line: string): void {
    if (this.#json) this.#write(event, fields);
    else this.#output.err(line);
  }

  /** An entry of the log, unless it is below the level asked for. */
  log(entry: LogEntry): void {
    if (LOG_LEVELS.indexOf(entry.level) > this.#most) return;
    if (this.#json) {
      this.#write(entry.event, { level: entry.level, ...entry.fields });
      return;
    }
    const time = new Date(this.#output.now()).toISOString().slice(11, 19);
    const fields = Object.entries(entry.fields).map(([name, value]) =>
      name === "message" ? oneLine(String(value)) : `${name}=${quoted(oneLine(String(value)))}`,
    );
    const level = entry.level === "info" || entry.level === "debug" ? "" : `${entry.level}: `;
    this.#output.err([time, `${level}${entry.event}`, ...fields].join(" "));
  }

  #write(event: string, fields: object): void {
    this.#output.out(JSON.stringify({ event, ts: this.#output.now(), ...fields }));
  }
}

/** Names come from clients: they must neither begin a line nor speak to the terminal. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu, (c) => `\\u{${c.charCodeAt(0).toString(16)}}`);
}

/** What has spaces would end where it does not. */
function quoted(text: string): string {
  return /[\s"]/.test(text) ? `"${text.replace(/["\\]/g, "\\$&")}"` : text;
}

const PROCESS_OUTPUT: ReporterOutput = {
  out: (line) => process.stdout.write(`${line}\n`),
  err: (line) => process.stderr.write(`${line}\n`),
  now: () => Date.now(),
};
