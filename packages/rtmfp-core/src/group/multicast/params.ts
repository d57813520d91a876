/** Times and caps of streams of groups; docs/limits.md lists the caps. Times are in ms. */

/** How often a stream looks at what is due. */
export const TICK_MS = 100;
/** How often the streams of a group are looked through for what nobody sends any more. */
export const CLEANING_MS = 5_000;
/** Stripes of a stream: a push mask has one bit for each. */
export const STRIPES = 8;

/** A neighbour that was asked for a stripe and has not begun to push it, and two round trips more. */
export const FRESH_STALL_MS = 400;
/** A neighbour that has pushed a stripe and no longer does, and a part of it more by chance. */
export const STALL_MS = 1_000;
/** For so long a neighbour is not asked again for a stripe that it did not push. */
export const REFUSAL_MS = 8_000;
/** From the first map to the choice of whom to ask: the maps of others come within a round trip. */
export const GATHER_MS = 150;
/** One stripe may be tried with a neighbour that seems to have it earlier so often, and by how much earlier. */
export const TRIAL_MS = 2_500;
export const TRIAL_GAIN_MS = 120;

/** A fragment that nobody is going to push is asked for when it has been missing for so long. */
export const QUICK_FETCH_MS = 300;
/** One that was left out of what is pushed, and three round trips more. */
export const LEFT_OUT_MS = 600;
/** A pull is not answered, four round trips more. */
export const PULL_RETRY_MS = 600;
/** Pulls that wait for an answer of one neighbour, and of all. */
export const MAX_PULLS_OF_LINK = 64;
export const MAX_PULLS = 512;
/** A stream of no more fragments is played from its first one, others from the newest that there is. */
export const MAX_FROM_START = 64;
/**
 * One that comes up when it has been waited for so long, ms, is played from its first one, too, as long as any of these is to be
 * had: a member that joins hears sooner of what there is.
 */
export const AWAITED_MS = 2_000;
/** Until the first message is out, holes are waited for so long; the longer where the beginning is much, and asked for by many. */
export const START_HOLE_MS = 800;
export const AWAITED_HOLE_MS = 3_000;

/** Neighbours to whom a publisher pushes each stripe, for want of {@link NEIGHBOURS_PER_COPY} of them one less, but one. */
export const MAX_COPIES = 2;
/** So many neighbours make another copy of the publisher's stream worth while. */
export const NEIGHBOURS_PER_COPY = 12;
/** Stripes that a relay pushes, counted once for each neighbour: at first, at least, and at most. */
export const FIRST_GRANTS = 16;
export const MIN_GRANTS = 1;
export const MAX_GRANTS = 40;
/** How often it is looked at whether neighbours take what is pushed. */
export const LOAD_MS = 500;
/** What waits for a neighbour, twice in a row, is too much beyond this and what it took within {@link MAX_BACKLOG_MS}; bytes. */
export const MIN_BACKLOG_BYTES = 8_192;
export const MAX_BACKLOG_MS = 1_000;
/**
 * Where more waits for all neighbours together than this and what they took within {@link ROOM_MS}, what is asked for is not sent;
 * bytes.
 */
export const MIN_ROOM_BYTES = 131_072;
export const ROOM_MS = 250;
/** A fragment is pushed as long as nobody asks for it yet, and an answer sent as long as nobody else is asked, but for so long in any case. */
export const MIN_PUSH_MS = 1_000;
/** For so long nothing is pushed to a neighbour that did not take what was pushed. */
export const SLOW_MS = 10_000;
/** One more grant is tried after so long without too much waiting. */
export const GROWTH_MS = 5_000;
/** So much longer after most neighbours did not take what was pushed: the uplink was full, and is not tried again soon. */
export const OVERLOAD_MS = 60_000;

