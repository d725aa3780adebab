/** What is known of one resolver or handler in one request: its list, and its calls in groups of one shape. */

import type { Unit, UnitCall } from "../../traces/unit.ts";

/** What one resolver or handler did in one unit of work. */
export interface Observation {
  readonly unit: Unit;
  /** Items of the list that was resolved, by the indices of its resolver spans. */
  readonly listLength: number | undefined;
  /** The index of a span that shows the list. */
  readonly listSpanIndex: number | undefined;
  /** Calls by shape and calling function, each list in order of time. */
  groups: readonly ClassifiedGroup[];
  /** The same calls in one list, in order of their groups. */
  ownCalls: readonly UnitCall[];
  /** The most rows that one of these calls brought, or values that it asked for at once; 0 where neither is recorded. */
  ownLengthMax: number;
}

/** Why calls of one shape repeat. */
export type GroupNature =
  | "loop"
  | "retry"
  | "polling"
  | "pages"
  | "scatter"
  | "cache"
  | "warm-up"
  | "batches"
  | "files";

/** Calls of one shape that one function made. */
export interface ClassifiedGroup {
  readonly observation: Observation;
  /** Equal for such calls in all requests. */
  readonly place: string;
  readonly calls: readonly UnitCall[];
  readonly nature: GroupNature;
  /** Calls that are no retry of an earlier one. */
  readonly count: number;
  /** Items of the list behind the calls, by resolver indices, else by the rows of an earlier call. */
  readonly listLength: number | undefined;
  /** Distinct list items that made one of these calls themselves. */
  readonly itemCount: number;
}
