/** Which application a `connect` asks for. */
import { type AmfValue, parseRtmfpUri } from "rtmfp-core/tc";
import { CHECK_APPLICATION } from "./check-name.ts";

/** The first segment of the path, and the others joined by `/`; both may be empty. */
export interface ApplicationPath {
  readonly name: string;
  readonly instance: string;
}

/** From `app` in the object of the `connect` command, or else from `tcUrl`; a query is left out. */
export function applicationPath(connectObject: Readonly<Record<string, AmfValue>>): ApplicationPath {
  const { app, tcUrl } = connectObject;
  const path = typeof app === "string" ? app : pathOf(tcUrl);
  const [name = "", ...others] = path
    .replace(/\?.*$/s, "")
    .split("/")
    .filter((segment) => segment !== "");
  if (name === "" && hostOf(tcUrl) === ADOBE_CHECK_HOST) return { name: CHECK_APPLICATION, instance: "" };
  return { name: name.slice(0, MAX_PATH), instance: others.join("/").slice(0, MAX_PATH) };
}

function hostOf(tcUrl: AmfValue): string {
  const uri = typeof tcUrl === "string" && URL.canParse(tcUrl) ? new URL(tcUrl) : undefined;
  return uri?.hostname.toLowerCase() ?? "";
}

function pathOf(tcUrl: AmfValue): string {
  if (typeof tcUrl !== "string") return "";
  try {
    const uri = parseRtmfpUri(tcUrl);
    return uri.kind === "server" ? `${uri.app}/${uri.instance}` : "";
  } catch {
    return "";
  }
}

/** Programs that knew Adobe's connectivity checker ask this host, without a path. */
const ADOBE_CHECK_HOST = "cc.rtmfp.net";
/** Longest name and longest instance, in UTF-16 units. */
const MAX_PATH = 1_024;
