/** What the demo runs with. Times in ms. */

/** The file that is streamed. */
export const SAMPLE = "test/fixtures/sample-h264-aac.flv";
export const VIEWERS = 3;
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
