/** Which pods attract and repel a pod, by the domain that they lie in. */

import { selects } from "../kubernetes/selector.ts";
import type { Situation } from "./filters/filter.ts";
import type { Guard, Neighbours, Placed } from "./neighbours.ts";
import type { Pod } from "./pod.ts";
import type { PodTerm } from "./pod-terms.ts";

/** The pods of one domain that a term concerns. */
export interface Domain {
  readonly term: PodTerm;
  /** The node's value of the term's topology key; absent where the node has none. */
  readonly value: string | undefined;
  readonly pods: readonly Pod[];
}

/** What the pods around say to a pod on a node. */
export interface Company {
  /** For each affinity term the pods that it finds in the node's domain. */
  readonly attracting: readonly Domain[];
  /** Nobody matches the pod's affinity anywhere, and the pod itself would: it may be the first. */
  readonly isFirst: boolean;
  /** Anti-affinity terms of the pod that find somebody in the node's domain. */
  readonly repelled: readonly Domain[];
  /** Anti-affinity terms of others that mean the pod and guard the node's domain. */
  readonly guarding: readonly Domain[];
}

/** Pods by the topology key and value of their node. */
type Pairs = ReadonlyMap<string, readonly Pod[]>;

/** What does not depend on the node. */
export interface Counts {
  readonly attracting: Pairs;
  readonly isSelfMatching: boolean;
  readonly repelling: readonly Pairs[];
  readonly guards: readonly Guard[];
  /** What would have to be known to say more. */
  readonly unknown: readonly string[];
}

/** What the pods around say to the situation's pod on its node. */
export function companyOf(situation: Situation, counts: Counts): Company {
  const { pod, node, neighbours } = situation;
  const look = new Look(situation);
  const attracting = pod.affinityTerms.map((term): Domain => {
    const value = node.labels.get(term.topologyKey);
    const pods =
      value === undefined
        ? []
        : look.at(counts.attracting, pairOf(term, value), (other) =>
            meansAll(neighbours, pod.affinityTerms, other),
          );
    return { term, value, pods };
  });
  const isEmpty = attracting.every(({ pods }) => pods.length === 0);
  const repelled = pod.antiAffinityTerms.map((term, index): Domain => {
    const value = node.labels.get(term.topologyKey);
    if (value === undefined) return { term, value, pods: [] };
    const pairs = counts.repelling[index] ?? new Map();
    const isMeant = (other: Pod): boolean => neighbours.means(term, other) === true;
    return { term, value, pods: look.at(pairs, pairOf(term, value), isMeant) };
  });
  return {
    attracting,
    isFirst: isEmpty && counts.isSelfMatching && !look.isAnywhere(counts.attracting),
    repelled: repelled.filter(({ pods }) => pods.length > 0),
    guarding: guardingOf(situation, counts, look),
  };
}

function guardingOf(situation: Situation, counts: Counts, look: Look): Domain[] {
  const { pod, node, neighbours } = situation;
  const domains = counts.guards.flatMap(({ term, holders }): Domain[] => {
    const value = node.labels.get(term.topologyKey);
    if (value === undefined) return [];
    const pods = look.left(holders.get(value) ?? []);
    return pods.length === 0 ? [] : [{ term, value, pods }];
  });
  if (!look.isNodeChanged) return domains;
  const own = node.pods.flatMap((other) =>
    other.antiAffinityTerms
      .filter((term) => node.labels.has(term.topologyKey) && neighbours.means(term, pod) === true)
      .map((term): Domain => {
        return { term, value: node.labels.get(term.topologyKey), pods: [other] };
      }),
  );
  return [...domains, ...own];
}

/** Looks at pods as they are in a situation: those of a changed node count anew, those that are stopped do not. */
class Look {
  readonly isNodeChanged: boolean;
  readonly #gone: ReadonlySet<Pod>;
  readonly #added: readonly Pod[];

  constructor({ node, original, stopped }: Situation) {
    this.isNodeChanged = node !== original;
    const replaced = this.isNodeChanged ? (original?.pods ?? []) : [];
    this.#gone = new Set([...replaced, ...stopped]);
    this.#added = this.isNodeChanged ? node.pods : [];
  }

  /** The pods at a pair, and those of the changed node that are meant. */
  at(pairs: Pairs, pair: string, isMeant: (pod: Pod) => boolean): readonly Pod[] {
    const left = this.left(pairs.get(pair) ?? []);
    const own = this.#added.filter(isMeant);
    return own.length === 0 ? left : [...left, ...own];
  }

  left(pods: readonly Pod[]): readonly Pod[] {
    return this.#gone.size === 0 ? pods : pods.filter((pod) => !this.#gone.has(pod));
  }

