/** The contract workload/permissions: every account may do what its workload asks, and admission lets its pods in. */

import { eventsOf } from "../kubernetes/event-index.ts";
import { objectsOf } from "../kubernetes/objects.ts";
import type { Contract } from "../model/contract.ts";
import { defineContract } from "../model/define-contract.ts";
import type { Finding } from "../model/finding.ts";
import { gather } from "./gather-findings.ts";
import { judgeAdmission } from "./judge-admission.ts";
import { judgeBindings } from "./judge-binding.ts";
import { judgeDenials } from "./judge-denial.ts";
import { judgeKubectlCalls } from "./judge-kubectl.ts";
import { judgeTokens } from "./judge-token.ts";

export const permissions: Contract = defineContract({
  id: "workload/permissions",
  version: 2,
  boundary: "code-host",
  promise:
    "Every service account may do what its workload asks of the API server, bindings bind roles that exist, and admission lets pods in.",
  reads: ["kubernetes", "logs"],
  options: {},
  check(snapshot, _options, found): Finding[] {
    const context = { snapshot, objects: objectsOf(snapshot), events: eventsOf(snapshot) };
    const refusals = judgeDenials(context);
    return gather([
      ...refusals,
      ...judgeAdmission(context),
      ...judgeTokens(context),
      ...judgeBindings(context, refusals),
      ...judgeKubectlCalls(snapshot),
    ]).map(found);
  },
});
