/** The pods that run around a pod: counted by topology domain for spreading, affinity and anti-affinity. */

import { isPresentAt } from "../kubernetes/fields.ts";
import { type Expression, selects } from "../kubernetes/selector.ts";
import type { Node } from "./node.ts";
import type { Pod } from "./pod.ts";
import type { PodTerm } from "./pod-terms.ts";

/** A pod on a node. */
export interface Placed {
  readonly pod: Pod;
  readonly node: Node;
}

/** A term of required anti-affinity that several pods share, and the pods by the domain that they guard. */
export interface Guard {
  readonly term: PodTerm;
  readonly holders: ReadonlyMap<string, readonly Pod[]>;
}

/** What the namespaces of a cluster are known to be. */
export class Namespaces {
  readonly #labels: ReadonlyMap<string, ReadonlyMap<string, string>>;

  constructor(labels: ReadonlyMap<string, ReadonlyMap<string, string>>) {
    this.#labels = labels;
  }

  /** Whether a selector takes a namespace; `undefined` when its labels are not known. */
  selects(selector: readonly Expression[] | undefined, name: string): boolean | undefined {
    if (selector === undefined) return false;
    if (selector.length === 0) return true;
    const known = this.#labels.get(name);
    const isByName = selector.every(({ key }) => key === nameLabel);
    if (known === undefined && !isByName) return undefined;
    // Every namespace carries its name as a label, also where its object is not at hand.
    const labels = new Map([[nameLabel, name], ...(known ?? [])]);
    return selects(selector, { name, labels });
  }
}

const nameLabel = "kubernetes.io/metadata.name";

/** All nodes with what runs on them, indexed for questions about pods. */
export class Neighbours {
  readonly nodes: readonly Node[];
  readonly namespaces: Namespaces;
  /** Facts about any node that counting needs and the evidence does not tell. */
  readonly unknown: readonly string[];
  /** Pods that manifests would make: where they will run nobody knows yet. */
  readonly planned: readonly Pod[];
  readonly #isLive: boolean;
  readonly #byNamespace = new Map<string, Placed[]>();
  readonly #nodeOf = new Map<Pod, Node>();
  #guards: readonly Guard[] | undefined;

  constructor(nodes: readonly Node[], namespaces: Namespaces, planned: readonly Pod[] = []) {
    this.nodes = nodes;
    this.namespaces = namespaces;
    this.planned = planned;
    this.#isLive = nodes.some(({ source }) => isPresentAt(source.object, "status", "nodeInfo"));
    for (const node of nodes) {
      for (const pod of node.pods) {
        this.#nodeOf.set(pod, node);
        const placed = this.#byNamespace.get(pod.namespace);
        if (placed === undefined) this.#byNamespace.set(pod.namespace, [{ pod, node }]);
        else placed.push({ pod, node });
      }
    }
    this.unknown = unknownFacts(nodes);
  }

  /** The pods of a namespace that run on a known node. */
  inNamespace(namespace: string): readonly Placed[] {
    return this.#byNamespace.get(namespace) ?? [];
  }

  /** The node that a pod runs on. */
  nodeOf(pod: Pod): Node | undefined {
    return this.#nodeOf.get(pod);
  }

  /** Namespaces of a live cluster of which the evidence shows no pod: they need not be empty. */
  unseen(names: readonly string[]): readonly string[] {
    return this.#isLive ? names.filter((name) => !this.#byNamespace.has(name)) : [];
  }

  /** All pods that run on a known node. */
  *placed(): Generator<Placed> {
    for (const placed of this.#byNamespace.values()) yield* placed;
  }

  /** The required anti-affinity of the pods that run, each different term once. */
  get guards(): readonly Guard[] {
    this.#guards ??= guardsOf(this.placed());
    return this.#guards;
  }

  /** Whether a term means a pod; `undefined` when the labels of its namespace are not known. */
  means(term: PodTerm, pod: Pod): boolean | undefined {
    if (!selects(term.selector, pod)) return false;
    if (term.namespaces.includes(pod.namespace)) return true;
    return this.namespaces.selects(term.namespaceSelector, pod.namespace);
  }

  /** The pods that a term may mean, by their namespace. */
  candidatesOf(term: PodTerm): Iterable<Placed> {
    if (term.namespaceSelector !== undefined) return this.placed();
    return term.namespaces.flatMap((namespace) => this.inNamespace(namespace));
  }
}

function guardsOf(placed: Iterable<Placed>): Guard[] {
  const guards = new Map<string, { term: PodTerm; holders: Map<string, Pod[]> }>();
  for (const { pod, node } of placed) {
    for (const term of pod.antiAffinityTerms) {
      const domain = node.labels.get(term.topologyKey);
      if (domain === undefined) continue;
      const key = JSON.stringify(term);
      const guard = guards.get(key) ?? { term, holders: new Map<string, Pod[]>() };
      guards.set(key, guard);
      const holders = guard.holders.get(domain);
      if (holders === undefined) guard.holders.set(domain, [pod]);
      else holders.push(pod);
    }
  }
  return [...guards.values()];
}

const listedCountMax = 3;

function unknownFacts(nodes: readonly Node[]): string[] {
  const listed = (fact: "labels" | "used", what: string): string[] => {
    const names = nodes.filter((node) => node.unknown.has(fact)).map(({ name }) => name);
    return names.slice(0, listedCountMax).map((name) => `${what} node ${name}`);
  };
  const pods = nodes.flatMap((node) => node.pods);
  const bare = pods.filter(({ unknown }) => unknown.includes("metadata.labels"));
  return [
    ...listed("labels", "the labels of"),
    ...listed("used", "the pods on"),
    ...bare
      .slice(0, listedCountMax)
      .map(({ namespace, name }) => `the labels of pod ${namespace}/${name}`),
  ];
}
