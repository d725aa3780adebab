/** Changes for constraints between pods: topology spread, affinity, anti-affinity, disks that are mounted. */

import { nearestName } from "../../text/nearest-name.ts";
import type { Expression } from "../../kubernetes/selector.ts";
import { selects } from "../../kubernetes/selector.ts";
import type { Situation } from "../filters/filter.ts";
import { repellingTaint } from "../filters/taint-toleration.ts";
import type { Neighbours } from "../neighbours.ts";
import { hostnameKey, type Node } from "../node.ts";
import type { PodObstacle, Skew } from "../obstacle.ts";
import type { Pod } from "../pod.ts";
import { describeSelector, type PodTerm, type SpreadConstraint } from "../pod-terms.ts";
import { type Change, costs } from "./change.ts";
import { addCapacity } from "./resource-changes.ts";
import { addLabel } from "./selector-changes.ts";
import type { Background } from "./surroundings.ts";

/** Values of a topology label that are tried for a node which lacks it. */
const topologyValueCountMax = 3;

/** The changes against an obstacle between pods. */
export function podChanges(
  obstacle: PodObstacle,
  situation: Situation,
  background: Background,
): Change[] {
  switch (obstacle.kind) {
    case "spread-label": {
      const constraint = situation.pod.spread[obstacle.constraint];
      return [
        ...topologyLabels(obstacle.key, situation, background),
        ...(constraint === undefined ? [] : [relaxSpread(constraint)]),
      ];
    }
    case "spread-skew":
      return skewChanges(obstacle.skew, situation);
    case "pod-affinity":
      return affinityTermChanges(obstacle, situation, background);
    case "pod-anti-affinity":
      return [
        dropTerm("antiAffinityTerms", obstacle.term, costs.relaxAntiAffinity),
        stopPods(obstacle.holders, situation),
        addCapacity(situation),
      ];
    case "pod-guard":
      return [stopPods(obstacle.holders, situation), addCapacity(situation)];
  }
}

function skewChanges(
  { constraint, count, self, least, domainCount }: Skew,
  situation: Situation,
): Change[] {
  const { pod, neighbours } = situation;
  const text = `the pod's spread over ${constraint.topologyKey}`;
  const needed = count + self - least;
  const changes = [
    changeSpread(constraint, "maxSkew", {
      cost: costs.raiseMaxSkew,
      description: `raise maxSkew of ${text} from ${constraint.maxSkew} to ${needed}`,
      changed: { ...constraint, maxSkew: needed },
    }),
    relaxSpread(constraint),
    addCapacity(situation),
  ];
  if (domainCount < constraint.minDomains) {
    changes.push(
      changeSpread(constraint, "minDomains", {
        cost: costs.correctSpread,
        description: `lower minDomains of ${text} from ${constraint.minDomains} to ${Math.max(1, domainCount)}, which is how many domains there are`,
        changed: { ...constraint, minDomains: Math.max(1, domainCount) },
      }),
    );
  }
  // A fenced node that counts as an empty domain is the usual reason why nothing fits.
  if (!constraint.honorsTaints && isFencedAnywhere(pod, neighbours)) {
    changes.push(
      changeSpread(constraint, "nodeTaintsPolicy", {
        cost: costs.correctSpread,
        description: `set nodeTaintsPolicy of ${text} to Honor, so that nodes which the pod does not tolerate do not count`,
        changed: { ...constraint, honorsTaints: true },
      }),
    );
  }
  const revision = pod.labels.get("pod-template-hash");
  const isByRevision = constraint.selector?.some(({ key }) => key === "pod-template-hash");
  if (revision !== undefined && constraint.selector !== undefined && isByRevision === false) {
    const own: Expression = {
      on: "label",
      key: "pod-template-hash",
      operator: "In",
      values: [revision],
    };
    changes.push(
      changeSpread(constraint, "matchLabelKeys", {
        cost: costs.correctSpread,
        description: `add pod-template-hash to matchLabelKeys of ${text}, so that pods of other revisions do not count`,
        changed: { ...constraint, selector: [...constraint.selector, own] },
      }),
    );
  }
  return changes;
}

