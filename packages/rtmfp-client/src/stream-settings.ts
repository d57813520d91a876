/** Settings of a NetStream with Adobe's names and defaults. */
import { Emitter } from "./emitter.ts";

/** Which kinds of tags are sent again until they arrive; read for each tag that is published. */
export interface Reliability {
  /** False: sound is retransmitted for a limited time, then dropped. Default true. */
  audioReliable: boolean;
  /** False: pictures are retransmitted for a limited time, then dropped to the next key frame. Default true. */
  videoReliable: boolean;
  /** False: data messages, those of `send` too, are retransmitted for a limited time, then dropped. Default true. */
  dataReliable: boolean;
}

/**
 * What a NetStream can be told. All but the three of {@link Reliability} are for a player with a screen: they keep what
 * they are set to, so that ported code runs, and nothing reads them here.
 */
export class StreamSettings<Events extends Record<keyof Events, readonly unknown[]>>
  extends Emitter<Events>
  implements Reliability
{
  audioReliable = true;
  videoReliable = true;
  dataReliable = true;
  /** Seconds to gather before pictures are shown. Tags are given as they come: no effect. Default 0.1. */
  bufferTime = 0.1;
  /** Seconds beyond which a live player catches up. No effect. Default 0. */
  bufferTimeMax = 0;
  /** Seconds kept to rewind. No effect. Default 30. */
  backBufferTime = 30;
  /** Seek within what is buffered. No effect. Default false. */
  inBufferSeek = false;
  /** Seconds gathered while paused. No effect. Default 60. */
  maxPauseBufferTime = 60;
  /** Lets others capture sound. Tags are always there to be read: no effect. Default false. */
  audioSampleAccess = false;
  /** Lets others capture pictures. No effect. Default false. */
  videoSampleAccess = false;
  /** Volume and balance. No effect. Default null. */
  soundTransform: unknown = null;
  /** No effect. Default true. */
  useHardwareDecoder = true;
  /** No effect. Default false. */
  useJitterBuffer = false;
  /** Settings of an encoder. No effect. Default null. */
  videoStreamSettings: unknown = null;
  /** Look for a policy file before loading. No effect. Default false. */
  checkPolicyFile = false;
}