/** Bytes that wait for one neighbour to take them: beyond them fragments to it are left out. */
export const MAX_WAITING_BYTES = 262_144;
/** Control messages wait for a neighbour up to so many bytes. */
export const MAX_WAITING_CONTROL_BYTES = 16_384;
/** Bytes of fragments held for one stream. */
export const MAX_STREAM_BYTES: number = 64 * 1024 * 1024;
/** Bytes of one fragment with its header. */
export const MAX_FRAGMENT_BYTES = 2_048;
/** Ids may be so far beyond the newest that came, where only one neighbour tells how far the stream is. */
export const MAX_AHEAD = 16_384;
/** Where others do, too, ids may be beyond what all of them tell by as much as comes in this time, and by so many at least. */
export const LEAD_MS = 5_000;
export const MIN_LEAD = 128;
/** What a neighbour tells counts against others as long as it told something new within this time. */
export const GOING_MS = 5_000;
/** Who has brought fragments within this time is believed to have what it tells of. */
export const TRUST_MS = 5_000;
/** A neighbour that is no longer asked for a stripe may send of it for so long. */
export const ASKED_GRACE_MS = 3_000;
/** Of what neighbours bring, this part is asked for again to compare it; more for so long after two copies have differed. */
export const AUDIT_PART: number = 1 / 64;
export const ALARM_AUDIT_PART: number = 1 / 8;
export const ALARM_MS = 30_000;
/** After so long: others have told by then that they have it. */
export const AUDIT_AFTER_MS = 300;
/** Fragments that are compared at a time, and that wait for it. */
export const MAX_AUDITS = 32;
/** Copies that are compared where two differ; so many decide, fewer if the anchor's is among them, or those that have come after so long. */
export const MAX_WITNESSES = 7;
export const VOTES = 5;
export const VOTES_WITH_ANCHOR = 3;
export const VOTE_MS = 1_000;
/** Whose word decides is another if most neighbours have said otherwise for so long. */
export const DEPOSE_MS = 8_000;
/** So many copies must agree with those of others, once any have differed, before a neighbour is believed. */
export const CAREFUL_COPIES = 4;
/** A neighbour that is not believed yet seems to have everything so much later. */
export const DOUBT_PENALTY_MS = 300;
/** Nothing is taken for so long from one whose copy was not that of most others, twice as long each time, and at most. */
export const BAR_MS = 3_000;
export const MAX_BAR_MS = 300_000;
/** After so long one such time is forgiven. */
export const FORGIVE_MS = 60_000;
/** Neighbours whose standing in a stream is remembered. */
export const MAX_STANDINGS = 256;
/** A stream is forgotten after so long without fragments; one that we do not play only if nobody announces it, either. */
export const FORGET_MS = 300_000;
/** A neighbour that has refused a stream that goes on is told of it again no sooner than this. */
export const REFUSED_MS = 30_000;
/** Streams that a group remembers, those that are played or published included, and those that one neighbour alone told of. */
export const MAX_STREAMS = 256;
export const MAX_STREAMS_OF_NEIGHBOUR = 32;
/** Streams that are news to us and that one neighbour may tell of; as many as it may have at a time at once. */
export const NEW_STREAMS_PER_SECOND = 1;
/** Characters of the name of a stream. */
export const MAX_NAME = 1_024;
/** Control messages of one neighbour for one stream that are read, pulls aside. */
export const CONTROLS_PER_SECOND = 100;
export const CONTROLS_BURST = 300;
/** Pulls of one neighbour for one stream that are answered: as many a second as the stream has fragments, and these. */
export const PULLS_PER_SECOND = 32;
export const PULLS_BURST = 512;

/** Streams of one name that one neighbour alone tells of, and of one name in all. */
export const MAX_RIVALS_OF_NEIGHBOUR = 2;
export const MAX_RIVALS = 16;
/** A stream that is not played is asked for a fragment so often, and is believed to have any after so many. */
export const SAMPLE_MS = 500;
export const MIN_SAMPLES = 2;
/** A stream that is played and brings nothing gives way to one that does after so long. */
export const FOCUS_EMPTY_MS = 500;
/** The end of a stream holds when nothing has belied it for so long; others are told of another end no sooner than this. */
export const END_GRACE_MS = 500;
export const END_AGAIN_MS = 2_000;
/** A stream whose newest fragment has not changed for so long gives way to one of the same name that goes on. */
export const FOCUS_SILENT_MS = 2_000;
/** A stream that brought nothing gives way for so long. */
export const FOCUS_FAILED_MS = 30_000;
