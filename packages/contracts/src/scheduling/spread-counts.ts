/** How the pods that a spread constraint counts lie over the domains of its topology. */

import { selects } from "../kubernetes/selector.ts";
import { matchesNode } from "./filters/node-affinity.ts";
import type { Situation } from "./filters/filter.ts";
import { repellingTaint } from "./filters/taint-toleration.ts";
import type { Neighbours } from "./neighbours.ts";
import type { Node } from "./node.ts";
import type { Skew } from "./obstacle.ts";
import type { Pod } from "./pod.ts";
import type { SpreadConstraint } from "./pod-terms.ts";

interface Counts {
  readonly constraint: SpreadConstraint;
  readonly self: number;
  readonly pods: ReadonlyMap<string, number>;
  /** Nodes that count, by domain. */
  readonly nodes: ReadonlyMap<string, number>;
  /** The domains, those with the fewest pods first. */
  readonly ascending: readonly string[];
}

/** The skew of each constraint on the situation's node; `undefined` where the node lacks the topology label. */
export function skewsOf(situation: Situation): (Skew | undefined)[] {
  const { pod, node } = situation;
  const changes = changesOf(situation);
  return countsOf(pod, situation.neighbours).map((counts, index) => {
    // The counts are shared with pods that ask for the same; the constraint is the pod's own.
    const constraint = pod.spread[index] ?? counts.constraint;
    const { self } = counts;
    const domain = node.labels.get(constraint.topologyKey);
    if (domain === undefined) return undefined;
    const change = changes[index];
    const count = (counts.pods.get(domain) ?? 0) + (change?.get(domain)?.pods ?? 0);
    const { least, domainCount } = leastOf(counts, change ?? new Map());
    return { constraint, domain, count, self, least, domainCount };
  });
}

/** A bound that a spread constraint sets on the replicas of a pod. */
export interface SpreadRoom {
  readonly topologyKey: string;
  readonly count: number;
  /** What keeps the least from rising, as a clause. */
  readonly blocked: string;
}

/**
 * The bounds of the constraints that count the pod itself. While a domain that counts can take no pod, or fewer domains
 * count than are asked for, the least cannot rise, and no domain goes more than the skew beyond it.
 */
export function spreadRooms(pod: Pod, open: readonly Node[], neighbours: Neighbours): SpreadRoom[] {
  if (pod.spread.length === 0) return [];
  return countsOf(pod, neighbours).flatMap((counts, index): SpreadRoom[] => {
    const { topologyKey, maxSkew, minDomains } = pod.spread[index] ?? counts.constraint;
    if (counts.self === 0) return [];
    const reachable = new Set(open.flatMap((node) => node.labels.get(topologyKey) ?? []));
    const stuck = [...counts.pods].filter(([domain]) => !reachable.has(domain));
    const isFew = counts.pods.size < minDomains;
    const [first] = stuck;
    if (!isFew && first === undefined) return [];
    const least = isFew ? 0 : Math.min(...stuck.map(([, count]) => count));
    let count = 0;
    for (const domain of reachable) {
      count += Math.max(0, least + maxSkew - (counts.pods.get(domain) ?? 0));
    }
    const blocked = isFew
      ? `there are ${counts.pods.size} of the ${minDomains} domains that minDomains asks for`
      : `${first?.[0] ?? ""} counts among the domains and can take none`;
    return [{ topologyKey, count, blocked }];
  });
}

/** What a domain gains or loses. */
interface Delta {
  pods: number;
  nodes: number;
}

function leastOf(
  counts: Counts,
  change: ReadonlyMap<string, Delta>,
): { least: number; domainCount: number } {
  let least = Number.POSITIVE_INFINITY;
  let domainCount = counts.nodes.size;
  for (const [domain, delta] of change) {
    const nodes = (counts.nodes.get(domain) ?? 0) + delta.nodes;
    if (nodes > 0) least = Math.min(least, (counts.pods.get(domain) ?? 0) + delta.pods);
    if (nodes > 0 && !counts.nodes.has(domain)) domainCount += 1;
    if (nodes <= 0 && counts.nodes.has(domain)) domainCount -= 1;
  }
  const lowest = counts.ascending.find((domain) => !change.has(domain));
  if (lowest !== undefined) least = Math.min(least, counts.pods.get(lowest) ?? 0);
  // Fewer domains than are asked for count as if one of them were empty.
  if (domainCount < counts.constraint.minDomains) least = 0;
  return { least, domainCount };
}

