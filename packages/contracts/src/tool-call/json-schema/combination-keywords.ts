/** allOf, anyOf, oneOf, not, if, dependentSchemas: schemas about the same value. */

import { isFields } from "../../model/fields.ts";
import { inside, type Step } from "./step.ts";
import type { Outcome } from "./outcome.ts";

/** Judges the keywords that combine schemas. */
export function evaluateCombinations(step: Step): void {
  const { schema } = step;
  const { allOf, anyOf, oneOf } = schema;
  if (Array.isArray(allOf)) {
    for (const part of allOf) step.outcome.requireInPlace(evaluateHere(step, part));
  }
  if (Array.isArray(anyOf)) evaluateAny(step, anyOf);
  if (Array.isArray(oneOf)) evaluateOne(step, oneOf);
  if (schema["not"] !== undefined) evaluateNot(step, schema["not"]);
  if (schema["if"] !== undefined) evaluateCondition(step);
  evaluateDependent(step);
}

function evaluateHere({ walk, value, place }: Step, schema: unknown): Outcome {
  return walk.evaluate(schema, value, inside(place));
}

function evaluateAny(step: Step, options: readonly unknown[]): void {
  const outcomes = options.map((option) => evaluateHere(step, option));
  const fitting = outcomes.filter((outcome) => outcome.verdict === "valid");
  if (fitting.length > 0) {
    for (const outcome of fitting) takeChosen(step, outcome);
    return;
  }
  judgeWithout(step, outcomes);
}

function evaluateOne(step: Step, options: readonly unknown[]): void {
  const outcomes = options.map((option) => evaluateHere(step, option));
  const fitting = outcomes.filter((outcome) => outcome.verdict === "valid");
  const unknown = outcomes.filter((outcome) => outcome.verdict === "unknown");
  const [only] = fitting;
  if (only === undefined) {
    judgeWithout(step, outcomes);
  } else if (fitting.length > 1) {
    const { pointer } = step.place;
    step.outcome.fail({
      keyword: "oneOf",
      pointer,
      expected: `exactly one of ${options.length} alternatives`,
      actual: `a value that fits ${fitting.length} of them`,
    });
  } else {
    takeChosen(step, only);
    for (const outcome of unknown) takeDoubts(step, outcome);
  }
}

/** No alternative fits: unknown when one of them could not be judged, else the faults of the closest. */
function judgeWithout(step: Step, outcomes: readonly Outcome[]): void {
  const unknown = outcomes.filter((outcome) => outcome.verdict === "unknown");
  if (unknown.length > 0) {
    for (const outcome of unknown) {
      takeDoubts(step, outcome);
      step.outcome.absorb(outcome);
      step.outcome.declare(outcome.declarations);
    }
    return;
  }
  const closest = closestOf(outcomes);
  if (closest === undefined) {
    step.outcome.fail({
      keyword: "anyOf",
      pointer: step.place.pointer,
      expected: "one of no alternatives",
      actual: "a value",
    });
    return;
  }
  const { pointer } = step.place;
  const wanted = outcomes.map((outcome) =>
    outcome.problems.find((problem) => problem.pointer === pointer && problem.keyword === "type"),
  );
  if (wanted.every((problem) => problem !== undefined)) {
    const [first] = wanted;
    const expected = [...new Set(wanted.map((problem) => problem.expected))].join(" or ");
    if (first !== undefined) step.outcome.fail({ ...first, expected });
    return;
  }
  step.outcome.require(closest);
}

/** The alternative that fails deepest in the value, then with the fewest faults: the one that was meant. */
function closestOf(outcomes: readonly Outcome[]): Outcome | undefined {
  const isOfType = (outcome: Outcome): number =>
    Math.min(...outcome.problems.map((problem) => (problem.keyword === "type" ? 0 : 1)), 1);
  return [...outcomes].sort(
    (left, right) =>
      isOfType(right) - isOfType(left) || left.problems.length - right.problems.length,
  )[0];
}

function takeChosen({ outcome }: Step, chosen: Outcome): void {
  outcome.absorb(chosen);
  outcome.declare(chosen.declarations);
}

function takeDoubts({ outcome }: Step, other: Outcome): void {
  for (const doubt of other.doubts) outcome.doubt(doubt);
  if (other.doubts.length === 0) outcome.doubt("an alternative cannot be judged");
}

function evaluateNot(step: Step, schema: unknown): void {
  const inner = evaluateHere(step, schema);
  if (inner.verdict === "unknown") takeDoubts(step, inner);
  if (inner.verdict !== "valid") return;
  step.outcome.fail({
    keyword: "not",
    pointer: step.place.pointer,
    expected: "a value that does not fit the schema under not",
    actual: "one that fits it",
  });
}

function evaluateCondition(step: Step): void {
  const { schema, outcome } = step;
  const condition = evaluateHere(step, schema["if"]);
  if (condition.verdict === "unknown") {
    takeDoubts(step, condition);
    return;
  }
  if (condition.verdict === "valid") takeChosen(step, condition);
  const branch = schema[condition.verdict === "valid" ? "then" : "else"];
  if (branch !== undefined) outcome.requireInPlace(evaluateHere(step, branch));
}

function evaluateDependent(step: Step): void {
  const { schema, value, outcome } = step;
  if (!isFields(value)) return;
  for (const keyword of ["dependentSchemas", "dependencies"]) {
    const dependent = schema[keyword];
    if (!isFields(dependent)) continue;
    for (const [name, part] of Object.entries(dependent)) {
      if (!Object.hasOwn(value, name) || Array.isArray(part)) continue;
      outcome.requireInPlace(evaluateHere(step, part));
    }
  }
}
