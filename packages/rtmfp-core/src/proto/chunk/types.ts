/** Chunk type codes and the decoded form of every chunk (§2.3). § means RFC 7016. */
import type { WireAddress } from "../address.ts";
import type { Option } from "../option.ts";

/** Chunk type codes (§2.3). */
export const ChunkType = {
  padding0: 0x00,
  ping: 0x01,
  closeRequest: 0x0c,
  forwardedIHello: 0x0f,
  userData: 0x10,
  nextUserData: 0x11,
  bufferProbe: 0x18,
  iHello: 0x30,
  iiKeying: 0x38,
  pingReply: 0x41,
  closeAck: 0x4c,
  ackBitmap: 0x50,
  ackRanges: 0x51,
  flowException: 0x5e,
  rHello: 0x70,
  redirect: 0x71,
  riKeying: 0x78,
  cookieChange: 0x79,
  fragment: 0x7f,
  padding255: 0xff,
} as const;

/** Packet Fragment (§2.3.1). */
export interface FragmentChunk {
  readonly type: typeof ChunkType.fragment;
  /** False on the last fragment. */
  readonly more: boolean;
  readonly packetId: number;
  readonly index: number;
  readonly data: Uint8Array;
}

/** Initiator Hello (§2.3.2). */
export interface IHelloChunk {
  readonly type: typeof ChunkType.iHello;
  readonly epd: Uint8Array;
  readonly tag: Uint8Array;
}

/** Forwarded Initiator Hello (§2.3.3). */
export interface ForwardedIHelloChunk {
  readonly type: typeof ChunkType.forwardedIHello;
  readonly epd: Uint8Array;
  readonly replyAddress: WireAddress;
  readonly tag: Uint8Array;
}

/** Responder Hello (§2.3.4). */
export interface RHelloChunk {
  readonly type: typeof ChunkType.rHello;
  readonly tagEcho: Uint8Array;
  readonly cookie: Uint8Array;
  readonly certificate: Uint8Array;
}

/** Responder Redirect (§2.3.5). No destinations means Implied Redirect. */
export interface RedirectChunk {
  readonly type: typeof ChunkType.redirect;
  readonly tagEcho: Uint8Array;
  readonly destinations: readonly WireAddress[];
}

/** RHello Cookie Change (§2.3.6). */
export interface CookieChangeChunk {
  readonly type: typeof ChunkType.cookieChange;
  readonly oldCookie: Uint8Array;
  readonly newCookie: Uint8Array;
}

/** Initiator Initial Keying (§2.3.7). `signedParameters` is filled on decoding: all payload before the signature. */
export interface IIKeyingChunk {
  readonly type: typeof ChunkType.iiKeying;
  /** Unsigned 32 bits. */
  readonly initiatorSessionId: number;
  readonly cookieEcho: Uint8Array;
  readonly certificate: Uint8Array;
  readonly skic: Uint8Array;
  readonly signature: Uint8Array;
  readonly signedParameters?: Uint8Array;
}

/** Responder Initial Keying (§2.3.8). `signedParameters` lacks the SKIC that the signature also covers. */
export interface RIKeyingChunk {
  readonly type: typeof ChunkType.riKeying;
  /** Unsigned 32 bits. */
  readonly responderSessionId: number;
  readonly skrc: Uint8Array;
  readonly signature: Uint8Array;
  readonly signedParameters?: Uint8Array;
}

/** Ping (§2.3.9) and Ping Reply (§2.3.10). */
export interface PingChunk {
  readonly type: typeof ChunkType.ping | typeof ChunkType.pingReply;
  readonly message: Uint8Array;
}

/** Fragment control (§2.3.11): place of a fragment in its message. */
export const FragmentControl = { whole: 0, begin: 1, end: 2, middle: 3 } as const;
export type FragmentControl = (typeof FragmentControl)[keyof typeof FragmentControl];

/** User Data flag bits (§2.3.11). */
export const UserDataFlag = { options: 0x80, abandon: 0x02, final: 0x01, reserved: 0x4c } as const;

/**
 * User Data (§2.3.11) or Next User Data (§2.3.12). A Next User Data chunk carries no numbers: the decoder leaves
 * flowId, sequenceNumber and fsnOffset 0 and the receiver takes them from the chunk before.
 */
export interface UserDataChunk {
  readonly type: typeof ChunkType.userData | typeof ChunkType.nextUserData;
  /** Option-present, reserved, fragment control, abandon and final bits as on the wire. */
  readonly flags: number;
  readonly flowId: number;
  readonly sequenceNumber: number;
  readonly fsnOffset: number;
  /** Undefined if the flag is clear. */
  readonly options: readonly Option[] | undefined;
  readonly data: Uint8Array;
}

/** Buffer Probe (§2.3.15). */
export interface BufferProbeChunk {
  readonly type: typeof ChunkType.bufferProbe;
  readonly flowId: number;
}

/** Data Acknowledgement, Bitmap (§2.3.13) or Ranges (§2.3.14); `body` is what follows the cumulative ack. */
export interface AckChunk {
  readonly type: typeof ChunkType.ackBitmap | typeof ChunkType.ackRanges;
  readonly flowId: number;
  /** Blocks of 1024 bytes. */
  readonly bufferBlocks: number;
  readonly cumulativeAck: number;
  /** Bit field, or pairs of VLUs; read with forEachAckedRange. */
  readonly body: Uint8Array;
}

/** Flow Exception Report (§2.3.16). */
export interface FlowExceptionChunk {
  readonly type: typeof ChunkType.flowException;
  readonly flowId: number;
  readonly code: number;
}

/** Session Close Request (§2.3.17) or Acknowledgement (§2.3.18). */
export interface CloseChunk {
  readonly type: typeof ChunkType.closeRequest | typeof ChunkType.closeAck;
}

/** Padding, or a chunk of unknown type, kept so that it re-encodes unchanged (§2.3). */
export interface OpaqueChunk {
  readonly type: number;
  readonly payload: Uint8Array;
}

/** Any chunk by itself. Byte fields are views of the packet they were decoded from. */
type AnyChunk =
  | FragmentChunk
  | IHelloChunk
  | ForwardedIHelloChunk
  | RHelloChunk
  | RedirectChunk
  | CookieChangeChunk
  | IIKeyingChunk
  | RIKeyingChunk
  | PingChunk
  | UserDataChunk
  | BufferProbeChunk
  | AckChunk
  | FlowExceptionChunk
  | CloseChunk
  | OpaqueChunk;

/**
 * Any decoded chunk. `verbatim` is its payload as received, there only if the fields cannot tell all of it: reserved
 * bits, VLUs longer than need be (§2.1.2), bytes behind the last field. Such a chunk is written as it was received.
 */
export type Chunk = AnyChunk & { readonly verbatim?: Uint8Array };
