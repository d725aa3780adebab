/** Judges questions that were asked of the wrong namespace. */

import { isTrueAt, textAt } from "../kubernetes/fields.ts";
import { nameOf, referenceTo, type Source } from "../kubernetes/objects.ts";
import { answerKind } from "../readers/kubernetes/kubectl-answer.ts";
import type { Judgement } from "./gather-findings.ts";
import { type RolloutContext, titled } from "./rollout-context.ts";

/** A question that kubectl answered with nothing. */
interface Unanswered {
  readonly source: Source;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
}

const makers = [
  "Deployment",
  "StatefulSet",
  "DaemonSet",
  "CronJob",
  "Job",
  "Service",
  "Pod",
] as const;

/**
 * A workload was looked for in a namespace that has none, while it is declared in another. Where the evidence shows
 * it to run, the question was only asked twice, and whoever asked found it.
 */
export function judgeNamespaces({ objects, pods }: RolloutContext): Judgement[] {
  const asked = objects.of(answerKind).flatMap((source): Unanswered[] => {
    const meaning = textAt(source.object, "meaning");
    if (meaning !== "empty" && meaning !== "not-found") return [];
    return [
      {
        source,
        namespace: isTrueAt(source.object, "isOfAllNamespaces")
          ? undefined
          : textAt(source.object, "askedNamespace"),
        name: textAt(source.object, "askedName"),
      },
    ];
  });
  const names = new Set(asked.flatMap(({ name }) => name ?? []));
  return asked.flatMap(({ namespace, name, source }): Judgement[] => {
    if (namespace === undefined) return [];
    const sought = name === undefined ? names : new Set([name]);
    const isPopulated = makers.some((kind) =>
      objects
        .of(kind)
        .some(
          ({ object }) =>
            (object.metadata.namespace ?? "default") === namespace &&
            sought.has(object.metadata.name),
        ),
    );
    if (isPopulated) return [];
    return makers.flatMap((kind) =>
      objects.of(kind).flatMap(({ object, evidenceId }): Judgement[] => {
        const { name: declared, namespace: within = "default" } = object.metadata;
        if (within === namespace || ![...sought].some((word) => isNamed(declared, word))) return [];
        const runs = pods.some((pod) => pod.namespace === within && isNamed(pod.name, declared));
        if (runs) return [];
        return [elsewhere({ object, evidenceId }, { namespace, within, question: source })];
      }),
    );
  });
}

/** Whether a name is that of what was looked for, or of a pod of it. */
function isNamed(name: string, word: string): boolean {
  return name === word || name.startsWith(`${word}-`);
}

interface Place {
  readonly namespace: string;
  readonly within: string;
  readonly question: Source;
}

function elsewhere(declared: Source, { namespace, within, question }: Place): Judgement {
  const { object } = declared;
  const kind = object.kind.toLowerCase();
  return {
    weight: 1,
    parts: {
      verdict: "violated",
      subject: { kind, name: nameOf(object) },
      title: `${titled(kind, object.metadata.name)} is not in namespace ${namespace}, where it was looked for: it belongs to namespace ${within}.`,
      actual: textAt(question.object, "message") ?? "kubectl found nothing.",
      expected: `${object.metadata.name} runs in the namespace in which it is looked for.`,
      causeKind: "configuration",
      measures: { askedNamespace: namespace, namespace: within },
      evidence: [
        referenceTo(declared),
        referenceTo(question, textAt(question.object, "message") ?? ""),
      ],
      fixes: [
        {
          description: `Look for it in namespace ${within} (-n ${within}), or deploy it to ${namespace}.`,
        },
      ],
      nextChecks: [`kubectl get pods -n ${within}`],
    },
  };
}
