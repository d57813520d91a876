/** Runs a case, round by round beside its reference, and sums it up. */
import { judge, median, medianRatio, type Target, type Verdict } from "./arithmetic.ts";
import type { Case } from "./cases.ts";
import type { Context, Measured } from "./subject.ts";

/** A case with what came out. Numbers are medians of the rounds; those not measured are absent. */
export interface Row {
  readonly case: string;
  readonly what: string;
  readonly unit: string;
  readonly number: number;
  readonly reference?: string;
  readonly referenceNumber?: number;
  /** Median of the rounds' ratios. */
  readonly ratio?: number;
  readonly target?: Target;
  readonly verdict: Verdict;
  /** CPU s for a gigabyte of each side, and of the reference's sides. */
  readonly senderCpu?: number;
  readonly receiverCpu?: number;
  readonly referenceSenderCpu?: number;
  readonly referenceReceiverCpu?: number;
  /**
   * Median of the rounds' ratios of the speeds that the CPU of the busier side would allow: steadier than the ratio where
   * other programs take turns with ours.
   */
  readonly cpuRatio?: number;
  readonly note?: string;
  /** Number and reference of each round, as they were. */
  readonly rounds: readonly (readonly number[])[];
}

/** `onRound` hears of each round as it ends. Rejects when a process fails. */
export async function runRow(
  which: Case,
  context: Context,
  rounds: number,
  onRound: (round: number, number: number, reference: number | undefined) => void,
): Promise<Row> {
  const { subject, target } = which;
  const reference = which.reference?.peer === true && context.peer === undefined ? undefined : which.reference;
  const own: Measured[] = [];
  const other: Measured[] = [];
  for (let round = 1; round <= rounds; round++) {
    const first = await subject.run(context, which.name);
    own.push(first);
    const second = await reference?.run(context, `${which.name}-reference`);
    if (second !== undefined) other.push(second);
    onRound(round, first.number, second?.number);
  }
  const number = median(own.map((each) => each.number));
  const references = other.map((each) => each.number);
  const ratio = medianRatio(
    own.map((each) => each.number),
    references,
  );
  const cpuRatio = medianRatio(other.map(busier), own.map(busier));
  const note = own.at(-1)?.note;
  return {
    case: which.name,
    what: which.what,
    unit: which.unit,
    number,
    ...(which.reference === undefined ? {} : { reference: which.reference.name }),
    ...(references.length === 0 ? {} : { referenceNumber: median(references) }),
    ...(ratio === undefined ? {} : { ratio }),
    ...(target === undefined ? {} : { target }),
    verdict: judge(target, number, ratio),
    ...cpu("senderCpu", "senderCpu", own),
    ...cpu("receiverCpu", "receiverCpu", own),
    ...cpu("referenceSenderCpu", "senderCpu", other),
    ...cpu("referenceReceiverCpu", "receiverCpu", other),
    ...(cpuRatio === undefined || Number.isNaN(cpuRatio) ? {} : { cpuRatio }),
    ...(note === undefined ? {} : { note }),
    rounds: own.map((each, i) => [each.number, ...references.slice(i, i + 1)]),
  };
}

/** CPU of the side that takes more, s for a gigabyte; NaN where it is not measured. */
function busier({ senderCpu = Number.NaN, receiverCpu = Number.NaN }: Measured): number {
  return Math.max(senderCpu, receiverCpu);
}

function cpu(
  name: string,
  key: "senderCpu" | "receiverCpu",
  all: readonly Measured[],
): Readonly<Record<string, number>> {
  const numbers = all.map((each) => each[key]).filter((each) => each !== undefined);
  return numbers.length === 0 ? {} : { [name]: median(numbers) };
}
