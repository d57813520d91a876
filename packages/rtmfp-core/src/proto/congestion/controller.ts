/** What a session asks of a congestion control algorithm (§3.5.2). Sizes in bytes. § means RFC 7016. */

/** Decides how much user data may be outstanding in a session. */
export interface CongestionController {
  /** New data may be sent while fewer bytes than this are outstanding. */
  readonly window: number;
  /** After all acknowledgements of one received packet. */
  onAck(event: AckEvent): void;
  /** The session sends with datagrams of up to that many bytes from now on, 1200 at first. */
  onDatagramBytes?(bytes: number): void;
  /** The retransmission timeout fired; `lost` tells whether anything was in flight. */
  onTimeout(lost: boolean): void;
}

/** What one packet with acknowledgements said. */
export interface AckEvent {
  /** When it arrived, ms of the endpoint's clock. */
  now: number;
  /** Bytes that were in flight and are now acknowledged. */
  ackedBytes: number;
  /** Bytes outstanding in the session before this packet, and those before it in the same turn. */
  preAckOutstanding: number;
  /** At least one fragment was declared lost that was sent after the loss before was noticed. */
  lost: boolean;
  /** At least one negative acknowledgement was counted. */
  nak: boolean;
  /** We sent time-critical data, in any session, within the last 800 ms (§3.5.2.1). */
  timeCriticalSent: boolean;
  /** False while we or the far end's other senders carry time-critical data (§A.2). */
  fastGrowAllowed: boolean;
}

/** Makes the controller of a new session. */
export type CongestionFactory = () => CongestionController;
