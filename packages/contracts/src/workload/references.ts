/** The contract workload/references: everything that a pod names exists in its namespace. */

import { isPresentAt, listAt, textAt } from "../kubernetes/fields.ts";
import { objectsOf, type Objects, referenceTo, type Source } from "../kubernetes/objects.ts";
import { readFrom, unknownFields } from "../kubernetes/text-mark.ts";
import type { Contract } from "../model/contract.ts";
import { defineContract } from "../model/define-contract.ts";
import type { Finding } from "../model/finding.ts";
import { nearestName } from "../text/nearest-name.ts";
import { plural } from "../text/plural.ts";
import { isTypo } from "../text/typo.ts";
import { gather, type Judgement } from "./gather-findings.ts";
import { judgeToldReferences } from "./judge-told-references.ts";
import { type PodReference, referencesOf, undefinedVolumes } from "./pod-references.ts";
import { type PodTemplate, templatesOf } from "./pod-template.ts";
import { type PodView, podsOf } from "./pod-view.ts";
import { keysOf, nearHint, otherNamespaceOf } from "./reference-hints.ts";

export const references: Contract = defineContract({
  id: "workload/references",
  version: 2,
  boundary: "pod-scheduler",
  promise:
    "Every config map, secret, key, claim, service account and class that a pod names exists where the pod looks for it.",
  reads: ["kubernetes"],
  options: {},
  check(snapshot, _options, found): Finding[] {
    const objects = objectsOf(snapshot);
    const pods = podsOf(snapshot);
    const podsByOwner = Map.groupBy(pods, ({ owner }) => `${owner.kind} ${owner.name}`);
    const templates = templatesOf(snapshot);
    const context = { objects, podsByOwner, templates };
    return gather([
      ...judgeToldReferences(snapshot, pods),
      ...templates.flatMap((template) => judgeTemplate(template, context)),
    ]).map(found);
  },
});

interface Context {
  readonly objects: Objects;
  readonly podsByOwner: ReadonlyMap<string, readonly PodView[]>;
  readonly templates: readonly PodTemplate[];
}

/** One reference that the evidence does not resolve. `isSure` where the evidence settles that it is missing. */
interface Unresolved {
  readonly reference: PodReference;
  readonly isSure: boolean;
  readonly words: string;
  readonly fix: string;
  readonly source: Source | undefined;
}

function judgeTemplate(template: PodTemplate, context: Context): Judgement[] {
  const { spec, subject, source, isInUse } = template;
  const { podsByOwner } = context;
  if (!isInUse) return [];
  const ours = podsByOwner.get(`${subject.kind} ${subject.name}`) ?? [];
  // Pods that run found all that they needed when they started.
  const runs = ours.length > 0 && ours.every((pod) => hasStarted(pod));
  const wanted = referencesOf(spec);
  const unresolved = wanted.flatMap(
    (reference) => unresolvedOf(reference, template, context) ?? [],
  );
  const sure = unresolved.filter(({ isSure }) => isSure && !runs);
  const lacking = volumesLacking(template);
  if (sure.length > 0 || lacking !== undefined) {
    return [violated(template, sure, lacking)];
  }
  if (wanted.length === 0) return [];
  if (unresolved.length > 0 && !runs) return [open(template, unresolved)];
  return [
    {
      parts: {
        verdict: "holds",
        subject,
        title: `All that ${subject.kind} ${subject.name} names exists: ${plural(wanted.length, "reference")}.`,
        actual: runs
          ? "Its pods started with them."
          : "Each object and key that it names is in the evidence.",
        measures: { referenceCount: wanted.length },
        evidence: [referenceTo(source)],
      },
    },
  ];
}

function hasStarted(pod: PodView): boolean {
  if (pod.shown !== undefined)
    return pod.shown.status === "Running" || pod.shown.status === "Completed";
  return (
    pod.containers.length > 0 &&
    pod.containers.every(
      ({ state, last }) =>
        state.kind === "running" || state.kind === "terminated" || last !== undefined,
    )
  );
}

function unresolvedOf(
  reference: PodReference,
  { namespace }: PodTemplate,
  { objects, templates }: Context,
): Unresolved | undefined {
  const { kind, name, key, place } = reference;
  if (isBuiltIn(kind, name)) return undefined;
  const source = objects.get(kind, namespace, name);
  if (source === undefined) {
    const near = nearHint(reference, namespace, objects);
    const named = namedIn(templates);
    const other = otherNamespaceOf(reference, namespace, objects);
    const hint =
      other !== undefined
        ? ` (there is one in namespace ${other})`
        : near === undefined
          ? ""
          : ` (${near} does)`;
    return {
      reference,
      isSure:
        isWholeList(kind, namespace, objects) ||
        (near !== undefined && isTypo(name, near) && !named.has(`${namespace} ${kind}/${near}`)),
      words: `${kind} ${name}, which ${place} names, does not exist in namespace ${namespace}${hint}`,
      fix:
        near === undefined
          ? `Create ${kind} ${name} in namespace ${namespace}, or correct its name in ${place}.`
          : `Change ${name} to ${near} in ${place}, or create ${kind} ${name}.`,
      source: undefined,
    };
  }
  if (key === undefined) return undefined;
  const keys = keysOf(source);
  if (keys === undefined || keys.includes(key)) return undefined;
  const near = nearestName(key, keys);
  return {
    reference,
    isSure: true,
    words: `${kind} ${name} has no key ${key}, which ${place} reads${near === undefined ? ` (it has ${keys.join(", ") || "none"})` : ` (it has ${near})`}`,
    fix:
      near === undefined
        ? `Add the key ${key} to ${kind} ${name}, or correct the key in ${place}.`
        : `Change the key ${key} to ${near} in ${place}.`,
    source,
  };
}

