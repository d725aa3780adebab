/** The contract workload/container-stays-up: every container starts, stays up and reaches what it needs. */

import type { Contract } from "../model/contract.ts";
import { defineContract } from "../model/define-contract.ts";
import type { Finding } from "../model/finding.ts";
import { gather, type Judgement } from "./gather-findings.ts";
import { judgeCommands } from "./judge-command.ts";
import { failedEnd, judgeContainers, judgeShown } from "./judge-container.ts";
import { judgeJobs } from "./judge-job.ts";
import { judgeLogsAlone } from "./judge-logs.ts";
import { templatesOf } from "./pod-template.ts";
import { podsOf } from "./pod-view.ts";

export const containerStaysUp: Contract = defineContract({
  id: "workload/container-stays-up",
  version: 1,
  boundary: "process-resource",
  promise: "Every container starts, stays up until its work is done, and reaches what it needs.",
  reads: ["kubernetes", "logs"],
  options: {
    failureLineCountMin: {
      default: 3,
      description:
        "So many lines of a running container must tell the same failed connection, the last line among them, for its log alone to be a violation.",
    },
    restartCountMin: {
      default: 5,
      description:
        "A container that runs now after at least so many restarts, the last of them a failure, is inconclusive and not held to be well.",
    },
  },
  check(snapshot, options, found): Finding[] {
    const pods = podsOf(snapshot);
    const failing = new Set(
      pods
        .filter((pod) =>
          pod.containers.some((container) => failedEnd(pod, container) !== undefined),
        )
        .map(({ owner }) => owner.name),
    );
    const context = { snapshot, options, isLoneFailure: failing.size === 1 };
    const judged = [
      ...pods.flatMap((pod) =>
        pod.shown === undefined ? judgeContainers(pod, context) : judgeShown(pod, context),
      ),
      ...judgeLogsAlone(pods, context),
      ...templatesOf(snapshot).flatMap(judgeCommands),
    ];
    return gather(withoutEchoes([...judged, ...judgeJobs(context, judged)])).map(found);
  },
});

/** What a table shows of a workload of which another pod tells more says nothing new. */
function withoutEchoes(judged: readonly Judgement[]): Judgement[] {
  const explained = new Set(
    judged
      .filter(({ parts }) => parts.subject.kind === "container" && parts.verdict === "violated")
      .map(({ parts }) => parts.subject.name.slice(0, parts.subject.name.lastIndexOf("/"))),
  );
  return judged.filter(
    ({ parts }) => parts.subject.kind === "container" || !explained.has(parts.subject.name),
  );
}
