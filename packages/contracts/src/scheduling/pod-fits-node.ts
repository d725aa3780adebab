/** The contract scheduling/pod-fits-node: every pod that asks for a node passes the scheduler's filters on one. */

import type { Contract } from "../model/contract.ts";
import { defineContract } from "../model/define-contract.ts";
import type { Finding } from "../model/finding.ts";
import { eventsOf } from "../kubernetes/event-index.ts";
import { objectsOf } from "../kubernetes/objects.ts";
import { Surroundings } from "./changes/surroundings.ts";
import { type AskingPod, readCluster } from "./cluster.ts";
import { boundFindings, findingAbout } from "./findings.ts";
import { Judge } from "./judge-pod.ts";
import { toldByEvents } from "./told-by-events.ts";

export const podFitsNode: Contract = defineContract<{ schedulerNames: readonly string[] }>({
  id: "scheduling/pod-fits-node",
  version: 3,
  boundary: "pod-scheduler",
  promise: "Every pod that asks for a node passes all filters of the scheduler on at least one.",
  reads: ["kubernetes"],
  options: {
    schedulerNames: {
      default: ["default-scheduler"],
      description:
        "Names of schedulers that run the filters of kube-scheduler; pods of others are not judged.",
    },
  },
  check(snapshot, { schedulerNames }, found): Finding[] {
    const objects = objectsOf(snapshot);
    const cluster = readCluster(objects);
    const surroundings = new Surroundings(cluster.nodes);
    const judge = new Judge(cluster, surroundings);
    const context = { cluster, surroundings, schedulerNames };
    const asking = cluster.asking.map((asked: AskingPod) =>
      found(findingAbout(asked, judge.judge(asked.pod), context)),
    );
    const told = toldByEvents(eventsOf(snapshot), objects).map(found);
    return asking.concat(told, Array.from(boundFindings(cluster), found));
  },
});
