/** A name and what is declared of it: a parameter, a result, or the value of a property or constant. */
export interface ApiValue {
  /** As in the source; "result" for what a function returns. */
  readonly name: string;
  /** The type as in the source; a literal text, or "number", where only a value is written. */
  readonly type: string;
  /** A parameter may be left out. */
  readonly optional: boolean;
}

/** One thing that a package shows: an export, a member of one, or a field of a type written in place. */
export interface ApiItem {
  /** Path from the repository's root. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** `Session.openFlow`. */
  readonly name: string;
  readonly kind: "export" | "member" | "field" | "constructor";
  /** Its comment as written, or that of the interface's member that it implements; "" if there is none. */
  readonly doc: string;
  /** The comments of what it stands in, outermost first. */
  readonly around: string;
  /** The comment at the head of its file. */
  readonly head: string;
  /** A property that may be left out. */
  readonly optional: boolean;
  readonly parameters: readonly ApiValue[];
  /** What it is or returns; undefined for types, and for functions that return nothing. */
  readonly value: ApiValue | undefined;
  /** Its body, or a function of its file that it calls, has a `throw` that it does not catch. */
  readonly throws: boolean;
}
