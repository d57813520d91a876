import type { AmfValue } from "rtmfp-core/tc";

/**
 * Thrown by `onConnect` to refuse a client: it gets `NetConnection.Connect.Rejected`, then the connection closes.
 * Whatever else a handler throws refuses the client too, without telling it why.
 */
export class Reject extends Error {
  /** What the client sees as `info.application`: any AMF value. */
  readonly application: AmfValue;

  /** `description` is the text of the status event; default "Connection failed". */
  constructor(application: AmfValue = null, description = "Connection failed") {
    super(description);
    this.name = "Reject";
    this.application = application;
  }
}
