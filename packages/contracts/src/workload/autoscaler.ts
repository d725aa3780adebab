/** The contract workload/autoscaler: a horizontal autoscaler can measure and scale what it is set on. */

import type { Contract } from "../model/contract.ts";
import { defineContract } from "../model/define-contract.ts";
import type { Finding } from "../model/finding.ts";
import { objectsOf } from "../kubernetes/objects.ts";
import { judgeAutoscaler } from "./autoscaler-findings.ts";
import { readAutoscaler } from "./autoscaler-target.ts";

export const autoscaler: Contract = defineContract({
  id: "workload/autoscaler",
  version: 1,
  boundary: "pod-scheduler",
  promise: "Every horizontal autoscaler has a target, can measure it, and is alone in scaling it.",
  reads: ["kubernetes"],
  options: {},
  check(snapshot, _options, found): Finding[] {
    const objects = objectsOf(snapshot);
    const autoscalers = objects.of("HorizontalPodAutoscaler").map(readAutoscaler);
    return autoscalers.map((item) => found(judgeAutoscaler(item, { autoscalers, objects })));
  },
});
