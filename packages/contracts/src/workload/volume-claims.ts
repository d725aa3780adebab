/** The contract workload/volume-claims: every claim is bound, and every volume that a pod mounts can be mounted. */

import type { Contract } from "../model/contract.ts";
import { defineContract } from "../model/define-contract.ts";
import type { Finding } from "../model/finding.ts";
import { objectsOf } from "../kubernetes/objects.ts";
import { gather } from "./gather-findings.ts";
import { judgeClaim } from "./judge-claim.ts";
import { judgeMounts } from "./judge-mount.ts";
import { podsOf } from "./pod-view.ts";

export const volumeClaims: Contract = defineContract({
  id: "workload/volume-claims",
  version: 1,
  boundary: "pod-scheduler",
  promise:
    "Every claim that a pod waits for gets a volume, and every volume is attached and mounted where it is needed.",
  reads: ["kubernetes"],
  options: {
    provisionerWaitCountMin: {
      default: 10,
      description:
        "So often the same event must say that a claim waits for its provisioner, before that counts as a provisioner that does not answer.",
    },
  },
  check(snapshot, options, found): Finding[] {
    const context = { snapshot, options, objects: objectsOf(snapshot) };
    return gather([
      ...context.objects
        .of("PersistentVolumeClaim")
        .flatMap((source) => judgeClaim(source, context)),
      ...podsOf(snapshot).flatMap((pod) => judgeMounts(pod, snapshot)),
    ]).map(found);
  },
});
