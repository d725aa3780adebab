/** A contract: a named, versioned, pure check. Snapshot in, findings out; no I/O, no clock, no randomness. */

import type { EvidenceKind } from "./evidence.ts";
import type { Boundary, Finding } from "./finding.ts";
import type { Snapshot } from "./snapshot.ts";

/** What an option of a contract can be set to. */
export type OptionValue = number | string | boolean | readonly string[];

/** A threshold or list that a contract decides by. */
export interface ContractOption {
  /** With its unit and bound last, for example `countMin`. */
  readonly name: string;
  readonly default: OptionValue;
  /** One sentence: what it means, with its unit. */
  readonly description: string;
}

export interface Contract {
  /** `family/name`; never renamed once released. */
  readonly id: string;
  /** Raised when the same snapshot may get another verdict. */
  readonly version: number;
  readonly boundary: Boundary;
  /** One sentence: what this contract promises when it holds. */
  readonly promise: string;
  /** It is run when at least one of these kinds is in the snapshot. */
  readonly reads: readonly EvidenceKind[];
  /** What can be set, with the documented defaults. */
  readonly options: readonly ContractOption[];
  /** The same contract with other values. Throws a `ContractOptionError` that names what does not fit. */
  with(values: Readonly<Record<string, unknown>>): Contract;
  /**
   * Findings in a stable order. Evidence that the contract cannot judge yields `inconclusive` with what is
   * missing; evidence that does not concern it yields nothing. Never throws on evidence that fits its schema.
   */
  check(snapshot: Snapshot): Finding[];
}
