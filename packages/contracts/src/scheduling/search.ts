/** The search for the smallest set of changes after which a pod fits. */

import type { Change } from "./changes/change.ts";
import { changesAgainst } from "./changes/candidates.ts";
import type { Surroundings } from "./changes/surroundings.ts";
import type { Situation } from "./filters/filter.ts";
import { controlPlaneKeys, type Node } from "./node.ts";
import { lowerBound } from "./lower-bound.ts";
import type { PodTerm } from "./pod-terms.ts";
import { firstObstacle, judgeNode, type NodeVerdict } from "./filters/scheduler.ts";

/** Limits of one search. */
export const searchLimits = {
  /** Situations that are judged. What is not reached by then is not found, and the answer says so. */
  stepCountMax: 5_000,
  solutionCountMax: 5,
  /** Situations that are judged after the first solution, for the sake of alternatives. */
  furtherStepCountMax: 200,
  /** Nodes that are looked at after the first solution; the next thousand would only repeat it. */
  furtherNodeCountMax: 20,
  /** Nodes that are tried for a single change. */
  singleNodeCountMax: 100,
} as const;

/** Changes after which the pod fits a node. */
export interface Solution {
  readonly changes: readonly Change[];
  readonly cost: number;
  readonly nodeName: string;
  /** Every filter was run again on the changed objects, and none lacked a fact. */
  readonly isVerified: boolean;
}

export interface SearchResult {
  /** Cheapest first; none contains another. */
  readonly solutions: readonly Solution[];
  /** The search was complete, so the first solution is the smallest. */
  readonly isExact: boolean;
}

interface State {
  /** The situation before the last change, which is made only when the state's turn comes. */
  readonly before: Situation;
  readonly original: Node;
  readonly changes: readonly Change[];
  readonly cost: number;
  /** A lower bound of what a solution from here costs. */
  readonly bound: number;
  /** The node and the changes, whatever their order. */
  readonly key: string;
  /** Among equals a node of the control plane comes last. */
  readonly isControlPlane: boolean;
}

/**
 * Looks at situations in order of the least that a solution through them can cost. The bound of a node never exceeds
 * the true cost, so the first situation without an obstacle is the smallest solution.
 */
export function findSmallestChanges(
  verdicts: readonly NodeVerdict[],
  surroundings: Surroundings,
): SearchResult {
  const known = new Map<string | PodTerm, number>();
  const starts: Start[] = [];
  for (const verdict of verdicts) {
    const { situation } = verdict;
    const bound = lowerBound(verdict, { surroundings, original: situation.node }, known);
    if (bound !== undefined) starts.push({ situation, bound });
  }
  const result = drain(new StateQueue(starts), surroundings);
  const isSingleKnown = result.solutions.some((solution) => solution.changes.length === 1);
  const single = isSingleKnown ? undefined : smallestSingleChange(verdicts, surroundings);
  return single === undefined ? result : { ...result, solutions: [...result.solutions, single] };
}

/** A node as it is, and the least that it can cost. */
interface Start {
  readonly situation: Situation;
  readonly bound: number;
}

function drain(queue: StateQueue, surroundings: Surroundings): SearchResult {
  const solutions: Solution[] = [];
  const seen = new Set<string>();
  let stepsLeft: number = searchLimits.stepCountMax;
  for (let state = queue.take(); state !== undefined; state = queue.take()) {
    if (solutions.length >= searchLimits.solutionCountMax) return { solutions, isExact: true };
    if (stepsLeft <= 0) return { solutions, isExact: solutions.length > 0 };
    if (seen.has(state.key) || solutions.some((solution) => contains(state, solution))) continue;
    stepsLeft -= 1;
    seen.add(state.key);
    const situation = situationOf(state);
    const obstacle = firstObstacle(situation);
    if (obstacle === undefined) {
      if (solutions.length === 0) {
        stepsLeft = Math.min(stepsLeft, searchLimits.furtherStepCountMax);
        queue.limitStarts(searchLimits.furtherNodeCountMax);
      }
      solutions.push(solutionOf(state, situation));
      continue;
    }
    const { original } = state;
    for (const change of changesAgainst(obstacle, situation, { surroundings, original })) {
      if (state.changes.some((other) => other.place === change.place)) continue;
      const cost = state.cost + change.cost;
      queue.add(
        stateOf({
          before: situation,
          original,
          changes: [...state.changes, change],
          cost,
          bound: Math.max(cost, state.bound),
        }),
      );
    }
  }
  return { solutions, isExact: true };
}