/** Everything that a template names. What nobody names and is called almost like what is missing was meant by it. */
function namedIn(templates: readonly PodTemplate[]): ReadonlySet<string> {
  const known = namedByTemplates.get(templates);
  if (known !== undefined) return known;
  const named = new Set(
    templates.flatMap(({ spec, namespace }) =>
      referencesOf(spec).map(({ kind, name }) => `${namespace} ${kind}/${name}`),
    ),
  );
  namedByTemplates.set(templates, named);
  return named;
}

/** A memory and no state: the same templates always name the same. */
const namedByTemplates = new WeakMap<readonly PodTemplate[], ReadonlySet<string>>();

/** What every cluster or namespace has, or gets by itself. */
function isBuiltIn(kind: string, name: string): boolean {
  return (
    (kind === "PriorityClass" && name.startsWith("system-")) ||
    (kind === "ConfigMap" && name === "kube-root-ca.crt")
  );
}

/** Each namespace holds these by itself: where the evidence has one, it has the whole list of its kind. */
const markers: Readonly<Record<string, string>> = {
  ConfigMap: "kube-root-ca.crt",
  ServiceAccount: "default",
};

function isWholeList(kind: string, namespace: string, objects: Objects): boolean {
  const marker = markers[kind];
  if (marker !== undefined) {
    const found = objects.get(kind, namespace, marker);
    // A manifest may define such an object, too; what a cluster holds has an id, or was printed by kubectl.
    return (
      found !== undefined &&
      (isPresentAt(found.object, "metadata", "uid") || readFrom(found.object) !== undefined)
    );
  }
  if (kind === "PriorityClass") return objects.get(kind, "", "system-node-critical") !== undefined;
  return false;
}

function volumesLacking(template: PodTemplate): string | undefined {
  const { spec, source } = template;
  const isText = unknownFields(source.object).length > 0;
  if (isText) return undefined;
  const claims = new Set(
    listAt(source.object, "spec", "volumeClaimTemplates").map((claim) =>
      textAt(claim, "metadata", "name"),
    ),
  );
  const lacking = undefinedVolumes(spec).filter(({ volume }) => !claims.has(volume));
  if (lacking.length === 0) return undefined;
  return lacking
    .map(
      ({ volume, container }) =>
        `container ${container} mounts volume ${volume}, which spec.volumes does not define`,
    )
    .join("; ");
}

function violated(
  { subject, source }: PodTemplate,
  sure: readonly Unresolved[],
  lacking: string | undefined,
): Judgement {
  const words = [...sure.map((item) => item.words), ...(lacking === undefined ? [] : [lacking])];
  return {
    weight: 2,
    parts: {
      verdict: "violated",
      subject,
      title: `${subject.kind.charAt(0).toUpperCase()}${subject.kind.slice(1)} ${subject.name} names what does not exist: ${words.join("; ")}.`,
      actual: words.join("; "),
      causeKind: "configuration",
      measures: { missingCount: words.length },
      evidence: [
        referenceTo(source),
        ...sure.flatMap((item) => (item.source === undefined ? [] : [referenceTo(item.source)])),
      ],
      fixes: [
        ...sure.map(({ fix }) => ({ description: fix })),
        ...(lacking === undefined
          ? []
          : [
              {
                description:
                  "Define the volume in spec.volumes, or correct its name in volumeMounts.",
              },
            ]),
      ],
    },
  };
}

function open(
  { subject, source, namespace }: PodTemplate,
  unresolved: readonly Unresolved[],
): Judgement {
  const names = unresolved.map(({ reference: { kind, name } }) => `${kind} ${name}`);
  const list = [...new Set(names)];
  return {
    parts: {
      verdict: "inconclusive",
      subject,
      title: `Whether all that ${subject.kind} ${subject.name} names exists is not known: ${list.join(", ")} ${list.length === 1 ? "is" : "are"} not in the evidence.`,
      actual: unresolved
        .map(({ words }) => words.replace("does not exist in", "is not in the evidence of"))
        .join("; "),
      evidence: [referenceTo(source)],
      missing: list.map((name) => `${name} of namespace ${namespace}`),
      nextChecks: [`kubectl get configmaps,secrets,serviceaccounts,pvc -n ${namespace}`],
    },
  };
}
