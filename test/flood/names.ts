/** Metadata of flows: what the application of the process under attack does with them. */

/** The established session's transfer, whose bytes are counted. */
export const BULK = "bulk";
/** Taken, and never read. */
export const HELD = "held";
/** Taken and read. */
export const READ = "read";
