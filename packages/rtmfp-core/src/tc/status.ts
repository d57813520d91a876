/**
 * NetStatus events: every code, its level, and what its info object carries. The source is
 * Adobe's ActionScript API: the codes are not in the RFCs.
 */
import { type AmfObject, type AmfValue, emptyObject, namedValues } from "./amf.ts";
import { STATUS_TABLE } from "./status-table.ts";

/** A NetStatus code, such as `"NetConnection.Connect.Success"`. */
export type StatusCode = keyof typeof STATUS_TABLE;

/** How serious an event is. */
export type StatusLevel = "status" | "warning" | "error";

/** The level of a code. */
export type LevelOf<C extends StatusCode> = (typeof STATUS_TABLE)[C]["level"];

/** What the info object of a code carries besides `code`, `level`, `description` and `details`. */
export type PayloadOf<C extends StatusCode, Stream = unknown, Group = unknown> = (typeof STATUS_TABLE)[C] extends {
  readonly payload: infer P;
}
  ? { readonly [K in keyof P as P[K] extends `${string}?` ? never : K]: Kind<P[K], Stream, Group> } & {
      readonly [K in keyof P as P[K] extends `${string}?` ? K : never]?: Kind<P[K], Stream, Group>;
    }
  : unknown;

/**
 * One NetStatus event; `code` tells which, and narrows the rest. `Stream` and `Group` are the types of the objects that
 * `info.stream` and `info.group` name; they never travel.
 */
export type StatusEvent<Stream = unknown, Group = unknown> = {
  [C in StatusCode]: {
    readonly code: C;
    readonly level: LevelOf<C>;
    /** For people; not part of the contract. */
    readonly description?: string;
    /** Mostly the name of the stream. */
    readonly details?: string;
  } & PayloadOf<C, Stream, Group>;
}[StatusCode];

/** Whether `code` is one of {@link StatusCode}. */
export function isStatusCode(code: unknown): code is StatusCode {
  return typeof code === "string" && Object.hasOwn(STATUS_TABLE, code);
}

/** The level that belongs to a code. */
export function levelOf<C extends StatusCode>(code: C): LevelOf<C> {
  return STATUS_TABLE[code].level;
}

/** Whether a code is missing in the table of Adobe's ActionScript reference: other servers, or this one, send it. */
export function isBeyondAdobe(code: StatusCode): boolean {
  return "beyondAdobe" in STATUS_TABLE[code];
}

/**
 * An info object to be sent: `level` and `code` as the table has them, the description, and whatever `more` adds.
 * Default: an empty description, and no more.
 */
export function statusInfo(code: StatusCode, description = "", more: AmfObject = {}): AmfObject {
  const info = emptyObject();
  info["level"] = levelOf(code);
  info["code"] = code;
  info["description"] = description;
  for (const name of Object.keys(more)) info[name] = more[name];
  return info;
}

/**
 * The event in an info object received. `undefined` when it is none: no object, a code that is not in the table, or a
 * payload without what the code promises. The level comes from the table, whatever the sender wrote.
 */
export function parseStatus(info: AmfValue): StatusEvent | undefined {
  const values = namedValues(info);
  const code = values?.["code"];
  if (values === undefined || !isStatusCode(code)) return undefined;
  const event: Record<string, unknown> = { code, level: levelOf(code) };
  for (const name of ["description", "details"]) {
    if (typeof values[name] === "string") event[name] = values[name];
  }
  for (const [name, kind] of Object.entries(payloadKinds(code))) {
    const value = values[name];
    if (name in values && fits(value, kind.replace("?", ""))) event[name] = value;
    else if (!kind.endsWith("?")) return undefined;
  }
  return event as StatusEvent;
}

type Kind<K, Stream, Group> = K extends "string" | "string?"
  ? string
  : K extends "number" | "number?"
    ? number
    : K extends "boolean" | "boolean?"
      ? boolean
      : K extends "stream" | "stream?"
        ? Stream
        : K extends "group" | "group?"
          ? Group
          : AmfValue;

function payloadKinds(code: StatusCode): Readonly<Record<string, string>> {
  const entry = STATUS_TABLE[code];
  return "payload" in entry ? entry.payload : {};
}

function fits(value: AmfValue, kind: string): boolean {
  if (kind === "any") return true;
  return kind === typeof value;
}
