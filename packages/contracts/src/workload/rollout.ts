/** The contract workload/rollout: every workload has the pods that it wants, where people look for them. */

import { objectsOf } from "../kubernetes/objects.ts";
import type { Contract } from "../model/contract.ts";
import { defineContract } from "../model/define-contract.ts";
import type { Finding } from "../model/finding.ts";
import { gather } from "./gather-findings.ts";
import { judgeCreation } from "./judge-creation.ts";
import { judgeCronJobs } from "./judge-cron-job.ts";
import { judgeNamespaces } from "./judge-namespace.ts";
import { judgeReplicas } from "./judge-replicas.ts";
import { judgeSpecifications } from "./judge-specification.ts";
import { podsOf } from "./pod-view.ts";

export const rollout: Contract = defineContract({
  id: "workload/rollout",
  version: 1,
  boundary: "pod-scheduler",
  promise:
    "Every deployment, stateful set, daemon set, job and cron job gets the pods that it wants, and gets them ready.",
  reads: ["kubernetes"],
  options: {
    settleSecondsMax: {
      default: 600,
      description:
        "A workload that is younger than so many seconds, by the age that a table prints, is still rolling out and is not judged by its counts.",
    },
  },
  check(snapshot, options, found): Finding[] {
    const context = { snapshot, options, objects: objectsOf(snapshot), pods: podsOf(snapshot) };
    return gather([
      ...judgeReplicas(context),
      ...judgeCreation(context),
      ...judgeCronJobs(context),
      ...judgeSpecifications(context),
      ...judgeNamespaces(context),
    ]).map(found);
  },
});
