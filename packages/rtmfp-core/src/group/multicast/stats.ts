/** What the streams of a group have counted since the group was joined. */
export interface MulticastStats {
  /** Fragments that were new. */
  fragments: number;
  /** Those that were there already. */
  duplicates: number;
  /** Duplicates whose bytes differ from those that came first. */
  contradicting: number;
  /** Fragments that were asked for again, to compare them; their answers are duplicates. */
  audits: number;
  /** Neighbours whose copies were not those of most others. */
  struck: number;
  /** Fragments of such neighbours, left unread. */
  barred: number;
  /** Fragments for which the window had passed, or of no stream that is played. */
  late: number;
  /** Fragments and maps that claim ids far beyond all that is known. */
  farAhead: number;
  /** Times that we went back because one neighbour alone had told how far the stream is. */
  tales: number;
  /** Fragments that their sender was not asked for. */
  unasked: number;
  /** Fragments that never came. */
  lost: number;
  /** Messages of neighbours that nobody can read, or that have no place where they came. */
  useless: number;
  /** Messages of neighbours that came too fast and were left unread. */
  refused: number;
  /** Streams and flows beyond the caps, and streams that gave way to others. */
  streamsRefused: number;
  /** Fragments not sent, because the neighbour does not take what was written before. */
  skipped: number;
  /** Fragments asked for. */
  pulls: number;
  /** Pulls that nobody answered in time. */
  pullsUnanswered: number;
  /** Neighbours asked for a stripe. */
  masks: number;
  /** Those of them that did not push it, or no longer. */
  stalls: number;
}

/** All zero. */
export function newMulticastStats(): MulticastStats {
  return {
    fragments: 0,
    duplicates: 0,
    contradicting: 0,
    audits: 0,
    struck: 0,
    barred: 0,
    late: 0,
    farAhead: 0,
    tales: 0,
    unasked: 0,
    lost: 0,
    useless: 0,
    refused: 0,
    streamsRefused: 0,
    skipped: 0,
    pulls: 0,
    pullsUnanswered: 0,
    masks: 0,
    stalls: 0,
  };
}
