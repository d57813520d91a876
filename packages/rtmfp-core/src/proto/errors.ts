/** Errors that a caller of the core can cause. What the network does is counted, never thrown. */

/** Stable codes of {@link RtmfpError}. */
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

/** Thrown or rejected with a stable {@link code}; the message is one line that says what is wrong. */
export class RtmfpError extends Error {
  readonly code: string;
  /** Payload of the status event behind the error, if there is one. */
  readonly info: unknown;

  constructor(code: RtmfpErrorCode | (string & {}), message: string, info?: unknown) {
    super(message);
    this.name = "RtmfpError";
    this.code = code;
    this.info = info;
  }
}
