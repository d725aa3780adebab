/** The contract workload/node-health: every node is ready and not short of anything, and gives its pods what they need to start and to end. */

import { eventsOf } from "../kubernetes/event-index.ts";
import { objectsOf } from "../kubernetes/objects.ts";
import type { Contract } from "../model/contract.ts";
import { defineContract } from "../model/define-contract.ts";
import type { Finding } from "../model/finding.ts";
import { gather } from "./gather-findings.ts";
import { judgeNode } from "./judge-node.ts";
import { judgeEnding, judgeSandbox, judgeTerminatingNamespaces } from "./judge-pod-on-node.ts";
import { podsOf } from "./pod-view.ts";

export const nodeHealth: Contract = defineContract({
  id: "workload/node-health",
  version: 1,
  boundary: "pod-scheduler",
  promise:
    "Every node is ready and short of nothing, gives its pods a network when they start, and lets them go when they end.",
  reads: ["kubernetes"],
  options: {},
  check(snapshot, _options, found): Finding[] {
    const objects = objectsOf(snapshot);
    const events = eventsOf(snapshot);
    const pods = podsOf(snapshot);
    return gather([
      ...objects.of("Node").flatMap((source) => judgeNode(source, events)),
      ...pods.flatMap((pod) => judgeSandbox(pod, events)),
      ...pods.flatMap((pod) => judgeEnding(pod, { objects, events })),
      ...judgeTerminatingNamespaces(objects),
    ]).map(found);
  },
});
