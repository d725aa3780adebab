/** The contract routing/name-resolution: names that pods look up are those of services that exist. */

import type { Contract } from "../model/contract.ts";
import { defineContract } from "../model/define-contract.ts";
import type { Finding } from "../model/finding.ts";
import { objectsOf } from "../kubernetes/objects.ts";
import { podsOf } from "../kubernetes/pods.ts";
import { dnsServerFindings } from "./dns-server.ts";
import { failedLookups } from "./failed-lookup.ts";
import { failedLookupFinding } from "./lookup-findings.ts";
import { judgeReferences } from "./reference-findings.ts";

/** The pods of one workload are alike but for its revisions; these many tell what it calls. */
const podsPerWorkloadMax = 5;

export const nameResolution: Contract = defineContract({
  id: "routing/name-resolution",
  version: 2,
  boundary: "service-endpoints",
  promise:
    "Every name of a service that a pod is told to call belongs to a service with that port, and no lookup fails.",
  reads: ["kubernetes", "logs", "trace"],
  options: {
    clusterDomain: {
      default: "cluster.local",
      description: "The domain under which the cluster answers for its services.",
    },
  },
  check(snapshot, options, found): Finding[] {
    const objects = objectsOf(snapshot);
    const byWorkload = Map.groupBy(
      podsOf(objects).filter((pod) => pod.state.kind !== "over" || !pod.isTemplate),
      (pod) => `${pod.namespace}/${pod.workload}`,
    );
    return [
      ...[...byWorkload].flatMap(([name, pods]) => {
        const parts = judgeReferences(name, pods.slice(0, podsPerWorkloadMax), {
          objects,
          ...options,
        });
        return parts === undefined ? [] : [found(parts)];
      }),
      ...failedLookups(snapshot).map((failed) => found(failedLookupFinding(failed, objects))),
      ...dnsServerFindings(objects).map(found),
    ];
  },
});
