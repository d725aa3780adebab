/** Preemption: whether evicting pods of lower priority would make room, which, and what the scheduler says of it. */

import { listAt, fieldsAt, integerAt } from "../kubernetes/fields.ts";
import type { Source } from "../kubernetes/objects.ts";
import { type Expression, readLabelSelector, selects } from "../kubernetes/selector.ts";
import { histogramText } from "./events.ts";
import type { Situation } from "./filters/filter.ts";
import { firstObstacle, judgeNode, type NodeVerdict } from "./filters/scheduler.ts";
import { type Node, withPods } from "./node.ts";
import type { Pod } from "./pod.ts";

/** Pods whose eviction lets the pod in. */
export interface Eviction {
  readonly nodeName: string;
  /** The most important first. */
  readonly victims: readonly Pod[];
  /** Victims whose eviction goes against a disruption budget. */
  readonly overBudget: readonly Pod[];
}

/** What comes of preemption. */
export interface Preemption {
  /** What the scheduler's event says of it; absent when it helps, and when too little is known. */
  readonly text: string | undefined;
  readonly eviction: Eviction | undefined;
}

/** A disruption budget as far as preemption heeds it. */
export interface Budget {
  readonly namespace: string;
  readonly selector: readonly Expression[];
  readonly disruptionCountMax: number;
  readonly disruptedPods: ReadonlySet<string>;
}

/** Nodes on which a dry run may succeed before the best of them is taken, as the scheduler does by default. */
const candidateCountMax = 100;
const noVictims = "No preemption victims found for incoming pod";
const notHelpful = "Preemption is not helpful for scheduling";

/** The budgets that select any pod. */
export function readBudgets(sources: readonly Source[]): Budget[] {
  return sources.flatMap(({ object }): Budget[] => {
    const selector = readLabelSelector(fieldsAt(object, "spec")["selector"]) ?? [];
    if (selector.length === 0) return [];
    return [
      {
        namespace: object.metadata.namespace ?? "default",
        selector,
        disruptionCountMax: integerAt(object, "status", "disruptionsAllowed") ?? 0,
        disruptedPods: new Set(Object.keys(fieldsAt(object, "status", "disruptedPods"))),
      },
    ];
  });
}

/** Tries preemption for a pod that every node refuses. */
export function preempt(
  pod: Pod,
  verdicts: readonly NodeVerdict[],
  budgets: readonly Budget[],
): Preemption {
  if (verdicts.some(({ unknown }) => unknown.length > 0))
    return { text: undefined, eviction: undefined };
  const reason = ineligibility(pod, verdicts);
  if (reason !== undefined) return { text: reason, eviction: undefined };
  const counts = new Map<string, number>();
  const count = (text: string): void => void counts.set(text, (counts.get(text) ?? 0) + 1);
  const evictions: Eviction[] = [];
  for (const verdict of verdicts) {
    if (evictions.length >= candidateCountMax) break;
    if (!verdict.isResolvable) {
      count(notHelpful);
      continue;
    }
    const outcome = dryRun(verdict.situation, budgets);
    if ("victims" in outcome) evictions.push(outcome);
    else for (const text of outcome.reasons) count(text);
  }
  const [best] = evictions.sort(compareEvictions);
  if (best !== undefined) return { text: undefined, eviction: best };
  return { text: histogramText(verdicts.length, counts), eviction: undefined };
}

/** Why the scheduler does not even try. */
function ineligibility(pod: Pod, verdicts: readonly NodeVerdict[]): string | undefined {
  if (pod.priority.policy === "Never") return "not eligible due to preemptionPolicy=Never.";
  const nominated = verdicts.find(({ situation }) => situation.node.name === pod.nominatedNode);
  if (nominated === undefined || !nominated.isResolvable) return undefined;
  const isWaiting = nominated.situation.node.pods.some(
    (other) => other.priority.value < pod.priority.value && isEvictedByScheduler(other),
  );
  return isWaiting ? "not eligible due to a terminating pod on the nominated node." : undefined;
}

