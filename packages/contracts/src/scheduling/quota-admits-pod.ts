/** The contract scheduling/quota-admits-pod: quotas and limit ranges let every pod be made that a workload wants. */

import type { Contract } from "../model/contract.ts";
import { defineContract } from "../model/define-contract.ts";
import { objectsOf } from "../kubernetes/objects.ts";
import { admissionFindings } from "./admission/findings.ts";

export const quotaAdmitsPod: Contract = defineContract({
  id: "scheduling/quota-admits-pod",
  version: 1,
  boundary: "pod-scheduler",
  promise:
    "The quotas and limit ranges of its namespace let every pod be made that a workload wants.",
  reads: ["kubernetes"],
  options: {},
  check: (snapshot, _options, found) => admissionFindings(objectsOf(snapshot)).map(found),
});
