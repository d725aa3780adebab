/** Changes for taints and cordons. */

import type { Situation } from "../filters/filter.ts";
import { isTolerated } from "../filters/taint-toleration.ts";
import { controlPlaneKeys, describeTaint, type Taint, unschedulableTaintKey } from "../node.ts";
import type { Toleration } from "../pod.ts";
import { type Change, costs } from "./change.ts";

/** Taints that the cluster itself puts on nodes that are unwell. */
const conditionKeys: readonly string[] = [
  "node.kubernetes.io/not-ready",
  "node.kubernetes.io/unreachable",
  "node.kubernetes.io/memory-pressure",
  "node.kubernetes.io/disk-pressure",
  "node.kubernetes.io/pid-pressure",
  "node.kubernetes.io/network-unavailable",
  "node.cloudprovider.kubernetes.io/uninitialized",
  "node.kubernetes.io/out-of-service",
];

/** For a taint that the pod does not tolerate. */
export function taintChanges(taint: Taint, situation: Situation): Change[] {
  if (taint.key === unschedulableTaintKey) return cordonChanges(situation);
  const text = describeTaint(taint);
  const tolerate = (cost: number): Change => addToleration(taint, cost);
  const remove = (cost: number, description: string): Change =>
    removeTaint(taint, situation, { cost, description });
  const { name } = situation.node;
  if (conditionKeys.includes(taint.key)) {
    return [
      remove(costs.repairNode, `repair node ${name}, which the cluster marks with ${text}`),
      tolerate(costs.tolerateCondition),
      ...corrections(taint, situation),
    ];
  }
  const isControlPlane = controlPlaneKeys.includes(taint.key);
  return [
    ...corrections(taint, situation),
    tolerate(isControlPlane ? costs.addControlPlaneToleration : costs.addToleration),
    remove(
      isControlPlane ? costs.removeControlPlaneTaint : costs.removeTaint,
      `remove the taint ${text} from node ${name}`,
    ),
  ];
}

/** For a cordoned node. */
export function cordonChanges({ node }: Situation): Change[] {
  const cordon: Taint = { key: unschedulableTaintKey, value: "", effect: "NoSchedule" };
  return [
    {
      key: `uncordon ${node.name}`,
      place: `cordon ${node.name}`,
      cost: costs.uncordon,
      description: `uncordon node ${node.name}`,
      touches: "node",
      apply: (before) => ({
        ...before,
        node: {
          ...before.node,
          isUnschedulable: false,
          taints: before.node.taints.filter((taint) => taint.key !== unschedulableTaintKey),
        },
      }),
    },
    addToleration(cordon, costs.tolerateCordon),
  ];
}

/** A toleration of the same key that misses by its value or effect was meant for this taint. */
function corrections(taint: Taint, { pod }: Situation): Change[] {
  return pod.tolerations.flatMap((toleration, index) => {
    if (toleration.key !== taint.key || isTolerated(taint, [toleration])) return [];
    const corrected = tolerationOf(taint);
    return [
      {
        key: `toleration ${index} ${describeTaint(taint)}`,
        place: `toleration ${index}`,
        cost: costs.correctToleration,
        description: `change the pod's toleration ${describeToleration(toleration)} to ${describeToleration(corrected)}`,
        touches: "pod",
        apply: (before) => ({
          ...before,
          pod: { ...before.pod, tolerations: before.pod.tolerations.with(index, corrected) },
        }),
      },
    ];
  });
}

function addToleration(taint: Taint, cost: number): Change {
  const toleration = tolerationOf(taint);
  return {
    key: `tolerate ${describeTaint(taint)}`,
    place: `tolerate ${describeTaint(taint)}`,
    cost,
    description: `add the toleration ${describeToleration(toleration)} to the pod`,
    touches: "pod",
    apply: (before) => ({
      ...before,
      pod: { ...before.pod, tolerations: [...before.pod.tolerations, toleration] },
    }),
  };
}

function removeTaint(
  taint: Taint,
  { node }: Situation,
  { cost, description }: { cost: number; description: string },
): Change {
  const text = describeTaint(taint);
  return {
    key: `untaint ${node.name} ${text}`,
    place: `taint ${node.name} ${text}`,
    cost,
    description,
    touches: "node",
    apply: (before) => ({
      ...before,
      node: {
        ...before.node,
        taints: before.node.taints.filter((other) => describeTaint(other) !== text),
      },
    }),
  };
}

function tolerationOf({ key, value, effect }: Taint): Toleration {
  return { key, operator: value === "" ? "Exists" : "Equal", value, effect };
}

function describeToleration({ key, operator, value, effect }: Toleration): string {
  const pair = operator === "Exists" ? `${key} Exists` : `${key}=${value}`;
  return `${pair}${effect === "" ? "" : `:${effect}`}`;
}
