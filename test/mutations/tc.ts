/** Faults in the messages of RFC 7425. */
import { type Fault, faultsOf } from "./fault.ts";

const TC = "packages/rtmfp-core/src/tc";

/** Comparisons, constants and checks of rtmfp-core/src/tc. */
export const TC_FAULTS: readonly Fault[] = [
  ...faultsOf(`${TC}/metadata.ts`, ["if ((flags & STREAM_ID_PRESENT) === 0) return undefined;", "", "R7425-5.1.1-08"]),
  ...faultsOf(
    `${TC}/flow-sync.ts`,
    ["return flows.size + this.#gone - goneBefore >= count;", "return flows.size >= count;", "AMB-59"],
    ["return flows.size + this.#gone - goneBefore >= count;", "return flows.size + this.#gone >= count;", "AMB-59"],
    ["if (count > MAX_RECEIVING_FLOWS) {", "if (false) {", "R7425-5.2-05"],
    ["if (this.#barriers.size >= MAX_BARRIERS) {", "if (false) {", "R7425-5.2-05"],
    ["this.#expectLate(syncId, count - 1, deadline);", "", "R7425-5.2-05"],
  ),
];
