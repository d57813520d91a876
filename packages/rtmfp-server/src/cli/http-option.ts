/** Where the HTTP side listens, as options say it. */
import { hostOf } from "../bindings.ts";

/** An address to listen on, or "off". */
export type HttpPlace = { readonly host: string; readonly port: number } | "off";

/** `PORT`, which means 127.0.0.1, `HOST:PORT` or `off`; undefined for anything else. */
export function parseHttp(text: string): HttpPlace | undefined {
  if (text === "off") return text;
  const match = /^(?:(.+):)?([0-9]{1,5})$/.exec(text);
  const host = hostOf(match?.[1] ?? "127.0.0.1");
  const port = Number(match?.[2]);
  // An IPv6 address without brackets would end in what looks like a port.
  const isBare = match?.[1]?.includes(":") === true && !match[1].startsWith("[");
  return match === null || host === undefined || isBare || port > 65_535 ? undefined : { host, port };
}