/** The cheapest single change that makes the pod fit, for when cheaper sets of several came first. */
function smallestSingleChange(
  verdicts: readonly NodeVerdict[],
  surroundings: Surroundings,
): Solution | undefined {
  let best: State | undefined;
  for (const { situation, obstacles } of verdicts.slice(0, searchLimits.singleNodeCountMax)) {
    const [obstacle] = obstacles;
    if (obstacle === undefined) continue;
    const original = situation.node;
    for (const change of changesAgainst(obstacle, situation, { surroundings, original })) {
      if (best !== undefined && change.cost >= best.cost) continue;
      const changed = change.apply(situation);
      if (firstObstacle(changed) !== undefined) continue;
      best = stateOf({
        before: situation,
        original,
        changes: [change],
        cost: change.cost,
        bound: change.cost,
      });
    }
  }
  return best === undefined ? undefined : solutionOf(best, situationOf(best));
}

function situationOf({ before, changes }: State): Situation {
  return changes.at(-1)?.apply(before) ?? before;
}

function solutionOf({ changes, cost }: State, situation: Situation): Solution {
  const verdict = judgeNode(situation);
  return {
    changes,
    cost,
    nodeName: situation.node.name,
    isVerified: verdict.obstacles.length === 0 && verdict.unknown.length === 0,
  };
}

/** Whether a state has all changes of a solution: then what it adds is superfluous. */
function contains(state: State, solution: Solution): boolean {
  const isSamePlace =
    solution.nodeName === state.before.node.name ||
    solution.changes.every((change) => change.touches !== "node");
  return (
    isSamePlace &&
    solution.changes.every((change) => state.changes.some((other) => other.key === change.key))
  );
}

function stateOf(state: Omit<State, "key" | "isControlPlane">): State {
  const { before, changes } = state;
  return {
    ...state,
    isControlPlane: isControlPlane(state.original),
    key: [before.node.name, ...changes.map((change) => change.key).sort()].join("\n"),
  };
}

/**
 * A heap of states by their lower bound; among equals the changes decide, never the order of the input. Nodes stand in
 * line in the same order and enter one by one: of thousands most never do.
 */
class StateQueue {
  readonly #heap: State[] = [];
  readonly #starts: Generator<Start>;
  #next: State | undefined;
  #startsLeft = Number.POSITIVE_INFINITY;

  constructor(starts: readonly Start[]) {
    this.#starts = inOrder(starts);
    this.#advance();
  }

  add(state: State): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(state);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#isBefore(at, parent)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  take(): State | undefined {
    const start = this.#next;
    const [top] = this.#heap;
    if (start === undefined || (top !== undefined && comesFirst(top, start))) return this.#pop();
    this.#advance();
    return start;
  }

  /** Lets only so many more nodes in. */
  limitStarts(count: number): void {
    this.#startsLeft = Math.min(this.#startsLeft, count);
  }

  #advance(): void {
    if (this.#startsLeft <= 0) {
      this.#next = undefined;
      return;
    }
    this.#startsLeft -= 1;
    const { value, done } = this.#starts.next();
    this.#next = done === true ? undefined : stateOfStart(value);
  }

  #pop(): State | undefined {
    const heap = this.#heap;
    const [first] = heap;
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    heap[0] = last;
    let at = 0;
    for (;;) {
      const [left, right] = [2 * at + 1, 2 * at + 2];
      let least = at;
      if (left < heap.length && this.#isBefore(left, least)) least = left;
      if (right < heap.length && this.#isBefore(right, least)) least = right;
      if (least === at) return first;
      this.#swap(at, least);
      at = least;
    }
  }

  #isBefore(left: number, right: number): boolean {
    const [one, other] = [this.#heap[left], this.#heap[right]];
    return one !== undefined && other !== undefined && comesFirst(one, other);
  }

  #swap(left: number, right: number): void {
    const [one, other] = [this.#heap[left], this.#heap[right]];
    if (one === undefined || other === undefined) return;
    this.#heap[left] = other;
    this.#heap[right] = one;
  }
}

function stateOfStart({ situation, bound }: Start): State {
  return stateOf({ before: situation, original: situation.node, changes: [], cost: 0, bound });
}

/** Nodes in the order of `comesFirst`: they come by name, so only bounds and fences are left to sort by. */
function* inOrder(starts: readonly Start[]): Generator<Start> {
  const byBound = Map.groupBy(starts, ({ bound }) => bound);
  for (const [, equal] of [...byBound].sort(([left], [right]) => left - right)) {
    const fenced: Start[] = [];
    for (const start of equal) {
      if (isControlPlane(start.situation.node)) fenced.push(start);
      else yield start;
    }
    yield* fenced;
  }
}

function isControlPlane({ labels }: Node): boolean {
  return controlPlaneKeys.some((key) => labels.has(key));
}

/** By lower bound; then whoever is further along, then with fewer changes, then by name. */
function comesFirst(left: State, right: State): boolean {
  if (left.bound !== right.bound) return left.bound < right.bound;
  if (left.cost !== right.cost) return left.cost > right.cost;
  if (left.changes.length !== right.changes.length)
    return left.changes.length < right.changes.length;
  if (left.isControlPlane !== right.isControlPlane) return right.isControlPlane;
  return left.key < right.key;
}
