/** What can be decided about a resolver or a handler. */

import type { Growth } from "./growth.ts";
import type { ClassifiedGroup, Observation } from "./observation.ts";

/** What makes repetition a loop over a list, strongest first. */
export type Basis = "growth" | "list-items" | "list-rows" | "repetition";

/** Why repetition is no firm verdict. */
export type Doubt =
  | "parent-missing"
  | "statement-cut"
  | "list-hidden"
  | "write-without-list"
  | "document-unknown"
  | "same-target"
  | "same-write"
  | "lock-or-sequence"
  | "may-be-pages"
  | "set-aside";

export type Judgement =
  | {
      readonly kind: "repeated";
      readonly groups: readonly ClassifiedGroup[];
      readonly worst: ClassifiedGroup;
      readonly basis: Basis;
      readonly growth: Growth | undefined;
    }
  | {
      readonly kind: "doubtful";
      readonly groups: readonly ClassifiedGroup[];
      readonly worst: ClassifiedGroup;
      readonly doubt: Doubt;
    }
  | {
      readonly kind: "batched";
      readonly listLengthMax: number;
      readonly countMax: number;
      readonly growth: Growth | undefined;
      /** The request with the longest list, and its calls. */
      readonly widest: Observation;
    }
  | {
      readonly kind: "unclear-list";
      readonly reason: ListDoubt;
      readonly listLengthMax: number | undefined;
      readonly widest: Observation;
    };

/** Why an access without repetition proves nothing. */
export type ListDoubt =
  | "too-short"
  | "length-unknown"
  | "keys-may-repeat"
  | "calls-per-item"
  | "several-batches"
  | "nothing-batched";
