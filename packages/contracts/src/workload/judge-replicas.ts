/** Judges workloads by what they want and what they have. */

import { ageSeconds, eventsOf } from "../kubernetes/event-index.ts";
import { integerAt, isPresentAt, isTrueAt, listAt, textAt, textsAt } from "../kubernetes/fields.ts";
import { nameOf, referenceTo, type Source } from "../kubernetes/objects.ts";
import { readFrom } from "../kubernetes/text-mark.ts";
import type { Subject } from "../model/finding.ts";
import { plural } from "../text/plural.ts";
import type { Judgement } from "./gather-findings.ts";
import type { PodView } from "./pod-view.ts";
import { type RolloutContext, titled } from "./rollout-context.ts";
import { troubleOf } from "./pod-trouble.ts";

const kinds = ["Deployment", "StatefulSet", "DaemonSet"] as const;

/** What is found about each workload that has a status. */
export function judgeReplicas(context: RolloutContext): Judgement[] {
  return kinds.flatMap((kind) =>
    context.objects.of(kind).flatMap((source) => judgeWorkload(source, context)),
  );
}

/** A workload's pods, and how many of them are ready. */
interface Counts {
  readonly wanted: number;
  readonly ready: number | undefined;
  readonly updated: number | undefined;
}

function judgeWorkload(first: Source, context: RolloutContext): Judgement[] {
  const source =
    context.objects.recordsOf(first.object).find(({ object }) => isPresentAt(object, "status")) ??
    first;
  const { object } = source;
  if (!isPresentAt(object, "status")) return [];
  const subject: Subject = { kind: object.kind.toLowerCase(), name: nameOf(object) };
  const counts = countsOf(source, first);
  if (counts === undefined) return [];
  const stalled = stalledJudgement(source, { subject, counts, context });
  if (stalled !== undefined) return [stalled];
  const ours = podsOfWorkload(subject, context.pods);
  if (isPaused(first) && (counts.updated ?? counts.wanted) < counts.wanted) {
    return [pausedJudgement(source, subject)];
  }
  if (counts.ready === undefined) return [];
  if (counts.ready >= counts.wanted) return [holding(source, subject, counts)];
  const age = ageSeconds(textAt(object, "status", "shown", "age") ?? "");
  if (age > 0 && age < context.options.settleSecondsMax) return [];
  const troubles = [...new Set(ours.flatMap((pod) => troubleOf(pod, context.snapshot) ?? []))];
  return [lacking(source, { subject, counts, troubles, ours })];
}

function countsOf({ object }: Source, specified: Source): Counts | undefined {
  const status = (name: string): number | undefined => integerAt(object, "status", name);
  if (object.kind === "DaemonSet") {
    const wanted = status("desiredNumberScheduled");
    if (wanted === undefined) return undefined;
    return {
      wanted,
      ready: status("numberAvailable") ?? status("numberReady") ?? apiZero(object),
      updated: status("updatedNumberScheduled"),
    };
  }
  const wanted =
    integerAt(object, "spec", "replicas") ?? integerAt(specified.object, "spec", "replicas") ?? 1;
  return {
    wanted,
    ready: status("availableReplicas") ?? status("readyReplicas") ?? apiZero(object),
    updated: status("updatedReplicas"),
  };
}

/** The API leaves out a count of zero once its controller has looked; text leaves out what it does not print. */
function apiZero(object: Source["object"]): number | undefined {
  return readFrom(object) === undefined && isPresentAt(object, "status", "observedGeneration")
    ? 0
    : undefined;
}

interface StallCase {
  readonly subject: Subject;
  readonly counts: Counts;
  readonly context: RolloutContext;
}

/** The controller itself says that it does not get on. */
function stalledJudgement(source: Source, item: StallCase): Judgement | undefined {
  const { subject, counts, context } = item;
  const conditions = listAt(source.object, "status", "conditions");
  const late = conditions.find(
    (condition) =>
      textAt(condition, "type") === "Progressing" &&
      textAt(condition, "status") === "False" &&
      (textAt(condition, "reason") ?? "ProgressDeadlineExceeded") === "ProgressDeadlineExceeded",
  );
  const events = eventsOf(context.snapshot).about(
    source.object.kind,
    source.object.metadata.namespace ?? "default",
    source.object.metadata.name,
  );
  const told = events.find(
    ({ reason, message }) => reason === "RolloutStatus" && message.includes("progress deadline"),
  );
  if (late === undefined && told === undefined) return undefined;
  const ours = podsOfWorkload(subject, context.pods);
  const named = [...new Set(ours.flatMap((pod) => troubleOf(pod, context.snapshot) ?? []))];
  const troubles = named.length > 0 ? named : pendingWords(source, ours);
  const message = textAt(late, "message") ?? told?.message ?? "ProgressDeadlineExceeded";
  const why = troubles.length === 0 ? "" : `: ${troubles.slice(0, 3).join("; ")}`;
  return {
    weight: troubles.length > 0 ? 3 : 2,
    parts: {
      verdict: "violated",
      subject,
      title: `${titled(subject.kind, subject.name)} does not progress (ProgressDeadlineExceeded)${why}.`,
      actual: message,
      causeKind: troubles.length > 0 ? "configuration" : "none",
      measures: {
        wantedCount: counts.wanted,
        readyCount: counts.ready,
        updatedCount: counts.updated,
      },
      evidence: [
        referenceTo(source, message),
        ...ours.slice(0, 10).map((pod) => referenceTo(pod.source)),
      ],
      missing: troubles.length === 0 ? ["the pods of the new replica set and their events"] : [],
      fixes: [
        {
          description: `Mend what keeps the new pods from becoming ready, or go back: kubectl rollout undo ${subject.kind}/${source.object.metadata.name}.`,
        },
      ],
      nextChecks: [
        `kubectl get pods -n ${source.object.metadata.namespace ?? "default"} and kubectl describe the newest of them`,
      ],
    },
  };
}

