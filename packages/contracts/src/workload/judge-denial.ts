/** Judges refusals of the API server that events, answers and logs quote. */

import type { EventIndex } from "../kubernetes/event-index.ts";
import { listAt, textAt } from "../kubernetes/fields.ts";
import { type Objects, referenceTo } from "../kubernetes/objects.ts";
import type { EvidenceReference } from "../model/evidence.ts";
import type { Subject } from "../model/finding.ts";
import { evidenceOfKind, type Snapshot } from "../model/snapshot.ts";
import { answerKind } from "../readers/kubernetes/kubectl-answer.ts";
import { compareText } from "../text/compare-text.ts";
import { accountOf, type Denial, denialIn } from "./denial.ts";
import type { Judgement } from "./gather-findings.ts";
import { type Allowance, allowanceOf } from "./rbac.ts";

export interface PermissionContext {
  readonly snapshot: Snapshot;
  readonly objects: Objects;
  readonly events: EventIndex;
}

/** Lines of one log that are searched, and denials that one finding lists. */
const lineCountMax = 5_000;
const denialCountMax = 12;

interface Quoted {
  readonly denial: Denial;
  readonly reference: EvidenceReference;
}

/** One finding for each user that was refused. */
export function judgeDenials(context: PermissionContext): Judgement[] {
  const byUser = Map.groupBy(quotedDenials(context), ({ denial }) => denial.user);
  return [...byUser]
    .sort(([left], [right]) => compareText(left, right))
    .map(([user, quoted]) => judgement(user, distinct(quoted), context.objects));
}

function quotedDenials({ snapshot, objects, events }: PermissionContext): Quoted[] {
  const quoted = (text: string, reference: () => EvidenceReference): Quoted[] => {
    const denial = text.includes("forbidden") ? denialIn(text) : undefined;
    return denial === undefined ? [] : [{ denial, reference: reference() }];
  };
  return [
    ...events.all.flatMap(({ message, source }) =>
      quoted(message, () => referenceTo(source, message)),
    ),
    ...objects.of(answerKind).flatMap((source) => {
      const message = textAt(source.object, "message") ?? "";
      return quoted(message, () => referenceTo(source, message));
    }),
    ...["Pod", "HorizontalPodAutoscaler", "Deployment", "ReplicaSet", "Job"].flatMap((kind) =>
      objects.of(kind).flatMap((source) =>
        listAt(source.object, "status", "conditions").flatMap((condition) => {
          const message = textAt(condition, "message") ?? "";
          return quoted(message, () => referenceTo(source, message));
        }),
      ),
    ),
    ...evidenceOfKind(snapshot, "logs").flatMap((evidence) =>
      evidence.content.lines
        .slice(-lineCountMax)
        .flatMap(({ text }) =>
          quoted(text, () => ({ evidenceId: evidence.id, quote: text.slice(0, 1_000) })),
        ),
    ),
  ];
}

/** Each thing that was refused once, in one order. */
function distinct(quoted: readonly Quoted[]): Quoted[] {
  const byAct = new Map<string, Quoted>();
  for (const item of quoted) {
    const key = describeAct(item.denial);
    const known = byAct.get(key);
    if (
      known === undefined ||
      compareText(item.reference.evidenceId, known.reference.evidenceId) < 0
    ) {
      byAct.set(key, item);
    }
  }
  return [...byAct]
    .sort(([left], [right]) => compareText(left, right))
    .map(([, item]) => item)
    .slice(0, denialCountMax);
}

function describeAct({ verb, resource, group, namespace }: Denial): string {
  const of = group === "" ? resource : `${resource}.${group}`;
  return `${verb} ${of} ${namespace === undefined ? "in the whole cluster" : `in namespace ${namespace}`}`;
}

function judgement(user: string, quoted: readonly Quoted[], objects: Objects): Judgement {
  const account = accountOf(user);
  const subject: Subject =
    account === undefined
      ? { kind: "user", name: user }
      : { kind: "serviceaccount", name: `${account.namespace}/${account.name}` };
  const who = account === undefined ? `User ${user}` : `Service account ${subject.name}`;
  const judged = quoted.map((item) => ({ ...item, allowance: allowanceOf(item.denial, objects) }));
  const open = judged.filter(({ allowance }) => allowance.kind !== "allowed");
  const acts = (open.length === 0 ? judged : open).map(({ denial }) => describeAct(denial));
  const evidence = judged.flatMap(({ reference, allowance }) => [
    reference,
    ...sourcesOf(allowance).map((source) => referenceTo(source)),
  ]);
  if (open.length === 0) {
    return {
      parts: {
        verdict: "inconclusive",
        subject,
        title: `${who} was refused to ${acts.join("; ")}, but the roles in the evidence allow it.`,
        actual: quoted.map(({ denial }) => denial.message).join("\n"),
        evidence,
        missing: [
          "the roles and bindings of the moment of the refusal: these are newer, or of another cluster",
        ],
        nextChecks: quoted.map(({ denial }) => canI(denial)),
      },
    };
  }
  const misses = open.flatMap(({ allowance }) =>
    allowance.kind === "denied" && allowance.miss !== undefined ? [allowance.miss] : [],
  );
  const hint = misses[0] === undefined ? "" : `: ${misses[0].words}`;
  return {
    weight: misses.length > 0 ? 3 : 2,
    parts: {
      verdict: "violated",
      subject,
      title: `${who} may not ${acts.join("; ")}${hint}.`,
      actual: open.map(({ denial }) => denial.message).join("\n"),
      causeKind: "configuration",
      measures: { deniedCount: open.length },
      evidence,
      missing:
        misses.length === 0 && open.some(({ allowance }) => allowance.kind === "unknown")
          ? ["the roles and bindings of the namespace, to name the nearest one"]
          : [],
      fixes: [
        ...misses.map(({ fix }) => ({ description: fix })),
        ...open.map(({ denial }) => ({ description: ruleWords(denial, who) })),
      ],
      nextChecks: open.map(({ denial }) => canI(denial)),
    },
  };
}

function sourcesOf(allowance: Allowance): Parameters<typeof referenceTo>[0][] {
  if (allowance.kind === "allowed") return [allowance.by];
  return allowance.kind === "denied" && allowance.miss !== undefined ? [allowance.miss.source] : [];
}

/** The smallest rule that allows it. */
function ruleWords({ verb, resource, group, namespace }: Denial, who: string): string {
  const role = namespace === undefined ? "ClusterRole" : `Role in namespace ${namespace}`;
  return `Give ${who.charAt(0).toLowerCase()}${who.slice(1)} a ${role} with the rule apiGroups: ["${group}"], resources: ["${resource}"], verbs: ["${verb}"], if it should be allowed.`;
}

function canI({ user, verb, resource, group, namespace }: Denial): string {
  const [name = resource, sub] = resource.split("/");
  const of = group === "" ? name : `${name}.${group}`;
  const where = namespace === undefined ? "--all-namespaces" : `-n ${namespace}`;
  return `kubectl auth can-i ${verb} ${of}${sub === undefined ? "" : ` --subresource=${sub}`} --as=${user} ${where}`;
}