/** What differs from the cluster in a situation: its node may be changed or new, and pods may be gone. */
function changesOf({ pod, node, original, stopped, neighbours }: Situation): Map<string, Delta>[] {
  const changes = pod.spread.map(() => new Map<string, Delta>());
  if (node === original && stopped.length === 0) return changes;
  const add = (from: Node, pods: readonly Pod[], sign: { pods: number; nodes: number }): void => {
    for (const [index, counted] of contributionsOf(pod, from, pods).entries()) {
      const change = changes[index];
      if (counted === undefined || change === undefined) continue;
      const delta = change.get(counted.domain) ?? { pods: 0, nodes: 0 };
      change.set(counted.domain, delta);
      delta.pods += sign.pods * counted.count;
      delta.nodes += sign.nodes;
    }
  };
  if (original !== undefined) add(original, original.pods, { pods: -1, nodes: -1 });
  add(node, node.pods, { pods: 1, nodes: 1 });
  for (const gone of stopped) {
    const from = neighbours.nodeOf(gone);
    if (from !== undefined && from !== original) add(from, [gone], { pods: -1, nodes: 0 });
  }
  return changes;
}

/** Counted once for all nodes: pods that ask for the same share it. */
function countsOf(pod: Pod, neighbours: Neighbours): readonly Counts[] {
  let memory = memories.get(neighbours);
  if (memory === undefined) {
    memory = { last: undefined, byQuestion: new Map() };
    memories.set(neighbours, memory);
  }
  const { last } = memory;
  // Changes of a pod keep what they do not touch, so the parts tell whether it is still the same question.
  if (
    last !== undefined &&
    last.pod.spread === pod.spread &&
    last.pod.labels === pod.labels &&
    last.pod.nodeSelector === pod.nodeSelector &&
    last.pod.affinity === pod.affinity &&
    last.pod.tolerations === pod.tolerations
  ) {
    return last.counts;
  }
  const question = questionOf(pod);
  const counts = memory.byQuestion.get(question) ?? countAll(pod, neighbours);
  memory.byQuestion.set(question, counts);
  memory.last = { pod, counts };
  return counts;
}

interface Memory {
  last: { readonly pod: Pod; readonly counts: readonly Counts[] } | undefined;
  readonly byQuestion: Map<string, readonly Counts[]>;
}

/** A memory and no state: the same pods and nodes always count the same. */
const memories = new WeakMap<Neighbours, Memory>();

function questionOf(pod: Pod): string {
  const isSelected = pod.spread.map(({ selector }) => selects(selector, pod));
  const honorsAffinity = pod.spread.some((constraint) => constraint.honorsAffinity);
  const honorsTaints = pod.spread.some((constraint) => constraint.honorsTaints);
  return JSON.stringify([
    pod.namespace,
    pod.spread,
    isSelected,
    honorsAffinity ? [[...pod.nodeSelector], pod.affinity] : [],
    honorsTaints ? pod.tolerations : [],
  ]);
}

function countAll(pod: Pod, neighbours: Neighbours): Counts[] {
  if (pod.spread.length === 0) return [];
  const sums = pod.spread.map((constraint) => ({
    constraint,
    self: selects(constraint.selector, pod) ? 1 : 0,
    pods: new Map<string, number>(),
    nodes: new Map<string, number>(),
  }));
  for (const node of neighbours.nodes) {
    for (const [index, counted] of contributionsOf(pod, node, node.pods).entries()) {
      const sum = sums[index];
      if (counted === undefined || sum === undefined) continue;
      sum.pods.set(counted.domain, (sum.pods.get(counted.domain) ?? 0) + counted.count);
      sum.nodes.set(counted.domain, (sum.nodes.get(counted.domain) ?? 0) + 1);
    }
  }
  return sums.map((sum) => ({
    ...sum,
    ascending: [...sum.pods].sort(([, left], [, right]) => left - right).map(([domain]) => domain),
  }));
}

/** What some pods of a node add to each constraint; `undefined` where the node does not count. */
function contributionsOf(
  pod: Pod,
  node: Node,
  pods: readonly Pod[],
): ({ readonly domain: string; readonly count: number } | undefined)[] {
  // A node counts for a constraint only when it has the topology labels of all of them.
  if (!pod.spread.every(({ topologyKey }) => node.labels.has(topologyKey))) return [];
  return pod.spread.map((constraint) => {
    if (constraint.honorsAffinity && !matchesNode(pod, node)) return undefined;
    if (constraint.honorsTaints && repellingTaint(pod, node) !== undefined) return undefined;
    const domain = node.labels.get(constraint.topologyKey) ?? "";
    return { domain, count: pods.filter((other) => isCounted(constraint, pod, other)).length };
  });
}

/**
 * Pods on their way out are not counted, and pods of other namespaces never are. A selector that asks for nothing counts
 * nobody, although it would match everybody: so the scheduler does.
 */
function isCounted({ selector }: SpreadConstraint, pod: Pod, other: Pod): boolean {
  if (selector?.length === 0) return false;
  return other.namespace === pod.namespace && !other.isTerminating && selects(selector, other);
}
