import { readSource } from "./source-files.ts";

/** A row of the requirement list: RFC 7016 and RFC 7425, worked vectors (V1, V2), and choices the RFCs leave (AMB). */
export interface Requirement {
  /** R7016-<section>-<nn>, R7425-<section>-<nn>, V1-<nn>, V2-<nn> or AMB-<nn>. */
  readonly id: string;
  /** MUST, SHOULD, MAY; MUST* (stated flatly), FORMAT, CONST; VECTOR for V1 and V2; CHOICE for AMB. */
  readonly level: string;
  /** Whom it binds: initiator, responder, sender, receiver, forwarder, redirector, server, client or any. */
  readonly role: string;
  /** What it is about, in our words, shortened. */
  readonly title: string;
}

/** A row of the feature list (F-, C-, V-, B-, P-, O-, G-, W-): what Flash applications and their servers do. */
export interface Feature {
  readonly id: string;
  readonly title: string;
}

/** The requirement list, in the order of the RFCs. */
export function requirements(): Requirement[] {
  return JSON.parse(readSource("test/support/requirements.json")) as Requirement[];
}

/** The feature list. */
export function features(): Feature[] {
  return JSON.parse(readSource("test/support/features.json")) as Feature[];
}
