/** Judges what containers ask of the API server by kubectl, against the roles that manifests give their account. */

import { textAt, textListAt } from "../kubernetes/fields.ts";
import { objectsOf, referenceTo } from "../kubernetes/objects.ts";
import type { Snapshot } from "../model/snapshot.ts";
import type { Denial } from "./denial.ts";
import type { Judgement } from "./gather-findings.ts";
import { containersIn, type PodTemplate, templatesOf } from "./pod-template.ts";
import { allowanceOf } from "./rbac.ts";
import { titled } from "./rollout-context.ts";

/** Characters of a command that are read. */
const commandLengthMax = 20_000;
const callPattern =
  /\bkubectl (?:(?:-n|--namespace)[ =](\S{1,63}) )?get ([a-z]{2,30})(?=[\s;&|)]|$)([^\n;&|)]{0,200})/g;

/** Resources by the names that people give them, with their group. Those of no namespace are left out. */
const resources: readonly (readonly [resource: string, group: string, names: RegExp])[] = [
  ["pods", "", /^(?:po|pods?)$/],
  ["services", "", /^(?:svc|services?)$/],
  ["configmaps", "", /^(?:cm|configmaps?)$/],
  ["secrets", "", /^secrets?$/],
  ["endpoints", "", /^(?:ep|endpoints)$/],
  ["events", "", /^(?:ev|events?)$/],
  ["deployments", "apps", /^(?:deploy|deployments?)$/],
  ["statefulsets", "apps", /^(?:sts|statefulsets?)$/],
  ["daemonsets", "apps", /^(?:ds|daemonsets?)$/],
  ["jobs", "batch", /^jobs?$/],
  ["cronjobs", "batch", /^(?:cj|cronjobs?)$/],
];

/** A finding for each workload whose account is bound to roles of the evidence, none of which allows what it asks for. */
export function judgeKubectlCalls(snapshot: Snapshot): Judgement[] {
  const objects = objectsOf(snapshot);
  if (!objects.has("Role") && !objects.has("ClusterRole")) return [];
  return templatesOf(snapshot).flatMap((template): Judgement[] => {
    for (const call of callsOf(template)) {
      const allowance = allowanceOf(call, objects);
      const miss = allowance.kind === "denied" ? allowance.miss : undefined;
      // A role that is not in the evidence, as one that every cluster has, may allow it.
      if (miss === undefined || !/^(?:Cluster)?Role$/.test(miss.source.object.kind)) continue;
      const { subject, source } = template;
      return [
        {
          parts: {
            verdict: "inconclusive",
            subject,
            title: `${titled(subject.kind, subject.name)} runs ${call.message}, which needs ${call.verb} on ${call.resource}, and no role of its account in the evidence gives it: ${miss.words}.`,
            actual: `Its account is ${call.user}.`,
            evidence: [referenceTo(source, call.message), referenceTo(miss.source)],
            missing: ["whether other roles and bindings of the account are in the cluster"],
            fixes: [{ description: miss.fix }],
            nextChecks: [
              `kubectl auth can-i ${call.verb} ${call.resource} --as ${call.user}${call.namespace === undefined ? " -A" : ` -n ${call.namespace}`}`,
            ],
          },
        },
      ];
    }
    return [];
  });
}

function callsOf({ spec, namespace }: PodTemplate): Denial[] {
  const account = textAt(spec, "serviceAccountName") ?? textAt(spec, "serviceAccount") ?? "default";
  const user = `system:serviceaccount:${namespace}:${account}`;
  return containersIn(spec).flatMap((container) => {
    const words = [...textListAt(container, "command"), ...textListAt(container, "args")];
    const text = words.join(" ").slice(0, commandLengthMax);
    return [...text.matchAll(callPattern)].flatMap(([call, before, named = "", rest = ""]) => {
      const known = resources.find(([, , names]) => names.test(named));
      if (known === undefined || /[$`"'<]/.test(call)) return [];
      const [resource, group] = known;
      const [first = ""] = rest.trim().split(/\s+/);
      const objectName = first === "" || first.startsWith("-") ? undefined : first;
      const isOfAll = /(?:^|\s)(?:-A|--all-namespaces)(?:\s|$)/.test(rest);
      const after = /(?:^|\s)(?:-n|--namespace)[ =](\S{1,63})/.exec(rest)?.[1];
      const verb = objectName === undefined ? "list" : "get";
      const within = isOfAll ? undefined : (after ?? before ?? namespace);
      return [{ user, verb, resource, group, namespace: within, objectName, message: call.trim() }];
    });
  });
}
