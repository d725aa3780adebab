/** Whether the schedule of the learning rate goes with the steps of the optimizer. */

import { isApplied, type PlacedStep } from "./step-view.ts";

/** Of steps with both a scheduler and an optimizer, so many must be in the wrong order: it is how the loop is written. */
const earlyShareMin = 0.9;

/** Steps at which the scheduler goes on between the backward pass and the optimizer's step, where nearly all do. */
export function earlySchedules(steps: readonly PlacedStep[]): PlacedStep[] {
  const both = steps.filter(
    ({ step }) => step.calls?.includes("step") && step.calls.includes("scheduler_step"),
  );
  const early = both.filter(isEarly);
  return early.length >= earlyShareMin * both.length ? early : [];
}

function isEarly({ step }: PlacedStep): boolean {
  let [isMade, isScheduled] = [false, false];
  for (const call of step.calls ?? []) {
    if (call === "backward") [isMade, isScheduled] = [true, false];
    else if (call === "scheduler_step" && isMade) isScheduled = true;
    else if (call === "step" && isScheduled) return true;
    // What steps behind the first optimizer may have a schedule of its own.
    else if (call === "step") isMade = false;
  }
  return false;
}

/** Next to nothing, as a share of the largest rate of the run. */
const rateShareMax = 1e-6;
/** Of all steps so many must be left, at the end of the run. */
const restShareMin = 0.5;

/** The steps up to the last, where they are half of the run or more, at which every rate is next to nothing. */
export function faintRest(steps: readonly PlacedStep[]): PlacedStep[] {
  const rated = steps.filter(
    ({ step }) => isApplied(step) && (step.learningRates ?? []).length > 0,
  );
  const most = rated.reduce((sum, { step }) => Math.max(sum, ...(step.learningRates ?? [])), 0);
  const last = rated.findLastIndex(({ step }) =>
    step.learningRates?.some((rate) => rate > rateShareMax * most),
  );
  const rest = rated.slice(last + 1);
  return most > 0 && rest.length >= restShareMin * rated.length ? rest : [];
}
