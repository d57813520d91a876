/** Counters of an endpoint: what came from the network and was dropped, and why. */

/** All counts since the endpoint was made. */
export interface EndpointStats {
  datagramsIn: number;
  bytesIn: number;
  datagramsOut: number;
  bytesOut: number;
  /** Shorter than one cipher block, or a length that no packet has. */
  badSize: number;
  /** Checksum or HMAC wrong. */
  badVerify: number;
  /** Sequence number seen before, or too old. */
  replayed: number;
  unknownSession: number;
  /** Mode 0, or not the mode of the far end. */
  badMode: number;
  malformed: number;
  ihellos: number;
  iikeyings: number;
  /** IIKeyings seen before: answered as before, or not at all. */
  repeatedKeyings: number;
  /** Refused by the per-address rate, the queue of startup replies, or the queue of jobs. */
  rateLimited: number;
  startupQueueFull: number;
  jobsRefused: number;
  /** IIKeyings in an expensive group beyond the budget for those. */
  costlyJobsRefused: number;
  badCookie: number;
  badCertificate: number;
  badKeying: number;
  cookieChanges: number;
  introductions: number;
  introductionsRefused: number;
  forwardedHellos: number;
  /** FIHellos from sessions that are no introducers, or beyond their rate. */
  forwardedHellosRefused: number;
  reassembliesDropped: number;
  /** Pings beyond the rate at which a session answers them. */
  pingsRefused: number;
  /** Control chunks dropped because too many waited in their session. */
  controlDropped: number;
  mobilityProbes: number;
  moves: number;
  sessionsOpened: number;
  sessionsClosed: number;
}

export function newEndpointStats(): EndpointStats {
  return {
    datagramsIn: 0,
    bytesIn: 0,
    datagramsOut: 0,
    bytesOut: 0,
    badSize: 0,
    badVerify: 0,
    replayed: 0,
    unknownSession: 0,
    badMode: 0,
    malformed: 0,
    ihellos: 0,
    iikeyings: 0,
    repeatedKeyings: 0,
    rateLimited: 0,
    startupQueueFull: 0,
    jobsRefused: 0,
    costlyJobsRefused: 0,
    badCookie: 0,
    badCertificate: 0,
    badKeying: 0,
    cookieChanges: 0,
    introductions: 0,
    introductionsRefused: 0,
    forwardedHellos: 0,
    forwardedHellosRefused: 0,
    reassembliesDropped: 0,
    pingsRefused: 0,
    controlDropped: 0,
    mobilityProbes: 0,
    moves: 0,
    sessionsOpened: 0,
    sessionsClosed: 0,
  };
}
