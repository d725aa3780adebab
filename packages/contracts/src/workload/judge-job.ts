/** Judges jobs that gave up: too many failures, or too long. */

import { eventsOf } from "../kubernetes/event-index.ts";
import { integerAt, listAt, textAt } from "../kubernetes/fields.ts";
import { objectsOf, nameOf, referenceTo, type Source } from "../kubernetes/objects.ts";
import type { Judgement } from "./gather-findings.ts";
import type { StayUpContext } from "./judge-container.ts";

/** Jobs whose pods tell nothing of why they failed; where a pod does, its finding is the better one. */
export function judgeJobs({ snapshot }: StayUpContext, judged: readonly Judgement[]): Judgement[] {
  const explained = new Set(
    judged
      .filter(({ parts, weight }) => parts.verdict === "violated" && (weight ?? 0) > 0)
      .map(({ parts: { subject } }) => subject.name.split("/").slice(0, 2).join("/")),
  );
  const events = eventsOf(snapshot);
  return objectsOf(snapshot)
    .of("Job")
    .flatMap((source): Judgement[] => {
      const name = nameOf(source.object);
      const { namespace = "default", name: job } = source.object.metadata;
      const told = events
        .about("Job", namespace, job)
        .find(({ reason }) => reason === "BackoffLimitExceeded" || reason === "DeadlineExceeded");
      const failure = failureOf(source) ?? told;
      if (failure === undefined) return [];
      const isLate = failure.reason === "DeadlineExceeded";
      if (!isLate && explained.has(name)) return [];
      return [isLate ? lateJob(source, failure.message) : failedJob(source, failure.message)];
    });
}

function failureOf({ object }: Source): { reason: string; message: string } | undefined {
  const condition = listAt(object, "status", "conditions").find(
    (item) => textAt(item, "type") === "Failed" && textAt(item, "status") === "True",
  );
  if (condition === undefined) return undefined;
  return {
    reason: textAt(condition, "reason") ?? "",
    message: textAt(condition, "message") ?? "The job failed.",
  };
}

function lateJob(source: Source, message: string): Judgement {
  const name = nameOf(source.object);
  const seconds = integerAt(source.object, "spec", "activeDeadlineSeconds");
  return {
    weight: 3,
    parts: {
      verdict: "violated",
      subject: { kind: "job", name },
      title: `Job ${name} was ended because it ran longer than its activeDeadlineSeconds${seconds === undefined ? "" : ` of ${seconds} s`}.`,
      actual: message,
      causeKind: "configuration",
      measures: { activeDeadlineSeconds: seconds },
      evidence: [referenceTo(source, message)],
      fixes: [
        {
          description:
            "Raise activeDeadlineSeconds above the time that the work takes, or make the work shorter.",
        },
      ],
      nextChecks: [
        `kubectl logs job/${source.object.metadata.name} -n ${source.object.metadata.namespace ?? "default"} shows what it was at`,
      ],
    },
  };
}

function failedJob(source: Source, message: string): Judgement {
  const name = nameOf(source.object);
  const limit = integerAt(source.object, "spec", "backoffLimit");
  return {
    weight: 0,
    parts: {
      verdict: "violated",
      subject: { kind: "job", name },
      title: `Job ${name} failed${limit === undefined ? "" : ` after its backoffLimit of ${limit}`}, and no log in the evidence tells why.`,
      actual: message,
      measures: { backoffLimit: limit },
      evidence: [referenceTo(source, message)],
      missing: ["the pods of the job and their logs"],
      nextChecks: [
        `kubectl logs job/${source.object.metadata.name} -n ${source.object.metadata.namespace ?? "default"} --all-containers`,
      ],
    },
  };
}