/** Pods without a node tell nothing more in a table; what the template asks for is then the likeliest reason. */
function pendingWords({ object }: Source, pods: readonly PodView[]): string[] {
  const waiting = pods.filter(
    ({ shown, nodeName }) => shown?.status === "Pending" && nodeName === undefined,
  );
  if (waiting.length === 0) return [];
  const requests = listAt(object, "spec", "template", "spec", "containers").flatMap((container) => [
    ...new Map([
      ...textsAt(container, "resources", "limits"),
      ...textsAt(container, "resources", "requests"),
    ]),
  ]);
  const words = requests.map(([resource, amount]) => `${resource} ${amount}`);
  const asks = words.length === 0 ? "" : `; each requests ${words.join(", ")}`;
  return [`${plural(waiting.length, "pod")} found no node (Pending)${asks}`];
}

function podsOfWorkload(subject: Subject, pods: readonly PodView[]): PodView[] {
  return pods.filter(({ owner }) => owner.kind === subject.kind && owner.name === subject.name);
}

function isPaused({ object }: Source): boolean {
  return isTrueAt(object, "spec", "paused");
}

function pausedJudgement(source: Source, subject: Subject): Judgement {
  return {
    parts: {
      verdict: "inconclusive",
      subject,
      title: `${titled(subject.kind, subject.name)} is paused, so its new pods are not rolled out.`,
      actual: "spec.paused is true, and not all replicas are of the newest template.",
      evidence: [referenceTo(source)],
      missing: ["whether it is meant to be paused"],
      fixes: [{ description: `kubectl rollout resume deployment/${source.object.metadata.name}` }],
    },
  };
}

function holding(source: Source, subject: Subject, counts: Counts): Judgement {
  return {
    parts: {
      verdict: "holds",
      subject,
      title: `${titled(subject.kind, subject.name)} has the ${plural(counts.wanted, "pod")} that it wants.`,
      actual: `${counts.ready ?? 0} of ${counts.wanted} are ready.`,
      measures: { wantedCount: counts.wanted, readyCount: counts.ready },
      evidence: [referenceTo(source)],
    },
  };
}

interface LackCase {
  readonly subject: Subject;
  readonly counts: Counts;
  readonly troubles: readonly string[];
  readonly ours: readonly PodView[];
}

/** Fewer pods are ready than wanted: a fault where a pod tells one, else perhaps only a moment of a rollout. */
function lacking(source: Source, { subject, counts, troubles, ours }: LackCase): Judgement {
  const { wanted, ready = 0 } = counts;
  const unavailable = listAt(source.object, "status", "conditions").find(
    (condition) =>
      textAt(condition, "type") === "Available" && textAt(condition, "status") === "False",
  );
  const head = `${titled(subject.kind, subject.name)} has ${ready} of ${plural(wanted, "pod")} ready`;
  const shared = {
    subject,
    measures: { wantedCount: wanted, readyCount: ready },
    evidence: [referenceTo(source), ...ours.slice(0, 10).map((pod) => referenceTo(pod.source))],
  };
  if (troubles.length > 0) {
    return {
      weight: 2,
      parts: {
        ...shared,
        verdict: "violated",
        title: `${head}: ${troubles.slice(0, 3).join("; ")}.`,
        actual: troubles.join("; "),
        causeKind: "configuration",
        fixes: [{ description: "Mend what its pods name." }],
        nextChecks: [
          `kubectl describe ${subject.kind} ${source.object.metadata.name} -n ${source.object.metadata.namespace ?? "default"}`,
        ],
      },
    };
  }
  return {
    parts: {
      ...shared,
      verdict: "inconclusive",
      title: `${head}, and the evidence does not tell why.`,
      actual: textAt(unavailable, "message") ?? `${ready} of ${wanted} are ready.`,
      missing: ["the pods that are not ready, and their events"],
      nextChecks: [
        `kubectl describe pods -n ${source.object.metadata.namespace ?? "default"}`,
        `kubectl rollout status ${subject.kind}/${source.object.metadata.name} -n ${source.object.metadata.namespace ?? "default"}`,
      ],
    },
  };
}
