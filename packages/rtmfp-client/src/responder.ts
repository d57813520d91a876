/** Takes the answer to a call, as in ActionScript. */
import type { AmfValue } from "rtmfp-core/tc";

export class Responder {
  readonly onResult: (value: AmfValue) => void;
  readonly onStatus: ((error: AmfValue) => void) | undefined;

  /** `status` is called instead of `result` when the call failed. */
  constructor(result: (value: AmfValue) => void, status?: (error: AmfValue) => void) {
    this.onResult = result;
    this.onStatus = status;
  }
}
