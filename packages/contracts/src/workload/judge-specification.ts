/** Judges what a manifest of a workload says that no cluster can carry out. */

import { fieldsAt, isPresentAt, listAt, textAt, textsAt } from "../kubernetes/fields.ts";
import { nameOf, referenceTo, type Source } from "../kubernetes/objects.ts";
import { readLabelSelector, selects } from "../kubernetes/selector.ts";
import { resourceAmount } from "../kubernetes/quantity.ts";
import { unknownFields } from "../kubernetes/text-mark.ts";
import { canonicalJson } from "../snapshot/canonical-json.ts";
import type { Judgement } from "./gather-findings.ts";
import { containersIn, type PodTemplate, templatesOf } from "./pod-template.ts";
import { type RolloutContext, titled } from "./rollout-context.ts";

/** Faults that the API server refuses, or under which a rollout can never move. */
export function judgeSpecifications({ objects, snapshot }: RolloutContext): Judgement[] {
  const workloads = ["Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"].flatMap((kind) =>
    objects.of(kind).flatMap((source) => [...selectorFault(source), ...strategyFault(source)]),
  );
  return [
    ...workloads,
    ...templatesOf(snapshot).flatMap((template) => [
      ...requestFault(template),
      ...repeatedVariables(template),
      ...restartFault(template),
      ...rootFault(template),
    ]),
  ];
}

/** A variable that a container sets twice: the last wins without a word, and `kubectl apply` merges both into one. */
function repeatedVariables({ source, spec }: PodTemplate): Judgement[] {
  const words = containersIn(spec).flatMap((container) => {
    const byName = Map.groupBy(
      listAt(container, "env").filter((item) => textAt(item, "name") !== undefined),
      (item) => textAt(item, "name") ?? "",
    );
    return [...byName].flatMap(([name, items]) => {
      // One that takes up the value before it is set anew on purpose.
      if (items.some((item) => textAt(item, "value")?.includes(`$(${name})`) === true)) return [];
      if (new Set(items.map((item) => canonicalJson(item))).size < 2) return [];
      const values = items.map((item) => textAt(item, "value") ?? "a reference");
      return [
        `container ${textAt(container, "name") ?? ""} sets ${name} ${items.length} times (${values.join(", ")}), and the last counts`,
      ];
    });
  });
  if (words.length === 0) return [];
  return [
    fault(source, {
      says: `contradicts itself: ${words.join("; ")}`,
      actual: words.join("; "),
      fix: "Keep each variable once in env, with the value that is meant.",
    }),
  ];
}

/** A request above its limit. That of memory is the matter of `workload/memory-limit`. */
function requestFault({ source, spec }: PodTemplate): Judgement[] {
  const words = containersIn(spec).flatMap((container) => {
    const limits = textsAt(container, "resources", "limits");
    return [...textsAt(container, "resources", "requests")].flatMap(([resource, requested]) => {
      const limited = limits.get(resource) ?? "";
      const [request, limit] = [requested, limited].map((text) => resourceAmount(resource, text));
      if (resource === "memory" || request === undefined || limit === undefined) return [];
      if (request <= limit) return [];
      return [
        `container ${textAt(container, "name") ?? ""} requests ${resource} ${requested}, and its limit is ${limited}`,
      ];
    });
  });
  if (words.length === 0) return [];
  return [
    fault(source, {
      says: `is refused: ${words.join("; ")}`,
      actual: words.join("; "),
      fix: "Set each request to at most its limit.",
    }),
  ];
}

/** What runs for good must always be started again, and what is to end must not. A pod that says nothing is left alone. */
function restartFault({ source, spec }: PodTemplate): Judgement[] {
  const policy = textAt(spec, "restartPolicy");
  const { kind } = source.object;
  if (policy === undefined || kind === "Pod") return [];
  const isJob = kind.endsWith("Job");
  if ((policy === "Always") !== isJob) return [];
  const wanted = isJob ? "OnFailure or Never" : "Always";
  return [
    fault(source, {
      says: `is refused: its pods have restartPolicy ${policy}, and a ${kind} takes ${wanted}`,
      actual: `restartPolicy: ${policy}`,
      fix: isJob
        ? "Set restartPolicy of the template to OnFailure or Never."
        : "Leave restartPolicy out of the template.",
    }),
  ];
}

/** A container that must not run as root and is told to: the kubelet does not start it. */
function rootFault({ source, spec }: PodTemplate): Judgement[] {
  const words = containersIn(spec).flatMap((container) => {
    const valueOf = (field: string): string | undefined =>
      textAt(container, "securityContext", field) ?? textAt(spec, "securityContext", field);
    if (valueOf("runAsNonRoot") !== "true" || valueOf("runAsUser") !== "0") return [];
    return [`container ${textAt(container, "name") ?? ""} has runAsNonRoot: true and runAsUser: 0`];
  });
  if (words.length === 0) return [];
  return [
    fault(source, {
      says: `cannot start: ${words.join("; ")}`,
      actual: words.join("; "),
      fix: "Set runAsUser to another user than 0, as one that the image is made for.",
    }),
  ];
}

function selectorFault(source: Source): Judgement[] {
  const { object } = source;
  const unknown = unknownFields(object);
  if (unknown.includes("spec.selector") || unknown.includes("spec.template")) return [];
  if (!isPresentAt(object, "spec", "selector") || !isPresentAt(object, "spec", "template"))
    return [];
  const selector = readLabelSelector(fieldsAt(object, "spec", "selector"));
  const labels = textsAt(object, "spec", "template", "metadata", "labels");
  if (selector === undefined || selects(selector, { name: "", labels })) return [];
  const wanted = textsAt(object, "spec", "selector", "matchLabels");
  const differing = [...wanted].filter(([key, value]) => labels.get(key) !== value);
  const words = differing.map(
    ([key, value]) => `${key} is ${labels.get(key) ?? "not set"} in the template, not ${value}`,
  );
  return [
    fault(source, {
      says: `has a selector that its own template does not match${words.length === 0 ? "" : `: ${words.join("; ")}`}`,
      actual:
        words.join("; ") || "The selector's expressions do not match the labels of the template.",
      fix: `Make spec.template.metadata.labels carry ${[...wanted].map(([key, value]) => `${key}=${value}`).join(", ") || "what the selector wants"}.`,
    }),
  ];
}

function strategyFault(source: Source): Judgement[] {
  const rolling = fieldsAt(source.object, "spec", "strategy", "rollingUpdate");
  const isZero = (name: string): boolean => /^0%?$/.test(textAt(rolling, name) ?? "");
  if (!isZero("maxUnavailable") || !isZero("maxSurge")) return [];
  return [
    fault(source, {
      says: "can never roll out: maxUnavailable and maxSurge are both 0",
      actual: "maxUnavailable: 0, maxSurge: 0",
      fix: "Set maxSurge or maxUnavailable to at least 1.",
    }),
  ];
}

function fault(
  source: Source,
  { says, actual, fix }: { readonly says: string; readonly actual: string; readonly fix: string },
): Judgement {
  const subject = { kind: source.object.kind.toLowerCase(), name: nameOf(source.object) };
  return {
    weight: 3,
    parts: {
      verdict: "violated",
      subject,
      title: `${titled(subject.kind, subject.name)} ${says}.`,
      actual,
      causeKind: "configuration",
      evidence: [referenceTo(source)],
      fixes: [{ description: fix }],
    },
  };
}
