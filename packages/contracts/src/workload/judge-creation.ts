/** Judges makers of pods that the API server refuses. */

import { type ClusterEvent, eventsOf } from "../kubernetes/event-index.ts";
import { listAt, textAt } from "../kubernetes/fields.ts";
import { nameOf, referenceTo, type Source } from "../kubernetes/objects.ts";
import type { Subject } from "../model/finding.ts";
import type { Judgement } from "./gather-findings.ts";
import { hasMadePods, makerSubject } from "./maker.ts";
import { missingReference } from "./missing-reference.ts";
import { type RolloutContext, titled } from "./rollout-context.ts";

/** Refusals that were not followed by a success. What other contracts explain in full is left to them. */
export function judgeCreation(context: RolloutContext): Judgement[] {
  const index = eventsOf(context.snapshot);
  const told = index.all.flatMap((event): Judgement[] => {
    if (event.reason !== "FailedCreate") return [];
    if (hasMadePods(event, context.objects, index)) return [];
    return judgement(makerSubject(event, context.objects), event.message, event);
  });
  const conditions = ["Deployment", "ReplicaSet"].flatMap((kind) =>
    context.objects.of(kind).flatMap((source) => {
      const condition = listAt(source.object, "status", "conditions").find(
        (item) => textAt(item, "type") === "ReplicaFailure" && textAt(item, "status") === "True",
      );
      const message = textAt(condition, "message");
      if (message === undefined) return [];
      const { namespace = "default", name } = source.object.metadata;
      const subject: Subject =
        kind === "Deployment"
          ? { kind: "deployment", name: nameOf(source.object) }
          : makerSubject({ kind, namespace, name }, context.objects);
      return judgement(subject, message, source);
    }),
  );
  return [...told, ...conditions];
}

/** What `workload/references` and `workload/permissions` explain. */
const elsewhere = /violates PodSecurity|admission webhook|cannot \w+ resource/;

function judgement(subject: Subject, message: string, from: ClusterEvent | Source): Judgement[] {
  if (missingReference(message) !== undefined || elsewhere.test(message)) return [];
  const source = "source" in from ? from.source : from;
  const { because, isQuota } = becauseOf(message);
  return [
    {
      weight: 3,
      parts: {
        verdict: "violated",
        subject,
        title: `${titled(subject.kind, subject.name)} cannot make its pods: ${because}.`,
        actual: message,
        causeKind: isQuota ? "capacity" : "configuration",
        evidence: [referenceTo(source, message)],
        fixes: [
          {
            description: isQuota
              ? "Raise the quota, or lower the requests or the replicas, so that they fit."
              : "Correct the field of the pod template that the API server names.",
          },
        ],
        nextChecks: [
          `kubectl describe ${subject.kind} ${subject.name.split("/")[1] ?? ""} -n ${subject.name.split("/")[0] ?? ""}`,
        ],
      },
    },
  ];
}

function becauseOf(message: string): { because: string; isQuota: boolean } {
  const [, quota] = /exceeded quota: ([^\n]{1,500})/.exec(message) ?? [];
  if (quota !== undefined) return { because: `they exceed the quota ${quota}`, isQuota: true };
  const [, fields] = /failed quota: ([^\n]{1,300})/.exec(message) ?? [];
  if (fields !== undefined) {
    return { because: `the quota wants values that they do not set (${fields})`, isQuota: false };
  }
  const [, forbidden] = /is forbidden: ([^\n]{1,600})/.exec(message) ?? [];
  const [, invalid] = /is invalid: ([^\n]{1,600})/.exec(message) ?? [];
  return { because: forbidden ?? invalid ?? message, isQuota: false };
}
