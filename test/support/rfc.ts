import { it as vitestIt } from "vitest";

/** Requirement, vector, ambiguity or feature ids (R7016-…, R7425-…, V1-…, V2-…, AMB-…, F-…, C-…) that a test shows. */
export interface Shows {
  readonly ids: readonly string[];
}

/** A test body. */
export type Body = () => void | Promise<void>;

/** Names what a test shows: `it(...rfc("R7016-2.2.2-02", "V2-86"), "unscrambles short packets", () => { … })`. */
export function rfc(...ids: string[]): [Shows] {
  return [{ ids }];
}

/** vitest's `it` that takes {@link rfc} in front; the ids become part of the test's name, where coverage:rfc finds them. */
export function it(shows: Shows, sentence: string, body: Body, timeoutMs?: number): void;
export function it(sentence: string, body: Body, timeoutMs?: number): void;
export function it(...args: Spread): void {
  if (typeof args[0] === "string") {
    const [sentence, body, timeoutMs] = args as Plain;
    vitestIt(sentence, body, timeoutMs);
    return;
  }
  const [shows, sentence, body, timeoutMs] = args as Named;
  vitestIt(`${sentence} [${shows.ids.join(" ")}]`, body, timeoutMs);
}

type Plain = [sentence: string, body: Body, timeoutMs?: number | undefined];
type Named = [shows: Shows, ...Plain];
type Spread = Plain | Named;
