/** Refuses nodes whose neighbourhood the pod must not join, or that lack the company which the pod wants. */

import type { Obstacle } from "../obstacle.ts";
import { companyOf, countsOf } from "../pod-counts.ts";
import { type Filter, nothing, type Situation } from "./filter.ts";

export const interPodAffinity: Filter = {
  plugin: "InterPodAffinity",
  judge(situation) {
    const { pod, node, neighbours } = situation;
    const isConcerned = pod.affinityTerms.length > 0 || pod.antiAffinityTerms.length > 0;
    const hasGuards = neighbours.guards.length > 0 || node !== situation.original;
    if ((!isConcerned && !hasGuards) || node.unknown.has("labels")) return nothing;
    // Without terms of its own a pod minds only those that guard themselves against it.
    const counts = countsOf(pod, neighbours);
    if (!isConcerned && node === situation.original && counts.guards.length === 0) return nothing;
    const company = companyOf(situation, counts);
    const lonely = company.attracting.filter(({ value, pods }) =>
      value === undefined ? true : pods.length === 0 && !company.isFirst,
    );
    const isCertain = counts.unknown.length === 0;
    return [
      ...lonely
        // Somebody who is not known may be the company that is missing; a label that is missing is missing.
        .filter(({ value }) => isCertain || value === undefined)
        .map(({ term, value }): Obstacle => ({ kind: "pod-affinity", term, domain: value })),
      ...company.repelled.map(({ term, value = "", pods }): Obstacle => ({
        kind: "pod-anti-affinity",
        term,
        domain: value,
        holders: pods,
      })),
      ...company.guarding.map(({ term, value = "", pods }): Obstacle => ({
        kind: "pod-guard",
        term,
        domain: value,
        holders: pods,
      })),
    ];
  },
  unknown(situation) {
    const { pod, neighbours } = situation;
    const hasTerms = pod.affinityTerms.length + pod.antiAffinityTerms.length > 0;
    if (!hasTerms && neighbours.guards.length === 0) return nothing;
    const { unknown } = countsOf(pod, neighbours);
    return situation.node.unknown.has("labels")
      ? [...labelsUnknown(situation), ...unknown]
      : unknown;
  },
};

/** Without its labels nobody knows in which domain a node lies. */
function labelsUnknown({ pod, node, neighbours }: Situation): string[] {
  const { affinityTerms, antiAffinityTerms } = pod;
  const asks =
    affinityTerms.length + antiAffinityTerms.length > 0 ||
    neighbours.guards.some(({ term }) => neighbours.means(term, pod) !== false);
  return asks ? [`the labels of node ${node.name}`] : [];
}
