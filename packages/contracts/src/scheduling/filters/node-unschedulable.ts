/** Refuses cordoned nodes unless the pod tolerates what a cordon stands for. */

import { unschedulableTaintKey } from "../node.ts";
import type { Filter } from "./filter.ts";
import { isTolerated } from "./taint-toleration.ts";

export const nodeUnschedulable: Filter = {
  plugin: "NodeUnschedulable",
  judge({ pod, node }) {
    const cordon = { key: unschedulableTaintKey, value: "", effect: "NoSchedule" };
    return node.isUnschedulable && !isTolerated(cordon, pod.tolerations)
      ? [{ kind: "unschedulable" }]
      : [];
  },
  unknown: () => [],
};
