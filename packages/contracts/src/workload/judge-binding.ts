/** Judges bindings of roles: one whose role does not exist grants nothing. */

import { textAt, isPresentAt } from "../kubernetes/fields.ts";
import { nameOf, type Objects, referenceTo, type Source } from "../kubernetes/objects.ts";
import { readFrom } from "../kubernetes/text-mark.ts";
import type { FindingParts } from "../model/make-finding.ts";
import { nearestName } from "../text/nearest-name.ts";
import { isTypo } from "../text/typo.ts";
import type { Judgement } from "./gather-findings.ts";

/** Roles that every cluster has by itself. */
const builtInRole = /^(?:cluster-admin|admin|edit|view|system:.+)$/;
/** A role that every cluster keeps in kube-system: where the evidence has it, it has the roles of all namespaces. */
const markerRole = "extension-apiserver-authentication-reader";

/** A finding for each binding that someone made and whose role is not in the evidence, unless a refusal tells it already. */
export function judgeBindings(
  { objects }: { readonly objects: Objects },
  refusals: readonly Judgement[],
): Judgement[] {
  const bindings = [...objects.of("RoleBinding"), ...objects.of("ClusterRoleBinding")];
  const bound = new Set(bindings.map((binding) => keyOf(roleOf(binding))));
  const told = new Set(refusals.flatMap(({ parts }) => parts.evidence ?? []));
  return bindings.flatMap((binding) => {
    const role = roleOf(binding);
    if (role.name === "" || binding.object.metadata.name.startsWith("system:")) return [];
    if (objects.get(role.kind, role.namespace, role.name) !== undefined) return [];
    if (isBuiltIn(role)) return [];
    if (told.has(referenceTo(binding))) return [];
    return [{ parts: judge(binding, role, { objects, bound }) }];
  });
}

/** Whether every cluster has the role by itself. */
function isBuiltIn({ kind, namespace, name }: RoleName): boolean {
  if (kind === "ClusterRole") return builtInRole.test(name);
  return namespace.startsWith("kube-") && (name === markerRole || name.startsWith("system:"));
}

interface RoleName {
  readonly kind: string;
  /** Empty for roles of the whole cluster. */
  readonly namespace: string;
  readonly name: string;
}

function roleOf({ object }: Source): RoleName {
  const kind = textAt(object, "roleRef", "kind") ?? "";
  const isOfCluster = kind === "ClusterRole" || object.kind === "ClusterRoleBinding";
  return {
    kind,
    namespace: isOfCluster ? "" : (object.metadata.namespace ?? "default"),
    name: textAt(object, "roleRef", "name") ?? "",
  };
}

function keyOf({ kind, namespace, name }: RoleName): string {
  return `${kind} ${namespace}/${name}`;
}

function judge(
  binding: Source,
  role: RoleName,
  { objects, bound }: { objects: Objects; bound: ReadonlySet<string> },
): FindingParts {
  const { object } = binding;
  const who = `${object.kind} ${nameOf(object)}`;
  const subject = { kind: object.kind.toLowerCase(), name: nameOf(object) };
  const where = role.namespace === "" ? "" : ` in namespace ${role.namespace}`;
  const what = `${role.kind} ${role.name}`;
  const near = nearRole(role, objects);
  const list = listOf(role);
  if (!isListed(role, objects) && !(near !== undefined && isMeant(role, near, bound))) {
    return {
      verdict: "inconclusive",
      subject,
      title: `${who} binds ${what}, which is not in the evidence.`,
      actual: `no ${what}${where} in the evidence`,
      evidence: [referenceTo(binding)],
      missing: [role.namespace === "" ? "all cluster roles" : `all roles${where}`],
      nextChecks: [list],
    };
  }
  const hint = near === undefined ? "" : ` (${near} does)`;
  return {
    verdict: "violated",
    subject,
    title: `${who} binds ${what}, which does not exist${where}${hint}: it grants nothing.`,
    actual: `no ${what}${where}`,
    causeKind: "configuration",
    evidence: [referenceTo(binding)],
    fixes: [
      {
        description:
          near === undefined
            ? `Create ${what}${where}, or delete ${who} if nothing needs it.`
            : `Make ${who} anew with the roleRef ${near} (a binding's roleRef cannot be changed), or create ${what}.`,
      },
    ],
    nextChecks: [list],
  };
}

function listOf({ namespace }: RoleName): string {
  return namespace === ""
    ? "kubectl get clusterroles -o json"
    : `kubectl get roles -n ${namespace} -o json`;
}

function rolesBeside({ kind, namespace }: RoleName, objects: Objects): readonly Source[] {
  return objects
    .of(kind)
    .filter(
      ({ object }) =>
        kind === "ClusterRole" || (object.metadata.namespace ?? "default") === namespace,
    );
}

function nearRole(role: RoleName, objects: Objects): string | undefined {
  return nearestName(
    role.name,
    rolesBeside(role, objects).map(({ object }) => object.metadata.name),
  );
}

/** A role that nothing binds and that is called almost like the one that is missing was meant by it. */
function isMeant(role: RoleName, near: string, bound: ReadonlySet<string>): boolean {
  return isTypo(role.name, near) && !bound.has(keyOf({ ...role, name: near }));
}

/** Whether the evidence surely has all roles among which this one would be: a few of them may have been picked. */
function isListed(role: RoleName, objects: Objects): boolean {
  if (role.kind === "ClusterRole") {
    return ["cluster-admin", "view"].every((name) => isHeld(objects.get("ClusterRole", "", name)));
  }
  return isHeld(objects.get("Role", "kube-system", markerRole));
}

/** Whether an object was seen in a cluster, and not described alone: manifests are seldom all that is applied. */
function isHeld(source: Source | undefined): boolean {
  if (source === undefined) return false;
  const { object } = source;
  if (readFrom(object)?.startsWith("kubectl describe") === true) return false;
  return (
    isPresentAt(object, "metadata", "uid") ||
    isPresentAt(object, "metadata", "creationTimestamp") ||
    readFrom(object) !== undefined
  );
}
