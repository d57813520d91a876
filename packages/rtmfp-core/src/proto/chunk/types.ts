/** Chunk type codes and the decoded form of every chunk (§2.3). § means RFC 7016. */
import type { WireAddress } from "../address.ts";
import type { Option } from "../option.ts";

/** Chunk type codes (§2.3). */
export const ChunkType = {
  /** Padding (§2.3). */
  padding0: 0x00,
  /** Ping (§2.3.9). */
  ping: 0x01,
  /** Session Close Request (§2.3.17). */
  closeRequest: 0x0c,
  /** Forwarded Initiator Hello (§2.3.3). */
  forwardedIHello: 0x0f,
  /** User Data (§2.3.11). */
  userData: 0x10,
  /** Next User Data (§2.3.12). */
  nextUserData: 0x11,
  /** Buffer Probe (§2.3.15). */
  bufferProbe: 0x18,
  /** Initiator Hello (§2.3.2). */
  iHello: 0x30,
  /** Initiator Initial Keying (§2.3.7). */
  iiKeying: 0x38,
  /** Ping Reply (§2.3.10). */
  pingReply: 0x41,
  /** Session Close Acknowledgement (§2.3.18). */
  closeAck: 0x4c,
  /** Data Acknowledgement, Bitmap (§2.3.13). */
  ackBitmap: 0x50,
  /** Data Acknowledgement, Ranges (§2.3.14). */
  ackRanges: 0x51,
  /** Flow Exception Report (§2.3.16). */
  flowException: 0x5e,
  /** Responder Hello (§2.3.4). */
  rHello: 0x70,
  /** Responder Redirect (§2.3.5). */
  redirect: 0x71,
  /** Responder Initial Keying (§2.3.8). */
  riKeying: 0x78,
  /** RHello Cookie Change (§2.3.6). */
  cookieChange: 0x79,
  /** Packet Fragment (§2.3.1). */
  fragment: 0x7f,
  /** Padding (§2.3). */
  padding255: 0xff,
} as const;

/** Packet Fragment (§2.3.1). Bytes are a view of the packet decoded, or borrowed when encoded. */
export interface FragmentChunk {
  /** The chunk's code. */
  readonly type: typeof ChunkType.fragment;
  /** False on the last fragment. */
  readonly more: boolean;
  /** Common to the fragments of one packet, and to no others from that address lately. */
  readonly packetId: number;
  /** Place among the fragments, from 0. */
  readonly index: number;
  /** The piece of the packet. */
  readonly data: Uint8Array;
}

/** Initiator Hello (§2.3.2). Bytes are views of the packet decoded, or borrowed when encoded. */
export interface IHelloChunk {
  /** The chunk's code. */
  readonly type: typeof ChunkType.iHello;
  /** Endpoint discriminator: whom the initiator wants. */
  readonly epd: Uint8Array;
  /** What the answer must echo. */
  readonly tag: Uint8Array;
}

/** Forwarded Initiator Hello (§2.3.3). Bytes are views of the packet decoded, or borrowed when encoded. */
export interface ForwardedIHelloChunk {
  /** The chunk's code. */
  readonly type: typeof ChunkType.forwardedIHello;
  /** Endpoint discriminator of the IHello forwarded. */
  readonly epd: Uint8Array;
  /** Where the initiator is, for the answer. */
  readonly replyAddress: WireAddress;
  /** Tag of the IHello forwarded. */
  readonly tag: Uint8Array;
}

/** Responder Hello (§2.3.4). Bytes are views of the packet decoded, or borrowed when encoded. */
export interface RHelloChunk {
  /** The chunk's code. */
  readonly type: typeof ChunkType.rHello;
  /** Tag of the IHello answered. */
  readonly tagEcho: Uint8Array;
  /** What the IIKeying must echo; opaque to the initiator. */
  readonly cookie: Uint8Array;
  /** The responder's certificate. */
  readonly certificate: Uint8Array;
}

/**
 * Responder Redirect (§2.3.5). No destinations means Implied Redirect. Bytes are views of the packet decoded, or
 * borrowed when encoded.
 */
export interface RedirectChunk {
  /** The chunk's code. */
  readonly type: typeof ChunkType.redirect;
  /** Tag of the IHello answered. */
  readonly tagEcho: Uint8Array;
  /** Addresses to try instead. */
  readonly destinations: readonly WireAddress[];
}

/** RHello Cookie Change (§2.3.6). Bytes are views of the packet decoded, or borrowed when encoded. */
export interface CookieChangeChunk {
  /** The chunk's code. */
  readonly type: typeof ChunkType.cookieChange;
  /** The cookie that the initiator echoed. */
  readonly oldCookie: Uint8Array;
  /** The one to echo from its present address. */
  readonly newCookie: Uint8Array;
}

/** Initiator Initial Keying (§2.3.7). Bytes are views of the packet decoded, or borrowed when encoded. */
export interface IIKeyingChunk {
  /** The chunk's code. */
  readonly type: typeof ChunkType.iiKeying;
  /** ID that the initiator will receive on: unsigned 32 bits. */
  readonly initiatorSessionId: number;
  /** Cookie of the RHello, or of the last Cookie Change. */
  readonly cookieEcho: Uint8Array;
  /** The initiator's certificate. */
  readonly certificate: Uint8Array;
  /** Session Key Initiator Component. */
  readonly skic: Uint8Array;
  /** Over `signedParameters`; may be empty. */
  readonly signature: Uint8Array;
  /** All payload before the signature; filled on decoding, undefined and not needed on encoding. */
  readonly signedParameters?: Uint8Array;
}