/** Whether a pod is on its way out because the scheduler evicted it. */
export function isEvictedByScheduler({ isTerminating, source }: Pod): boolean {
  return (
    isTerminating &&
    listAt(source.object, "status", "conditions").some((item) => {
      const { type, status, reason } = fieldsAt(item);
      return type === "DisruptionTarget" && status === "True" && reason === "PreemptionByScheduler";
    })
  );
}

function dryRun(
  situation: Situation,
  budgets: readonly Budget[],
): Eviction | { readonly reasons: readonly string[] } {
  const { pod, node } = situation;
  const candidates = node.pods
    .filter((other) => other.priority.value < pod.priority.value)
    .sort(compareImportance);
  if (candidates.length === 0) return { reasons: [noVictims] };
  const left = new Set(node.pods);
  for (const victim of candidates) left.delete(victim);
  const at = (): Situation => ({ ...situation, node: withPods(node, [...left]) });
  const emptied = at();
  if (firstObstacle(emptied) !== undefined) return { reasons: judgeNode(emptied).eventReasons };

  // Those whose eviction goes against a budget are spared first, then the more important ones.
  const { over, within } = byBudget(candidates, budgets);
  const victims = new Set<Pod>();
  for (const candidate of [...over, ...within]) {
    left.add(candidate);
    if (firstObstacle(at()) === undefined) continue;
    left.delete(candidate);
    victims.add(candidate);
  }
  return {
    nodeName: node.name,
    victims: candidates.filter((candidate) => victims.has(candidate)),
    overBudget: over.filter((candidate) => victims.has(candidate)),
  };
}

function byBudget(
  pods: readonly Pod[],
  budgets: readonly Budget[],
): { over: readonly Pod[]; within: readonly Pod[] } {
  const left = new Map(budgets.map((budget) => [budget, budget.disruptionCountMax]));
  const over = pods.filter((pod) => {
    let isOver = false;
    for (const [budget, count] of left) {
      if (budget.namespace !== pod.namespace || !selects(budget.selector, pod)) continue;
      if (budget.disruptedPods.has(pod.name)) continue;
      left.set(budget, count - 1);
      isOver ||= count - 1 < 0;
    }
    return isOver;
  });
  return { over, within: pods.filter((pod) => !over.includes(pod)) };
}

/** By priority, then by how long a pod has run, then by name. */
function compareImportance(left: Pod, right: Pod): number {
  return (
    right.priority.value - left.priority.value ||
    compare(left.startTime, right.startTime) ||
    compare(`${left.namespace}/${left.name}`, `${right.namespace}/${right.name}`)
  );
}

/** The scheduler's order: budgets, the most important victim, all victims together, their number, the youngest. */
function compareEvictions(left: Eviction, right: Eviction): number {
  const offset = 2 ** 31;
  const sum = ({ victims }: Eviction): number =>
    victims.reduce((total, victim) => total + victim.priority.value + offset, 0);
  const highest = ({ victims: [first] }: Eviction): number => first?.priority.value ?? -offset;
  return (
    left.overBudget.length - right.overBudget.length ||
    highest(left) - highest(right) ||
    sum(left) - sum(right) ||
    left.victims.length - right.victims.length ||
    compare(right.victims[0]?.startTime ?? "", left.victims[0]?.startTime ?? "") ||
    compare(left.nodeName, right.nodeName)
  );
}

function compare(left: string, right: string): number {
  return left < right ? -1 : Number(left > right);
}

/** The pods on a node that wait for it with at least the pod's priority: the scheduler keeps their room for them. */
export function nominatedBefore(pod: Pod, nominated: readonly Pod[]): Pod[] {
  return nominated.filter(
    (other) =>
      other.source.object !== pod.source.object && other.priority.value >= pod.priority.value,
  );
}

/** A node with the pods that wait for it. */
export function withNominated(node: Node, nominated: readonly Pod[]): Node {
  return nominated.length === 0 ? node : withPods(node, [...node.pods, ...nominated]);
}
