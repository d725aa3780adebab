/** The contract workload/disruption-budget: a budget of disruptions guards pods and still lets nodes be drained. */

import type { Contract } from "../model/contract.ts";
import { defineContract } from "../model/define-contract.ts";
import type { Finding } from "../model/finding.ts";
import { objectsOf } from "../kubernetes/objects.ts";
import { podsByNamespace } from "../kubernetes/pods.ts";
import { judgeBudget } from "./budget-findings.ts";
import { readBudget } from "./budget.ts";

export const disruptionBudget: Contract = defineContract({
  id: "workload/disruption-budget",
  version: 1,
  boundary: "pod-scheduler",
  promise:
    "Every disruption budget selects pods, is alone in doing so, and allows one of them to be evicted.",
  reads: ["kubernetes"],
  options: {},
  check(snapshot, _options, found): Finding[] {
    const objects = objectsOf(snapshot);
    const byNamespace = podsByNamespace(objects);
    const budgets = objects.of("PodDisruptionBudget").map(readBudget);
    return budgets.map((budget) =>
      found(
        judgeBudget(budget, {
          budgets: budgets.filter((other) => other.namespace === budget.namespace),
          pods: byNamespace.get(budget.namespace) ?? [],
          objects,
        }),
      ),
    );
  },
});
