/** Judges containers of which the evidence holds a log and no object. */

import { evidenceOfKind } from "../model/snapshot.ts";
import { explainLog } from "./causes/explain-log.ts";
import type { Judgement } from "./gather-findings.ts";
import type { StayUpContext } from "./judge-container.ts";
import type { PodView } from "./pod-view.ts";

/**
 * The log of a container that was replaced tells how it ended. That of a container which may still run must tell the
 * same failed connection again and again, to its last line.
 */
export function judgeLogsAlone(
  pods: readonly PodView[],
  { snapshot, options }: StayUpContext,
): Judgement[] {
  const known = new Set(
    pods.flatMap(({ namespace, name, ownerName }) => [
      `${namespace}/${name}`,
      `${namespace}/${ownerName}`,
    ]),
  );
  const knownNames = new Set(pods.flatMap(({ name, ownerName }) => [name, ownerName]));
  return evidenceOfKind(snapshot, "logs").flatMap((evidence): Judgement[] => {
    const { about, lines } = evidence.content;
    if (about === undefined || lines.length === 0) return [];
    const isKnown =
      about.namespace === undefined
        ? knownNames.has(about.pod)
        : known.has(`${about.namespace}/${about.pod}`);
    if (isKnown) return [];
    const cause = explainLog(lines);
    if (cause === undefined || cause.weight < 2) return [];
    const isRepeated = cause.isDependency === true && cause.isLast;
    if (!about.isPrevious && !(isRepeated && cause.count >= options.failureLineCountMin)) return [];
    const name = `${about.namespace ?? "default"}/${about.pod}`;
    const container = about.container === undefined ? "" : `Container ${about.container} of `;
    return [
      {
        weight: cause.weight,
        parts: {
          verdict: "violated",
          subject:
            about.container === undefined
              ? { kind: "pod", name }
              : { kind: "container", name: `${name}/${about.container}` },
          title: `${container}${container === "" ? "Pod" : "pod"} ${name} ${about.isPrevious ? "ended" : "does not get on"}: ${cause.because}.`,
          actual: `Its log says: ${cause.line}`,
          causeKind: cause.causeKind,
          measures: { failureLineCount: cause.count, line: cause.line },
          evidence: [{ evidenceId: evidence.id, quote: cause.line }],
          missing: ["the pod itself, with the state of its containers"],
          fixes: cause.fix === undefined ? [] : [{ description: cause.fix }],
          nextChecks: [`kubectl describe pod ${about.pod} -n ${about.namespace ?? "default"}`],
        },
      },
    ];
  });
}
