/** The contract routing/network-policy: policies let through what the workloads need, and select what exists. */

import type { Contract } from "../model/contract.ts";
import { defineContract } from "../model/define-contract.ts";
import type { Finding } from "../model/finding.ts";
import { objectsOf } from "../kubernetes/objects.ts";
import { podsOf } from "../kubernetes/pods.ts";
import { failedLookups } from "./failed-lookup.ts";
import { connectionFindings } from "./policy-connections.ts";
import { dnsFindings } from "./policy-dns.ts";
import { policyFindings } from "./policy-findings.ts";
import { admittanceFindings } from "./policy-services.ts";
import { policiesOf } from "./policy.ts";

export const networkPolicy: Contract = defineContract({
  id: "routing/network-policy",
  version: 1,
  boundary: "service-endpoints",
  promise:
    "Network policies select pods that exist, and let through the calls that are known and the lookups of names that they need.",
  reads: ["kubernetes"],
  options: {},
  check(snapshot, _options, found): Finding[] {
    const objects = objectsOf(snapshot);
    const policies = policiesOf(objects);
    if (policies.length === 0) return [];
    const pods = podsOf(objects).filter((pod) => pod.state.kind !== "over");
    const byNamespace = Map.groupBy(pods, (pod) => pod.namespace);
    const context = { objects, policies, pods, byNamespace };
    const unanswered = failedLookups(snapshot).filter((item) => item.outcome === "unanswered");
    return [
      ...policyFindings(context),
      ...connectionFindings(context),
      ...admittanceFindings(context),
      ...dnsFindings(context, unanswered),
    ].map(found);
  },
});
