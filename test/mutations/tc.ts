/** Faults in the messages of RFC 7425. */
import { type Fault, faultsOf } from "./fault.ts";

const TC = "packages/rtmfp-core/src/tc";

/** Comparisons, constants and checks of rtmfp-core/src/tc. */
export const TC_FAULTS: readonly Fault[] = [
  ...faultsOf(`${TC}/metadata.ts`, ["if ((flags & STREAM_ID_PRESENT) === 0) return undefined;", "", "R7425-5.1.1-08"]),
];
