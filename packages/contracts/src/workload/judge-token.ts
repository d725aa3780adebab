/** Judges processes that look for the token of their service account and find none. */

import { isFields } from "../model/fields.ts";
import { referenceTo } from "../kubernetes/objects.ts";
import type { Judgement } from "./gather-findings.ts";
import type { PermissionContext } from "./judge-denial.ts";
import { logsOf } from "./pod-logs.ts";
import { containerSubject, podsOf } from "./pod-view.ts";

const missingToken =
  /serviceaccount\/token['":]?[^\n]{0,40}(?:no such file|not found|ENOENT)|(?:no such file|ENOENT|open)[^\n]{0,60}serviceaccount\/token[^\n]{0,40}no such file|unable to load in-cluster configuration/i;

/** A log that misses the token, where the pod or its account forbids to mount it. */
export function judgeTokens({ snapshot, objects }: PermissionContext): Judgement[] {
  return podsOf(snapshot).flatMap((pod) =>
    pod.containers.flatMap((container): Judgement[] => {
      const told = logsOf(snapshot, pod, container.name).flatMap(({ evidenceId, lines }) =>
        lines.flatMap(({ text }) =>
          missingToken.test(text) ? [{ evidenceId, quote: text.slice(0, 1_000) }] : [],
        ),
      );
      const [line] = told;
      if (line === undefined) return [];
      const name =
        typeof pod.spec["serviceAccountName"] === "string"
          ? pod.spec["serviceAccountName"]
          : "default";
      const account = objects.get("ServiceAccount", pod.namespace, name);
      const ofPod = pod.spec["automountServiceAccountToken"];
      const ofAccount = isFields(account?.object)
        ? account.object["automountServiceAccountToken"]
        : undefined;
      const isForbidden = ofPod === false || (ofPod === undefined && ofAccount === false);
      if (!isForbidden) return [];
      const where = ofPod === false ? "the pod" : `the service account ${pod.namespace}/${name}`;
      return [
        {
          weight: 3,
          parts: {
            verdict: "violated",
            subject: containerSubject(pod, container),
            title: `Container ${container.name} of ${pod.owner.kind} ${pod.owner.name} wants the token of its service account, and ${where} says automountServiceAccountToken: false.`,
            actual: line.quote,
            causeKind: "configuration",
            evidence: [
              referenceTo(pod.source),
              line,
              ...(account === undefined ? [] : [referenceTo(account)]),
            ],
            fixes: [
              {
                description:
                  "Set automountServiceAccountToken: true in the pod's spec, if it should call the API server.",
              },
            ],
          },
        },
      ];
    }),
  );
}
