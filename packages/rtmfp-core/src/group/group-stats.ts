/** What a group has counted since it was made; all of it is free for reading at any time. */
export interface GroupStats {
  /** Reports sent. */
  reportsSent: number;
  /** Reports that came, those not read among them. */
  reportsReceived: number;
  /** Reports not read, or left unanswered, because their sender sends too many. */
  reportsRefused: number;
  /** Reports not sent, because the neighbour does not take what was written before. */
  reportsSkipped: number;
  /** Attempts to reach members. */
  dials: number;
  /** Those that failed. */
  dialsFailed: number;
  /** Members that sent a proof of another group, session or receiver. */
  wrongProofs: number;
  /** Sessions that came to nothing in time: no proof, or no report. */
  unproven: number;
  /** Messages that nobody can read, or that have no place where they came. */
  useless: number;
  /** Members refused because of a cap, or that joined again too fast. */
  refused: number;
  /** Members told of that were not kept because of a cap. */
  membersRefused: number;
  /** Flows of services refused: of no service, or too many at a time. */
  flowsRefused: number;
  /** Second sessions with a neighbour, given up or taken instead of the first. */
  glares: number;
  /** Times that we asked neighbours to end their session. */
  closesAsked: number;
  /** Times that we ended ours on being asked. */
  closesGranted: number;
  /** Members forgotten because nobody had news of them, neighbours among them. */
  expired: number;
}

/** All zero. */
export function newGroupStats(): GroupStats {
  return {
    reportsSent: 0,
    reportsReceived: 0,
    reportsRefused: 0,
    reportsSkipped: 0,
    dials: 0,
    dialsFailed: 0,
    wrongProofs: 0,
    unproven: 0,
    useless: 0,
    refused: 0,
    membersRefused: 0,
    flowsRefused: 0,
    glares: 0,
    closesAsked: 0,
    closesGranted: 0,
    expired: 0,
  };
}
