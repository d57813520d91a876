import type { AmfObject, AmfValue } from "rtmfp-core/tc";

/**
 * Thrown by a handler that decides, to say no. By `onConnect` the client gets `NetConnection.Connect.Rejected`, then the
 * connection closes; by `onPublish` or `onPlay` it gets the status of the stream.
 */
export class Reject extends Error {
  /** What the client sees as `info.application`: any AMF value. */
  readonly application: AmfValue;
  /** What the client sees as `info.ex`: where to go instead, for {@link Reject.redirect}. */
  readonly ex: AmfObject | undefined;

  /** `description` is the text of the status event; default "Connection failed". */
  constructor(application: AmfValue = null, description = "Connection failed", ex?: AmfObject) {
    super(description);
    this.name = "Reject";
    this.application = application;
    this.ex = ex;
  }

  /**
   * Sends the client of `onConnect` elsewhere: it finds `url` in `info.ex.redirect`, with `info.ex.code` 302, and decides
   * itself whether to go there. `description` is "Connection failed" by default, as AMS has it.
   */
  static redirect(url: string, description?: string): Reject {
    return new Reject(null, description, { code: 302, redirect: url });
  }

  /** What the status event carries beside code and description. */
  get more(): AmfObject {
    const { application, ex } = this;
    return { ...(application === null ? {} : { application }), ...(ex === undefined ? {} : { ex }) };
  }
}
