/** The steps of a run as the contracts of training look at them. */

import type { Evidence, EvidenceReference } from "../model/evidence.ts";
import type { TrainingContent, TrainingStep } from "../model/training.ts";

/** A step and where it stands. */
export interface PlacedStep {
  readonly step: TrainingStep;
  readonly index: number;
}

export function placedSteps({ steps }: TrainingContent): PlacedStep[] {
  return steps.map((step, index) => ({ step, index }));
}

/** Whether the optimizer changed parameters at this step, as far as the record says. */
export function isApplied({ calls, phase }: TrainingStep): boolean {
  if (calls !== undefined) return calls.includes("step");
  return phase !== "eval";
}

/** Points at a step and quotes what matters of it. */
export function stepReference(
  { id }: Pick<Evidence, "id">,
  { step, index }: PlacedStep,
  quote: string,
): EvidenceReference {
  return { evidenceId: id, locator: `/steps/${index}`, quote: `step ${step.step}: ${quote}` };
}

/** What a verdict on a run is about. */
export function runSubject({ run, rank }: TrainingContent): { kind: string; name: string } {
  return { kind: "training-run", name: `${run}/rank ${rank}` };
}
