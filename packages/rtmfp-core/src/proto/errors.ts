/** Errors that a caller of the core can cause. What the network does is counted, never thrown. */

/** Stable codes of {@link RtmfpError}, our own: no RFC names them. */
export type RtmfpErrorCode =
  | "BAD_ARGUMENT"
  | "FLOW_BUFFER_FULL"
  | "FLOW_CLOSED"
  | "SESSION_CLOSED"
  | "ENDPOINT_CLOSED"
  | "CONNECT_TIMEOUT"
  | "CONNECT_FAILED"
  | "CONNECT_ABORTED"
  | "RESOLVE_FAILED"
  | "LISTEN_FAILED";

/** Thrown or rejected with a stable {@link code}, our own; the message is one line that says what is wrong. */
export class RtmfpError extends Error {
  /** A {@link RtmfpErrorCode}, or the NetStatus code behind the error. */
  readonly code: string;
  /** Payload of the status event behind the error, if there is one. */
  readonly info: unknown;

  /** `info` is undefined unless a status event is behind the error. */
  constructor(code: RtmfpErrorCode | (string & {}), message: string, info?: unknown) {
    super(message);
    this.name = "RtmfpError";
    this.code = code;
    this.info = info;
  }
}

/** Whether the far end has ended what was to be used: nobody is left to answer or to tell. */
export function isGone(error: unknown): boolean {
  return error instanceof RtmfpError && (error.code === "FLOW_CLOSED" || error.code === "SESSION_CLOSED");
}
