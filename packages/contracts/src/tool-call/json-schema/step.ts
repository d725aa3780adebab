/** One step of a walk through a schema and a value, as the groups of keywords see it. */

import type { Outcome } from "./outcome.ts";
import type { PatternCache } from "./pattern-cache.ts";

/** Where an evaluation stands. */
export interface Place {
  /** JSON pointer of the value. */
  readonly pointer: string;
  /** The resource that the schema belongs to. */
  readonly base: string;
  /** The resources that led here, outermost first. */
  readonly scope: readonly string[];
  readonly depth: number;
}

/** What keywords need of the walk: to go deeper, to count their work, to match patterns. */
export interface Walk {
  readonly patterns: PatternCache;
  evaluate(schema: unknown, value: unknown, place: Place): Outcome;
  spend(steps: number): void;
}

/** One schema object before one value. */
export interface Step {
  readonly walk: Walk;
  readonly schema: Readonly<Record<string, unknown>>;
  readonly value: unknown;
  readonly place: Place;
  readonly outcome: Outcome;
}

/** The same value, one schema deeper. */
export function inside(place: Place): Place {
  return { ...place, depth: place.depth + 1 };
}

/** A part of the value, one schema deeper. */
export function below(place: Place, name: string | number): Place {
  const token = String(name).replaceAll("~", "~0").replaceAll("/", "~1");
  return { ...place, pointer: `${place.pointer}/${token}`, depth: place.depth + 1 };
}
