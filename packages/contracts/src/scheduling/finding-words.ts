/** The words that all findings about pods and nodes share. */

import type { Finding } from "../model/finding.ts";
import type { FindingParts } from "../model/make-finding.ts";
import { shorten } from "../text/cut-text.ts";
import type { AskingPod } from "./cluster.ts";

/** Limits of what one finding lists. */
export const listLimits = {
  missingCountMax: 12,
  textLengthMax: 1_000,
  quoteLengthMax: 2_000,
} as const;

type Base = Pick<FindingParts, "verdict" | "subject" | "expected" | "evidence">;

/** What every finding of the contract begins with. */
export function base(
  { subject, pod }: Pick<AskingPod, "subject" | "pod">,
  verdict: Finding["verdict"],
): Base {
  return {
    verdict,
    subject,
    expected: "At least one node passes every filter of the scheduler.",
    evidence: [{ evidenceId: pod.source.evidenceId, locator: locatorOf(subject) }],
  };
}

/** A pod that asks, by what people know it by, at the beginning of a sentence. */
export function nameOf({ subject }: Pick<AskingPod, "subject">): string {
  const name = lowerNameOf({ subject });
  return `${name.charAt(0).toUpperCase()}${name.slice(1)}`;
}

/** A pod that asks, within a sentence. */
export function lowerNameOf({ subject }: Pick<AskingPod, "subject">): string {
  return subject.kind === "pod"
    ? `pod ${subject.name}`
    : `the pod of ${subject.kind} ${subject.name}`;
}

/** Kinds as the API writes them. */
export const kindNames: Readonly<Record<string, string>> = {
  pod: "Pod",
  deployment: "Deployment",
  replicaset: "ReplicaSet",
  statefulset: "StatefulSet",
  job: "Job",
  cronjob: "CronJob",
};

function locatorOf(subject: AskingPod["subject"]): string {
  return `${kindNames[subject.kind] ?? subject.kind}/${subject.name}`.slice(
    0,
    listLimits.textLengthMax,
  );
}

/** A text at a length that a finding takes. */
export function cut(text: string): string {
  return shorten(text, listLimits.textLengthMax);
}
