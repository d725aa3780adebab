/** What is wrong with a call. Equal faults of one tool are reported together. */

import type { EvidenceId } from "../model/evidence.ts";

export type FaultKind =
  | "unknown-tool"
  | "not-json"
  | "not-an-object"
  | "unknown-field"
  | "missing-field"
  | "wrong-type"
  | "wrong-value"
  | "call-without-result"
  | "result-without-call"
  | "duplicate-call-id"
  | "second-result";

export interface Fault {
  readonly kind: FaultKind;
  readonly tool: string;
  /** What is wrong, as the end of a sentence that begins with the tool's name. */
  readonly what: string;
  readonly expected: string;
  readonly actual: string;
  /** JSON pointer into the arguments; empty for the arguments as a whole and for faults of pairing. */
  readonly pointer: string;
  /** The nearest valid name, where there is one. */
  readonly nearest?: string;
  /** What to change. */
  readonly fix: string;
  readonly evidenceId: EvidenceId;
  readonly locator: string;
  /** The shape of the arguments, without their values. */
  readonly quote?: string;
}
