/** Takes the answer to a call, as in ActionScript. */
import { RtmfpError } from "rtmfp-core";
import type { AmfValue } from "rtmfp-core/tc";

/** What ActionScript does not have. */
export interface ResponderOptions {
  /** Gives up waiting; the server may do what it was asked all the same. Default: none. */
  readonly signal?: AbortSignal;
  /** How long to wait for the answer; ms. Default: as long as the connection lasts. */
  readonly timeoutMs?: number;
}

/** Takes the answer to a call, as in ActionScript. */
export class Responder {
  /** Called with the reply. What it throws is an uncaught exception of its own; so for {@link onStatus}. */
  readonly onResult: ((value: AmfValue) => void) | null;
  /** Called with the error event. */
  readonly onStatus: ((error: AmfValue) => void) | null;
  /** How long the answer is waited for. */
  readonly options: ResponderOptions;

  /**
   * `status`, by default null, is called instead of `result` when the call failed. Throws BAD_ARGUMENT for a `timeoutMs`
   * below 0.
   */
  constructor(
    result: ((value: AmfValue) => void) | null,
    status: ((error: AmfValue) => void) | null = null,
    options: ResponderOptions = {},
  ) {
    const { timeoutMs } = options;
    if (timeoutMs !== undefined && !(timeoutMs >= 0))
      throw new RtmfpError("BAD_ARGUMENT", `timeoutMs: expected a time of 0 ms or more, got ${timeoutMs}`);
    this.onResult = result;
    this.onStatus = status;
    this.options = options;
  }
}
