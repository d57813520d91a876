/** Takes the answer to a call, as in ActionScript. */
import type { AmfValue } from "rtmfp-core/tc";

/** Takes the answer to a call, as in ActionScript. */
export class Responder {
  /** Called with the reply. */
  readonly onResult: (value: AmfValue) => void;
  /** Called with the error. */
  readonly onStatus: ((error: AmfValue) => void) | undefined;

  /** `status` is called instead of `result` when the call failed; without it failures are silent. */
  constructor(result: (value: AmfValue) => void, status?: (error: AmfValue) => void) {
    this.onResult = result;
    this.onStatus = status;
  }
}
