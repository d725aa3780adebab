/** Refuses cordoned nodes unless the pod tolerates what a cordon stands for. */

import { unschedulableTaintKey } from "../node.ts";
import { type Filter, nothing } from "./filter.ts";
import { isTolerated } from "./taint-toleration.ts";

export const nodeUnschedulable: Filter = {
  plugin: "NodeUnschedulable",
  judge({ pod, node }) {
    if (!node.isUnschedulable) return nothing;
    const cordon = { key: unschedulableTaintKey, value: "", effect: "NoSchedule" };
    return !isTolerated(cordon, pod.tolerations) ? [{ kind: "unschedulable" }] : nothing;
  },
  unknown: () => nothing,
};