/** Whether some node keeps the pod away by a taint; asked again for every node, so it is remembered. */
function isFencedAnywhere(pod: Pod, neighbours: Neighbours): boolean {
  const known = fencedByTolerations.get(pod.tolerations);
  if (known !== undefined) return known;
  const isFenced = neighbours.nodes.some((node) => repellingTaint(pod, node) !== undefined);
  fencedByTolerations.set(pod.tolerations, isFenced);
  return isFenced;
}

/** A memory and no state: tolerations are one pod's, and the pod stands in one cluster. */
const fencedByTolerations = new WeakMap<Pod["tolerations"], boolean>();

function relaxSpread(constraint: SpreadConstraint): Change {
  return changeSpread(constraint, "whenUnsatisfiable", {
    cost: costs.relaxSpread,
    description: `set whenUnsatisfiable of the pod's spread over ${constraint.topologyKey} to ScheduleAnyway`,
    changed: undefined,
  });
}

function changeSpread(
  constraint: SpreadConstraint,
  field: string,
  {
    cost,
    description,
    changed,
  }: { cost: number; description: string; changed: SpreadConstraint | undefined },
): Change {
  const place = `spread ${constraint.topologyKey} ${describeSelector(constraint.selector)} ${field}`;
  return {
    key: `${place} ${description}`,
    place,
    cost,
    description,
    touches: "pod",
    apply: (before) => {
      const spread = before.pod.spread.flatMap((item) => {
        if (item !== constraint) return [item];
        return changed === undefined ? [] : [changed];
      });
      return { ...before, pod: { ...before.pod, spread } };
    },
  };
}

function topologyLabels(key: string, situation: Situation, { surroundings }: Background): Change[] {
  const { node, neighbours } = situation;
  const values =
    key === hostnameKey
      ? [node.name]
      : [...new Set(neighbours.nodes.map((other) => other.labels.get(key)))]
          .filter((value) => value !== undefined)
          .sort()
          .slice(0, topologyValueCountMax);
  return (values.length === 0 ? [node.name] : values).map((value) =>
    addLabel({ key, value, nodeName: node.name }, surroundings),
  );
}

function affinityTermChanges(
  { term, domain }: Extract<PodObstacle, { kind: "pod-affinity" }>,
  situation: Situation,
  background: Background,
): Change[] {
  const { isFulfilled, corrections } = prospectsOf(term, situation);
  return [
    ...(domain === undefined ? topologyLabels(term.topologyKey, situation, background) : []),
    ...corrections,
    dropTerm("affinityTerms", term, isFulfilled ? costs.dropFulfilledAffinity : costs.dropAffinity),
  ];
}

/** Whether anybody matches a term, and if not, what would make somebody match; the same before every node. */
interface Prospects {
  readonly isFulfilled: boolean;
  readonly corrections: readonly Change[];
}

function prospectsOf(term: PodTerm, situation: Situation): Prospects {
  const known = prospects.get(term);
  if (known !== undefined) return known;
  const { neighbours } = situation;
  let isFulfilled = false;
  for (const { pod } of neighbours.candidatesOf(term)) {
    if (neighbours.means(term, pod) !== true) continue;
    isFulfilled = true;
    break;
  }
  const found = { isFulfilled, corrections: isFulfilled ? [] : correctedTerms(term, situation) };
  prospects.set(term, found);
  return found;
}

/** A memory and no state: a term is one pod's, and the pod stands in one cluster. */
const prospects = new WeakMap<PodTerm, Prospects>();