/** Responder Initial Keying (§2.3.8). Bytes are views of the packet decoded, or borrowed when encoded. */
export interface RIKeyingChunk {
  /** The chunk's code. */
  readonly type: typeof ChunkType.riKeying;
  /** ID that the responder will receive on: unsigned 32 bits. */
  readonly responderSessionId: number;
  /** Session Key Responder Component. */
  readonly skrc: Uint8Array;
  /** Over `signedParameters` and the SKIC; may be empty. */
  readonly signature: Uint8Array;
  /**
   * All payload before the signature, without the SKIC that it also covers; filled on decoding, undefined and not
   * needed on encoding.
   */
  readonly signedParameters?: Uint8Array;
}

/** Ping (§2.3.9) and Ping Reply (§2.3.10). Bytes are a view of the packet decoded, or borrowed when encoded. */
export interface PingChunk {
  /** Which of the two. */
  readonly type: typeof ChunkType.ping | typeof ChunkType.pingReply;
  /** Any bytes; a reply repeats those of its Ping. */
  readonly message: Uint8Array;
}

/** Fragment control (§2.3.11): the fragment is the `whole` message, its `begin`, its `end`, or from the `middle`. */
export const FragmentControl = { whole: 0, begin: 1, end: 2, middle: 3 } as const;
export type FragmentControl = (typeof FragmentControl)[keyof typeof FragmentControl];

/** User Data flag bits (§2.3.11). */
export const UserDataFlag = {
  /** OPT: options stand before the data. */
  options: 0x80,
  /** ABN: the sender gives this fragment up. */
  abandon: 0x02,
  /** FIN: the last fragment of the flow. */
  final: 0x01,
  /** Without a meaning; 0 when sent. */
  reserved: 0x4c,
} as const;

/**
 * User Data (§2.3.11) or Next User Data (§2.3.12). A Next User Data chunk carries no numbers: the decoder leaves
 * flowId, sequenceNumber and fsnOffset 0 and the receiver takes them from the chunk before. Bytes are views of the
 * packet decoded, or borrowed when encoded.
 */
export interface UserDataChunk {
  /** Which of the two. */
  readonly type: typeof ChunkType.userData | typeof ChunkType.nextUserData;
  /** Option-present, reserved, fragment control, abandon and final bits as on the wire. */
  readonly flags: number;
  /** The flow's ID. */
  readonly flowId: number;
  /** Number of this fragment in the flow, from 1. */
  readonly sequenceNumber: number;
  /** How far below this number the forward sequence number is: all up to that is acknowledged or given up. */
  readonly fsnOffset: number;
  /** Undefined if the flag is clear. */
  readonly options: readonly Option[] | undefined;
  /** The fragment of the message. */
  readonly data: Uint8Array;
}

/** Buffer Probe (§2.3.15). */
export interface BufferProbeChunk {
  /** The chunk's code. */
  readonly type: typeof ChunkType.bufferProbe;
  /** The flow whose window is asked for. */
  readonly flowId: number;
}

/**
 * Data Acknowledgement, Bitmap (§2.3.13) or Ranges (§2.3.14); `body` is what follows the cumulative ack, a view of the
 * packet decoded, or borrowed when encoded.
 */
export interface AckChunk {
  /** Which of the two. */
  readonly type: typeof ChunkType.ackBitmap | typeof ChunkType.ackRanges;
  /** The flow acknowledged: the sender's ID. */
  readonly flowId: number;
  /** Window advertised, in blocks of 1,024 bytes. */
  readonly bufferBlocks: number;
  /** Every fragment up to this number has come, or was given up. */
  readonly cumulativeAck: number;
  /** Bit field, or pairs of VLUs; read with forEachAckedRange. */
  readonly body: Uint8Array;
}

/** Flow Exception Report (§2.3.16). */
export interface FlowExceptionChunk {
  /** The chunk's code. */
  readonly type: typeof ChunkType.flowException;
  /** The flow rejected: the sender's ID. */
  readonly flowId: number;
  /** The application's reason; 0 is none in particular. */
  readonly code: number;
}

/** Session Close Request (§2.3.17) or Acknowledgement (§2.3.18). */
export interface CloseChunk {
  /** Which of the two. */
  readonly type: typeof ChunkType.closeRequest | typeof ChunkType.closeAck;
}

/**
 * Padding, or a chunk of unknown type, kept so that it re-encodes unchanged (§2.3). Bytes are a view of the packet
 * decoded, or borrowed when encoded.
 */
export interface OpaqueChunk {
  /** The code as received, 0 to 255. */
  readonly type: number;
  /** All behind the chunk header. */
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
 * bits, VLUs longer than need be (§2.1.2), bytes behind the last field. Such a chunk is written as it was received. It
 * is a view of the packet.
 */
export type Chunk = AnyChunk & { readonly verbatim?: Uint8Array };
