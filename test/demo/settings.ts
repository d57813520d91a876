/** What the demo runs with. Times in ms. */

/** The file that is streamed. */
export const SAMPLE = "test/fixtures/sample-h264-aac.flv";
export const VIEWERS = 3;
/** In the demo of a group. */
export const GROUP_VIEWERS = 9;
/** On every leg, by the process that receives or sends. */
export const DELAY_MS = 40;
export const LOSS = 0.02;
/** How long the server process is stopped. */
export const STOP_MS = 5_000;
/** Limits for starting a process and for the whole transfer. */
export const START_MS = 30_000;
export const TRANSFER_MS = 90_000;
/** Keepalives and the like; media would be many times more. */
export const MAX_SERVER_SHARE = 0.02;

/** How long the stream of a group is. */
export const GROUP_STREAM_MS = 36_000;
/** When in it a viewer joins late, one leaves, one is killed, and, once the late one plays, the server is. */
export const LATE_MS = 3_000;
export const LEAVE_MS = 7_000;
export const KILL_MS = 10_000;
export const SERVER_END_MS = 14_000;
/** How much of the stream is to come without the server, at least. */
export const ALONE_MS = 8_000;
/** How often it is shown who serves whom. */
export const SHOW_MS = 4_000;
/** Share of what the viewers got that the publisher may have sent. */
export const MAX_UPLOAD = 0.25;
/** Limit for starting them all, also on a machine that does other work. */
export const GROUP_START_MS = 90_000;
/** By which the last viewer must have ended after the publisher. */
export const GROUP_END_MS = 20_000;