/** Terms that somebody would match: with a label value that is nearly the one named, or in another namespace. */
function correctedTerms(term: PodTerm, { neighbours }: Situation): Change[] {
  const { selector } = term;
  if (selector === undefined) return [];
  const inReach = [...neighbours.candidatesOf(term)].map(({ pod }) => pod);
  const values = selector.flatMap((expression, index): Change[] => {
    const [wanted, ...more] = expression.values;
    if (expression.operator !== "In" || wanted === undefined || more.length > 0) return [];
    const others = selector.toSpliced(index, 1);
    const offered = inReach
      .filter((pod) => selects(others, pod))
      .flatMap((pod) => pod.labels.get(expression.key) ?? []);
    const near = nearestName(wanted, [...new Set(offered)].sort());
    if (near === undefined || near === wanted) return [];
    const corrected = selector.with(index, { ...expression, values: [near] });
    return [
      changeTerm(term, {
        cost: costs.correctValue,
        description: `change ${expression.key} in the pod's affinity from ${wanted} to ${near}`,
        changed: { ...term, selector: corrected },
      }),
    ];
  });
  const elsewhere = [...neighbours.placed()]
    .map(({ pod }) => pod)
    .filter((pod) => selects(selector, pod))
    .map(({ namespace }) => namespace)
    .sort();
  const [namespace] = elsewhere;
  if (namespace === undefined) return values;
  return [
    ...values,
    changeTerm(term, {
      cost: costs.nameNamespace,
      description: `add namespaces: [${namespace}] to the pod's affinity, where pods ${describeSelector(selector)} run`,
      changed: { ...term, namespaces: [namespace] },
    }),
  ];
}

function changeTerm(
  term: PodTerm,
  { cost, description, changed }: { cost: number; description: string; changed: PodTerm },
): Change {
  return {
    key: description,
    place: `affinity to pods ${describeSelector(term.selector)} ${term.topologyKey}`,
    cost,
    description,
    touches: "pod",
    apply: (before) => {
      const affinityTerms = before.pod.affinityTerms.map((item) =>
        item === term ? changed : item,
      );
      return { ...before, pod: { ...before.pod, affinityTerms } };
    },
  };
}

function dropTerm(
  list: "affinityTerms" | "antiAffinityTerms",
  term: PodTerm,
  cost: number,
): Change {
  const kind = list === "affinityTerms" ? "affinity to" : "anti-affinity against";
  const text = `${kind} pods ${describeSelector(term.selector)}`;
  return {
    key: `drop ${text} ${term.topologyKey}`,
    place: `${text} ${term.topologyKey}`,
    cost,
    description: `make the pod's required ${text} over ${term.topologyKey} a preference`,
    touches: "pod",
    apply: (before) => ({
      ...before,
      pod: { ...before.pod, [list]: before.pod[list].filter((item) => item !== term) },
    }),
  };
}

/** Pods that stand in the way are moved elsewhere or stopped. */
export function stopPods(pods: readonly Pod[], { node }: Situation): Change {
  const names = pods.map(({ namespace, name }) => `${namespace}/${name}`).sort();
  const [first = ""] = names;
  const text = names.length === 1 ? first : `${first} and ${names.length - 1} more pods`;
  return {
    key: `stop ${names.slice(0, 20).join(" ")} ${names.length}`,
    place: `pods near ${node.name} ${first}`,
    cost: names.length === 1 ? costs.stopPod : costs.stopPods,
    description: `move or stop ${text}`,
    touches: "node",
    apply: (before) => ({
      ...before,
      node: withoutPods(before.node, pods),
      stopped: [...before.stopped, ...pods],
    }),
  };
}

/** What the pods held is free; what other changes did to the node stays. */
function withoutPods(node: Node, pods: readonly Pod[]): Node {
  const gone = pods.filter((pod) => node.pods.includes(pod));
  if (gone.length === 0) return node;
  const used = new Map(node.used);
  for (const pod of gone) {
    for (const [resource, amount] of pod.requests) {
      const left = (used.get(resource) ?? 0n) - amount;
      used.set(resource, left > 0n ? left : 0n);
    }
  }
  const names = new Set(gone.map(({ namespace, name }) => `${namespace}/${name}`));
  return {
    ...node,
    used,
    podCount: node.podCount - BigInt(gone.length),
    heldPorts: node.heldPorts.filter(({ holder }) => !names.has(holder)),
    pods: node.pods.filter((pod) => !gone.includes(pod)),
  };
}
