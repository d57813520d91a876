/** What a run must reach. */
import type { SwarmFigures } from "./figures.ts";

/** One line for each target that was missed. */
export function faults(figures: SwarmFigures): string[] {
  const { measured, failed, deliveredMin, publisherUpload, duplicates, pieces, healed, kill } = figures;
  const checks: readonly (readonly [boolean, string])[] = [
    [measured > 0, "nobody was there long enough to be measured"],
    [failed === 0, `${failed} members could not join`],
    // Who loses many neighbours at once may miss something: then healing counts.
    [kill > 0 || deliveredMin >= LEAST_DELIVERED, `delivered at least ${deliveredMin}, wanted ${LEAST_DELIVERED}`],
    [publisherUpload <= MOST_UPLOAD, `the publisher sent ${publisherUpload} times the stream, wanted ${MOST_UPLOAD}`],
    [duplicates <= MOST_DUPLICATES, `${duplicates} of the fragments were duplicates, wanted ${MOST_DUPLICATES}`],
    [pieces === 1, `the group was in ${pieces} pieces`],
    [healed === undefined || healed.silence <= HEALED_SECONDS, `silence until ${healed?.silence} s after the kill`],
    [
      healed === undefined || (healed.late ?? Number.POSITIVE_INFINITY) <= HEALED_SECONDS,
      `something was late ${healed?.late ?? "ever"} s after the kill`,
    ],
  ];
  return checks.flatMap(([isReached, fault]) => (isReached ? [] : [fault]));
}

const LEAST_DELIVERED = 0.995;
const MOST_UPLOAD = 5;
const MOST_DUPLICATES = 0.08;
const HEALED_SECONDS = 30;