  isAnywhere(pairs: Pairs): boolean {
    for (const pods of pairs.values()) {
      if (pods.some((pod) => !this.#gone.has(pod))) return true;
    }
    return false;
  }
}

/** Counted once for all nodes: pods that ask for the same share it. */
export function countsOf(pod: Pod, neighbours: Neighbours): Counts {
  let memory = memories.get(neighbours);
  if (memory === undefined) {
    memory = { last: undefined, byQuestion: new Map() };
    memories.set(neighbours, memory);
  }
  const { last } = memory;
  // Changes of a pod keep what they do not touch, so the parts tell whether it is still the same question.
  if (
    last !== undefined &&
    last.pod.affinityTerms === pod.affinityTerms &&
    last.pod.antiAffinityTerms === pod.antiAffinityTerms &&
    last.pod.labels === pod.labels
  ) {
    return last.counts;
  }
  const labels = [...pod.labels].sort(([left], [right]) => (left < right ? -1 : 1));
  const question = JSON.stringify([
    pod.namespace,
    labels,
    pod.affinityTerms,
    pod.antiAffinityTerms,
  ]);
  const counts = memory.byQuestion.get(question) ?? countAll(pod, neighbours);
  memory.byQuestion.set(question, counts);
  memory.last = { pod, counts };
  return counts;
}

interface Memory {
  last: { readonly pod: Pod; readonly counts: Counts } | undefined;
  readonly byQuestion: Map<string, Counts>;
}

/** A memory and no state: the same pods and nodes always count the same. */
const memories = new WeakMap<Neighbours, Memory>();

function countAll(pod: Pod, neighbours: Neighbours): Counts {
  const { affinityTerms, antiAffinityTerms } = pod;
  const attracting = new Map<string, Pod[]>();
  // A pod attracts only when every term means it, so the first term finds all of them.
  const [first] = affinityTerms;
  for (const placed of first === undefined ? [] : neighbours.candidatesOf(first)) {
    if (!meansAll(neighbours, affinityTerms, placed.pod)) continue;
    for (const term of affinityTerms) addTo(attracting, term, placed);
  }
  const repelling = antiAffinityTerms.map((term) => {
    const pairs = new Map<string, Pod[]>();
    for (const placed of neighbours.candidatesOf(term)) {
      if (neighbours.means(term, placed.pod) === true) addTo(pairs, term, placed);
    }
    return pairs;
  });
  return {
    attracting,
    isSelfMatching: meansAll(neighbours, affinityTerms, pod),
    repelling,
    guards: neighbours.guards.filter(({ term }) => neighbours.means(term, pod) === true),
    unknown: unknownOf(pod, neighbours),
  };
}

function addTo(pairs: Map<string, Pod[]>, term: PodTerm, { pod, node }: Placed): void {
  const value = node.labels.get(term.topologyKey);
  if (value === undefined) return;
  const pods = pairs.get(pairOf(term, value));
  if (pods === undefined) pairs.set(pairOf(term, value), [pod]);
  else pods.push(pod);
}

function pairOf({ topologyKey }: PodTerm, value: string): string {
  return `${topologyKey}\n${value}`;
}

function meansAll(neighbours: Neighbours, terms: readonly PodTerm[], pod: Pod): boolean {
  return terms.length > 0 && terms.every((term) => neighbours.means(term, pod) === true);
}

function unknownOf(pod: Pod, neighbours: Neighbours): string[] {
  const terms = [...pod.affinityTerms, ...pod.antiAffinityTerms];
  const namespaces = new Set<string>();
  for (const term of terms) {
    if (term.namespaceSelector === undefined) continue;
    for (const { pod: other } of neighbours.placed()) {
      if (selects(term.selector, other) && neighbours.means(term, other) === undefined)
        namespaces.add(other.namespace);
    }
  }
  for (const { term } of neighbours.guards) {
    if (neighbours.means(term, pod) === undefined) namespaces.add(pod.namespace);
  }
  return [
    ...(terms.length === 0 ? [] : neighbours.unknown),
    ...unplacedCompany(pod, neighbours),
    ...[...namespaces].sort().map((name) => `the labels of namespace ${name}`),
  ];
}

/** Company that the pod wants and that the evidence may merely not show: pods to come, and namespaces not dumped. */
function unplacedCompany(pod: Pod, neighbours: Neighbours): string[] {
  const { affinityTerms } = pod;
  if (affinityTerms.length === 0) return [];
  const coming = neighbours.planned.find(
    (other) =>
      other.source.object !== pod.source.object && meansAll(neighbours, affinityTerms, other),
  );
  const elsewhere = affinityTerms.flatMap(({ namespaces }) =>
    neighbours.unseen(namespaces.filter((name) => name !== pod.namespace)),
  );
  return [
    ...(coming === undefined ? [] : [`where pods of ${coming.namespace}/${coming.name} will run`]),
    ...[...new Set(elsewhere)].map((name) => `the pods of namespace ${name}`),
  ];
}
