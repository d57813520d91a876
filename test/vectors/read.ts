/** Finds out the format of a file and reads it. */
import { FormatError, isObject } from "./json.ts";
import type { Recording } from "./model.ts";
import { isMona, readMona } from "./mona.ts";
import { isRtmfpCpp, readRtmfpCpp } from "./rtmfp-cpp.ts";
import { isTrace, readTrace } from "./trace.ts";

/** Reads a file of any known format. Throws {@link FormatError} for all else. */
export function readRecording(text: string): Recording {
  if (isTrace(text.slice(0, Math.max(0, text.indexOf("\n"))))) return readTrace(text);
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch {
    throw new FormatError("it is not JSON, nor a trace");
  }
  if (isObject(file)) {
    if (isMona(file)) return readMona(file);
    if (isRtmfpCpp(file)) return readRtmfpCpp(file);
    if (Array.isArray(file["scenarios"]) && file["scenarios"].length === 0) {
      return { format: "empty", derivations: [], scenarios: [] };
    }
  }
  throw new FormatError("it holds no recorded vectors; README.md in test/vectors names the formats");
}
