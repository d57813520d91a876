/** What moving a stream has cost: the figures of Flash's NetStreamMulticastInfo. */

/**
 * Bytes and fragments since the stream began, and rates of the last second. Bytes are those of messages, without the headers of
 * RTMFP. Servers and IP multicast do not carry streams of groups here: their figures are 0.
 */
export interface MulticastInfo {
  /** Fragments sent to neighbours, bytes/s. */
  readonly sendDataBytesPerSecond: number;
  /** Announcements, maps, masks and pulls sent to neighbours, bytes/s. */
  readonly sendControlBytesPerSecond: number;
  /** Fragments received from neighbours, bytes/s. */
  readonly receiveDataBytesPerSecond: number;
  /** Announcements, maps, masks and pulls received, bytes/s. */
  readonly receiveControlBytesPerSecond: number;
  /** Sent to neighbours as it came, by stripes. */
  readonly bytesPushedToPeers: number;
  /** Fragments of these. */
  readonly fragmentsPushedToPeers: number;
  /** Received likewise. */
  readonly bytesPushedFromPeers: number;
  /** Fragments of these. */
  readonly fragmentsPushedFromPeers: number;
  /** Sent because neighbours asked for them. */
  readonly bytesRequestedByPeers: number;
  /** Fragments of these. */
  readonly fragmentsRequestedByPeers: number;
  /** Received because we asked for them. */
  readonly bytesRequestedFromPeers: number;
  /** Fragments of these. */
  readonly fragmentsRequestedFromPeers: number;
  /** 0. */
  readonly sendControlBytesPerSecondToServer: number;
  /** 0. */
  readonly receiveDataBytesPerSecondFromServer: number;
  /** 0. */
  readonly bytesReceivedFromServer: number;
  /** 0. */
  readonly fragmentsReceivedFromServer: number;
  /** 0. */
  readonly receiveDataBytesPerSecondFromIPMulticast: number;
  /** 0. */
  readonly bytesReceivedFromIPMulticast: number;
  /** 0. */
  readonly fragmentsReceivedFromIPMulticast: number;
}

/** Counts for one stream name. */
export class MulticastCounters {
  pushedToBytes = 0;
  pushedTo = 0;
  pushedFromBytes = 0;
  pushedFrom = 0;
  requestedByBytes = 0;
  requestedBy = 0;
  requestedFromBytes = 0;
  requestedFrom = 0;
  controlSentBytes = 0;
  controlReceivedBytes = 0;
  /** Totals when the last whole second ended, and what that second brought. */
  #at = 0;
  readonly #before: Totals = [0, 0, 0, 0];
  readonly #rates: Totals = [0, 0, 0, 0];

  /** Ends the second that is under way once it is over; call it often. */
  tick(now: number): void {
    const ms = now - this.#at;
    if (ms < RATE_MS) return;
    const { sent, received } = this;
    const totals: Totals = [sent, this.controlSentBytes, received, this.controlReceivedBytes];
    for (let i = 0; i < totals.length; i++) {
      this.#rates[i] = ((totals[i]! - this.#before[i]!) * 1_000) / ms;
      this.#before[i] = totals[i]!;
    }
    this.#at = now;
  }

  /** Bytes of fragments sent. */
  get sent(): number {
    return this.pushedToBytes + this.requestedByBytes;
  }

  /** Bytes of fragments received, those that were there already included. */
  get received(): number {
    return this.pushedFromBytes + this.requestedFromBytes;
  }

  /** The figures at present; a new object. */
  get info(): MulticastInfo {
    const [sendData, sendControl, receiveData, receiveControl] = this.#rates;
    return {
      sendDataBytesPerSecond: sendData,
      sendControlBytesPerSecond: sendControl,
      receiveDataBytesPerSecond: receiveData,
      receiveControlBytesPerSecond: receiveControl,
      bytesPushedToPeers: this.pushedToBytes,
      fragmentsPushedToPeers: this.pushedTo,
      bytesPushedFromPeers: this.pushedFromBytes,
      fragmentsPushedFromPeers: this.pushedFrom,
      bytesRequestedByPeers: this.requestedByBytes,
      fragmentsRequestedByPeers: this.requestedBy,
      bytesRequestedFromPeers: this.requestedFromBytes,
      fragmentsRequestedFromPeers: this.requestedFrom,
      sendControlBytesPerSecondToServer: 0,
      receiveDataBytesPerSecondFromServer: 0,
      bytesReceivedFromServer: 0,
      fragmentsReceivedFromServer: 0,
      receiveDataBytesPerSecondFromIPMulticast: 0,
      bytesReceivedFromIPMulticast: 0,
      fragmentsReceivedFromIPMulticast: 0,
    };
  }
}

/** Of a stream that is not under way. */
export const NO_MULTICAST_INFO: MulticastInfo = new MulticastCounters().info;

type Totals = [number, number, number, number];
const RATE_MS = 1_000;
