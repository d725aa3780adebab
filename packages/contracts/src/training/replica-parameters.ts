/** Compares parameters of the ranks of a run, step by step. */

import type { EvidenceOf } from "../model/snapshot.ts";
import type { ParameterState, TrainingContent } from "../model/training.ts";
import { numberOf } from "./measured.ts";
import { isApplied, type PlacedStep, placedSteps } from "./step-view.ts";

type Run = EvidenceOf<"training">;

/** A step that at least two ranks have. */
export interface ReplicaSteps {
  readonly step: number;
  readonly places: readonly { readonly run: Run; readonly place: PlacedStep }[];
}

export interface DifferingParameter {
  readonly name: string;
  /** Where it differs first. */
  readonly place: PlacedStep;
  readonly ranks: readonly number[];
  readonly runs: readonly { readonly run: Run; readonly place: PlacedStep }[];
  readonly quotes: readonly string[];
  stepCount: number;
  lastsToEnd: boolean;
}

/** Norms that are summed in another order differ by less. */
const normShareMax = 1e-4;

/** The steps that train and that at least two ranks have, in their order. */
export function sharedSteps(ranks: readonly Run[]): ReplicaSteps[] {
  const steps = new Map<number, { run: Run; place: PlacedStep }[]>();
  for (const run of ranks) {
    const own = new Set<number>();
    for (const place of placedSteps(run.content)) {
      const { step } = place.step;
      if (place.step.phase === "eval" || own.has(step)) continue;
      own.add(step);
      const known = steps.get(step);
      if (known === undefined) steps.set(step, [{ run, place }]);
      else known.push({ run, place });
    }
  }
  return [...steps]
    .filter(([, places]) => places.length > 1)
    .toSorted(([left], [right]) => left - right)
    .map(([step, places]) => ({ step, places }));
}

/** Parameters that differ between ranks, whether that is declared to be wrong, and how many steps could be compared. */
export function differingParameters(
  ranks: readonly Run[],
  steps: readonly ReplicaSteps[],
): { compared: number; differing: DifferingParameter[]; isDeclared: boolean } {
  const isData = ranks.every(({ content }) => content.parallelism === "data");
  const differing = new Map<string, DifferingParameter>();
  let compared = 0;
  let isDeclared = isData;
  for (const step of steps) {
    let isCompared = false;
    for (const [name, states] of statesOf(step)) {
      if (states.length < 2) continue;
      isCompared = true;
      const pair = differenceOf(states);
      const known = differing.get(name);
      if (pair === undefined) {
        if (known !== undefined) known.lastsToEnd = false;
        continue;
      }
      if (pair.every(({ state }) => state.isReplicated === true)) isDeclared = true;
      if (known !== undefined) {
        known.stepCount += 1;
        known.lastsToEnd = true;
        continue;
      }
      differing.set(name, {
        name,
        place: pair[0].place,
        ranks: pair.map(({ run }) => run.content.rank),
        runs: pair,
        quotes: pair.map(({ run, state }) => quoteOf(run.content, state)),
        stepCount: 1,
        lastsToEnd: true,
      });
    }
    if (isCompared) compared += 1;
  }
  return { compared, differing: [...differing.values()].toSorted(mostFirst), isDeclared };
}

function mostFirst(left: DifferingParameter, right: DifferingParameter): number {
  return (
    Number(right.lastsToEnd) - Number(left.lastsToEnd) ||
    right.stepCount - left.stepCount ||
    (left.name < right.name ? -1 : 1)
  );
}

interface PlacedState {
  readonly run: Run;
  readonly place: PlacedStep;
  readonly state: ParameterState;
}

/** The states of each parameter that is not declared to be divided, where a value is recorded. */
function statesOf({ places }: ReplicaSteps): Map<string, PlacedState[]> {
  const states = new Map<string, PlacedState[]>();
  for (const { run, place } of places) {
    // Of a run in other parallelism only what is declared to be replicated has to be equal.
    const isOther = run.content.parallelism === "other";
    if (!isApplied(place.step)) continue;
    for (const state of place.step.parameters ?? []) {
      const isMeant = isOther ? state.isReplicated === true : state.isReplicated !== false;
      const isKnown = state.checksum !== undefined || Number.isFinite(numberOf(state.norm));
      if (!isMeant || !isKnown) continue;
      const known = states.get(state.name);
      if (known === undefined) states.set(state.name, [{ run, place, state }]);
      else known.push({ run, place, state });
    }
  }
  return states;
}

function differenceOf(states: readonly PlacedState[]): [PlacedState, PlacedState] | undefined {
  const [first, ...others] = states;
  if (first === undefined) return undefined;
  const other = others.find(({ state }) => isDifferent(first.state, state));
  return other === undefined ? undefined : [first, other];
}

function isDifferent(left: ParameterState, right: ParameterState): boolean {
  if (left.checksum !== undefined && right.checksum !== undefined)
    return left.checksum !== right.checksum;
  const [one, another] = [numberOf(left.norm), numberOf(right.norm)];
  if (one === undefined || another === undefined) return false;
  return Math.abs(one - another) > normShareMax * Math.max(Math.abs(one), Math.abs(another));
}

function quoteOf({ rank }: TrainingContent, { name, checksum, norm }: ParameterState): string {
  return `rank ${rank}: ${name} ${checksum === undefined ? `norm ${norm ?? ""}` : `checksum ${checksum}`}`;
}
