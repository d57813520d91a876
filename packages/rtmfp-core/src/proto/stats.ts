/** Counters of an endpoint: what came from the network and was dropped, and why. */

/**
 * All counts since the endpoint was made: our own figures, of no RFC. What is counted as dropped was dropped whole,
 * without an answer unless it says otherwise.
 */
export interface EndpointStats {
  /** Datagrams received, good or bad. */
  datagramsIn: number;
  /** Bytes of these, without UDP and IP headers. */
  bytesIn: number;
  /** Datagrams given to the sockets. */
  datagramsOut: number;
  /** Bytes of these, without UDP and IP headers. */
  bytesOut: number;
  /** Shorter than one cipher block, or a length that no packet has. */
  badSize: number;
  /** Checksum or HMAC wrong. */
  badVerify: number;
  /** Sequence number seen before, or too old. */
  replayed: number;
  /** For a session ID that no session here has. */
  unknownSession: number;
  /** Mode 0, or not the mode of the far end. */
  badMode: number;
  /** Packets and chunks that do not parse, or break a rule that the sender must keep. */
  malformed: number;
  /** IHello chunks received. */
  ihellos: number;
  /** IIKeying chunks received. */
  iikeyings: number;
  /** IIKeyings seen before: answered as before, or not at all. */
  repeatedKeyings: number;
  /** Startup chunks beyond the rate per second of their source, or a datagram's first; IIKeyings beyond `maxSessions`. */
  rateLimited: number;
  /** Startup packets of ours dropped because too many waited to be sent. */
  startupQueueFull: number;
  /** Keyings dropped because too many public-key jobs were waiting. */
  jobsRefused: number;
  /** IIKeyings in an expensive group beyond the budget for those. */
  costlyJobsRefused: number;
  /** IIKeyings of addresses with too many sessions in which nothing has been heard. */
  unheardRefused: number;
  /** IIKeyings whose cookie is not ours, too old, or another address's. */
  badCookie: number;
  /** RHellos and IIKeyings with a certificate that does not parse, or is not the one wanted. */
  badCertificate: number;
  /** Keyings with a signature or component that the profile refuses. */
  badKeying: number;
  /** Cookie Changes sent: good cookies echoed from another address (§3.5.1.2). */
  cookieChanges: number;
  /** "introduction" events told. */
  introductions: number;
  /** IHellos for somebody else that are too large, or beyond the table of undecided introductions. */
  introductionsRefused: number;
  /** FIHellos received. */
  forwardedHellos: number;
  /** FIHellos from sessions that are no introducers, or beyond their rate. */
  forwardedHellosRefused: number;
  /** Fragmented startup packets given up: too old, too large, or too many at once. */
  reassembliesDropped: number;
  /** Pings beyond the rate at which a session answers them. */
  pingsRefused: number;
  /** Sessions ended because their far ends went on sending what was refused. */
  sessionsAbused: number;
  /** Packets of sessions in which something was just refused, unread because there were too many such packets in all. */
  leftUnread: number;
  /** Control chunks dropped because too many waited in their session. */
  controlDropped: number;
  /** Probes sent to addresses that a far end may have moved to (§3.5.4.2). */
  mobilityProbes: number;
  /** Far ends that moved. */
  moves: number;
  /** Probes of path MTU discovery that were sent. */
  mtuProbes: number;
  /** Of these packets, those without an answer. */
  mtuProbesLost: number;
  /** Falls back to 1200-byte datagrams because a path lost larger ones only. */
  mtuBlackHoles: number;
  /** Sessions that reached S_OPEN, by either end. */
  sessionsOpened: number;
  /** Of these, those that have ended. */
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
    unheardRefused: 0,
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
    sessionsAbused: 0,
    leftUnread: 0,
    controlDropped: 0,
    mobilityProbes: 0,
    moves: 0,
    mtuProbes: 0,
    mtuProbesLost: 0,
    mtuBlackHoles: 0,
    sessionsOpened: 0,
    sessionsClosed: 0,
  };
}
