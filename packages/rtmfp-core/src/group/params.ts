/** Times and caps of groups; docs/limits.md lists the caps. Times are in ms. */

/** How often a member reports to one of its neighbours, and takes stock of whom it wants as neighbours. */
export const REPORT_MS = 10_000;
/** Part of {@link REPORT_MS} that chance adds or takes, so that members do not speak in step. */
export const REPORT_JITTER = 0.2;
/** A neighbour that has not reported for so long is reported to before any other: it shall not be taken for gone. */
export const REPORT_OVERDUE_MS = 120_000;
/** After a change next to us in the ring, reports to the neighbours there are at least this far apart. */
export const RING_REPORT_MS = 2_000;
/** Members of whom nobody has news for so long are forgotten. */
export const NEWS_MS = 300_000;
/** A neighbour whose session was lost is tried again for so long. */
export const LOST_MS = 3_600_000;
/** How often the list of members is cleaned. */
export const CLEANING_MS = 19_000;
/** How often a group looks at what is due. */
export const TICK_MS = 2_000;
/** Time to show membership and exchange reports, counted from the session. */
export const PROOF_MS = 15_000;
/** How long whoever opened a session is waited for to speak first in it. */
export const GREET_MS = 1_000;
/** Time in which a flow must name its group. */
export const FIRST_MESSAGE_MS = 15_000;
/** Time to open a session with a member. */
export const DIAL_MS = 10_000;
/** Pauses after the first and further failed attempts to reach a member; the last repeats. */
export const DIAL_PAUSES_MS: readonly number[] = [1_500, 5_000, 15_000, 45_000, 120_000];
/** How long a member that gave a wrong proof, or none, is left alone. */
export const BLOCKED_MS = 300_000;
/** One member is asked to end its session, or ends it on being asked, at most so often. */
export const ASK_CLOSE_MS = 90_000;
/** Neighbours that may be more than are wanted, if streams run over their links. */
export const MAX_BUSY_LINKS = 48;
/** Asked again within this time to end a session, a member takes that for a useless message. */
export const CLOSE_ASKED_MS = 10_000;
/** Two sessions with one member within this time of each other are the outcome of both ends opening one. */
export const GLARE_MS = 15_000;
/** Idle time before a Ping in sessions of neighbours: a third of the 30 s in which a group heals. */
export const NEIGHBOUR_KEEPALIVE_MS = 5_000;
/** Bootstrap peers are tried again so often while there is no neighbour. */
export const BOOTSTRAP_MS = 30_000;

/** Members that a group knows, neighbours included. */
export const MAX_MEMBERS = 256;
/** Members that nobody but one neighbour has told of. */
export const MAX_TOLD_BY_ONE = 64;
/** Members next to us in the ring on each side that do not give way to others that are told of. */
export const RING_KEPT = 8;
/** Neighbours of a group, and those beyond that are next to us in the ring. */
export const MAX_LINKS = 64;
export const MAX_RING_LINKS = 8;
/** Attempts to open sessions at a time; those that do not mend the ring leave two of them alone. */
export const MAX_DIALS = 8;
export const MAX_FAR_DIALS = 6;
/** Of these, members that one neighbour alone told of. */
export const MAX_DIALS_TOLD_BY_ONE = 3;
/**
 * As long as there are neighbours, lost ones are tried only while fewer attempts than these are under way: most of them have gone for
 * good.
 */
export const MAX_LOST_DIALS = 2;
/** Own addresses told to others, as many as live peers keep. */
export const MAX_OWN_ADDRESSES = 7;
/** Flows of one session that have not named their group yet, and of all sessions. */
export const MAX_UNNAMED_OF_SESSION = 8;
export const MAX_UNNAMED = 1_024;
/** Flows of a neighbour that wait for it to become one. */
export const MAX_HELD_FLOWS = 8;
/** Reports of one neighbour that are read. */
export const REPORTS_PER_SECOND = 1;
export const REPORTS_BURST = 10;
/** Useless messages of one neighbour before it is dropped. */
export const MAX_USELESS = 8;
export const USELESS_PER_SECOND: number = 1 / 60;
/** Bytes that may wait for a neighbour to take them before reports to it are left out. */
export const MAX_WAITING_BYTES = 65_536;

/** Neighbours in the ring on each side. */
export const RING_REACH = 3;
/** Members on each side that may be next to us in the ring and are tried at a time. */
export const RING_DIALS = 4;
/** Neighbours wanted for their low latency. */
export const NEAR_LINKS = 6;
/** Groups of which everybody is everybody's neighbour. */
export const FULL_MESH = 6;
