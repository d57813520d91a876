/** Metadata of flows, as the application of the endpoint under attack treats them; and the application of rtmfp-server. */

/** The established session's transfer, whose bytes are counted. */
export const BULK = "bulk";
/** Taken, and never read. */
export const HELD = "held";
/** Taken and read. */
export const READ = "read";
/** Takes bytes and answers pings, on rtmfp-server. */
export const APPLICATION = "flood";
