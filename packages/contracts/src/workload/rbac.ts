/** What the roles and bindings of the evidence allow a user, and what would nearly allow it. */

import { fieldsAt, listAt, textAt, textListAt } from "../kubernetes/fields.ts";
import { nameOf, type Objects, type Source } from "../kubernetes/objects.ts";
import type { Fields } from "../model/fields.ts";
import { nearestName } from "../text/nearest-name.ts";
import { accountOf, type Denial } from "./denial.ts";

export type Allowance =
  | { readonly kind: "unknown" }
  | { readonly kind: "allowed"; readonly by: Source }
  | { readonly kind: "denied"; readonly miss: NearMiss | undefined };

/** The object that nearly allows it, and in what it misses. */
export interface NearMiss {
  readonly source: Source;
  readonly words: string;
  readonly fix: string;
}

interface Binding {
  readonly source: Source;
  /** Absent for bindings of the whole cluster. */
  readonly namespace: string | undefined;
  readonly role: Source | undefined;
  readonly roleName: string;
  readonly subjects: readonly Fields[];
}

/** Whether the evidence allows what was denied. */
export function allowanceOf(denial: Denial, objects: Objects): Allowance {
  const bindings = bindingsOf(objects);
  if (bindings.length === 0 && !objects.has("Role") && !objects.has("ClusterRole")) {
    return { kind: "unknown" };
  }
  const ours = bindings.filter(({ subjects }) =>
    subjects.some((subject) => names(subject, denial)),
  );
  const allowing = ours.find(
    (binding) =>
      reaches(binding, denial) && rulesOf(binding.role).some((rule) => allows(rule, denial)),
  );
  if (allowing !== undefined) return { kind: "allowed", by: allowing.source };
  return { kind: "denied", miss: nearMiss(denial, { ours, bindings, objects }) };
}

function bindingsOf(objects: Objects): Binding[] {
  return [...objects.of("RoleBinding"), ...objects.of("ClusterRoleBinding")].map((source) => {
    const { object } = source;
    const namespace =
      object.kind === "RoleBinding" ? (object.metadata.namespace ?? "default") : undefined;
    const kind = textAt(object, "roleRef", "kind") ?? "";
    const roleName = textAt(object, "roleRef", "name") ?? "";
    return {
      source,
      namespace,
      roleName: `${kind} ${roleName}`,
      role: objects.get(kind, namespace ?? "", roleName),
      subjects: listAt(object, "subjects").map((subject) => fieldsAt(subject)),
    };
  });
}

function names(subject: Fields, { user }: Denial): boolean {
  const name = textAt(subject, "name") ?? "";
  const account = accountOf(user);
  switch (textAt(subject, "kind")) {
    case "ServiceAccount":
      return account?.name === name && account.namespace === textAt(subject, "namespace");
    case "User":
      return name === user;
    case "Group":
      return (
        name === "system:authenticated" ||
        (account !== undefined &&
          (name === "system:serviceaccounts" ||
            name === `system:serviceaccounts:${account.namespace}`))
      );
    default:
      return false;
  }
}

function reaches({ namespace }: Binding, denial: Denial): boolean {
  return namespace === undefined || namespace === denial.namespace;
}

function rulesOf(role: Source | undefined): Fields[] {
  return listAt(role?.object, "rules").map((rule) => fieldsAt(rule));
}

function allows(rule: Fields, denial: Denial): boolean {
  return (
    allowsGroup(rule, denial) &&
    allowsResource(rule, denial) &&
    allowsVerb(rule, denial) &&
    allowsName(rule, denial)
  );
}

function allowsGroup(rule: Fields, { group }: Denial): boolean {
  const groups = textListAt(rule, "apiGroups");
  return groups.includes("*") || groups.includes(group);
}

function allowsResource(rule: Fields, { resource }: Denial): boolean {
  const resources = textListAt(rule, "resources");
  const [, sub] = resource.split("/");
  return (
    resources.includes("*") ||
    resources.includes(resource) ||
    (sub !== undefined && resources.includes(`*/${sub}`))
  );
}

function allowsVerb(rule: Fields, { verb }: Denial): boolean {
  const verbs = textListAt(rule, "verbs");
  return verbs.includes("*") || verbs.includes(verb);
}

function allowsName(rule: Fields, { objectName }: Denial): boolean {
  const wanted = textListAt(rule, "resourceNames");
  return wanted.length === 0 || (objectName !== undefined && wanted.includes(objectName));
}

interface Surroundings {
  readonly ours: readonly Binding[];
  readonly bindings: readonly Binding[];
  readonly objects: Objects;
}

function nearMiss(denial: Denial, around: Surroundings): NearMiss | undefined {
  return (
    missingRole(around) ??
    ruleMiss(denial, around) ??
    namespaceMiss(denial, around) ??
    subjectMiss(denial, around) ??
    unboundRole(denial, around)
  );
}

/** A binding of ours to a role that is not there. */
function missingRole({ ours, objects }: Surroundings): NearMiss | undefined {
  const dangling = ours.find(({ role }) => role === undefined);
  if (dangling === undefined) return undefined;
  const [kind = "", name = ""] = dangling.roleName.split(" ");
  if (!objects.has(kind)) return undefined;
  const near = nearestName(
    name,
    objects.of(kind).map(({ object }) => object.metadata.name),
  );
  return {
    source: dangling.source,
    words: `${describe(dangling)} refers to ${dangling.roleName}, which does not exist${near === undefined ? "" : ` (${near} does)`}`,
    fix: `Create ${dangling.roleName}, or bind ${near ?? "one that exists"} (a binding's roleRef cannot be changed; make it anew).`,
  };
}

/** A rule of ours that misses in one point. */
function ruleMiss(denial: Denial, { ours }: Surroundings): NearMiss | undefined {
  const misses = ours
    .filter((binding) => reaches(binding, denial))
    .flatMap((binding) =>
      rulesOf(binding.role).flatMap((rule) => missOf(rule, denial, binding) ?? []),
    );
  return misses[0];
}

function missOf(rule: Fields, denial: Denial, { role, roleName }: Binding): NearMiss | undefined {
  if (role === undefined) return undefined;
  const group = allowsGroup(rule, denial);
  const resource = allowsResource(rule, denial);
  const verb = allowsVerb(rule, denial);
  const groups = textListAt(rule, "apiGroups")
    .map((text) => `"${text}"`)
    .join(", ");
  if (!group && resource) {
    return {
      source: role,
      words: `${roleName} allows ${denial.resource} of the API group ${groups}, not of "${denial.group}"`,
      fix: `Add the apiGroup "${denial.group}" to that rule of ${roleName}.`,
    };
  }
  if (group && !resource && verb) {
    const resources = textListAt(rule, "resources");
    const near = nearestName(denial.resource, resources);
    if (near === undefined) return undefined;
    return {
      source: role,
      words: `${roleName} allows ${near}, not ${denial.resource}`,
      fix: `Add the resource ${denial.resource} to that rule of ${roleName}.`,
    };
  }
  if (group && resource && !verb) {
    return {
      source: role,
      words: `${roleName} allows ${textListAt(rule, "verbs").join(", ")} on ${denial.resource}, not ${denial.verb}`,
      fix: `Add the verb ${denial.verb} to that rule of ${roleName}.`,
    };
  }
  if (group && resource && verb) {
    return {
      source: role,
      words: `${roleName} allows it for ${textListAt(rule, "resourceNames").join(", ")} only`,
      fix: `Add ${denial.objectName ?? "the object"} to resourceNames, or drop them (list, watch and create cannot be held to names).`,
    };
  }
  return undefined;
}

/** A binding of ours that allows it, in another namespace or not for the whole cluster. */
function namespaceMiss(denial: Denial, { ours }: Surroundings): NearMiss | undefined {
  const binding = ours.find(
    (item) => !reaches(item, denial) && rulesOf(item.role).some((rule) => allows(rule, denial)),
  );
  if (binding === undefined) return undefined;
  return {
    source: binding.source,
    words: `${describe(binding)} allows it in namespace ${binding.namespace ?? ""} only`,
    fix:
      denial.namespace === undefined
        ? `Bind ${binding.roleName} with a ClusterRoleBinding (as a ClusterRole): the whole cluster was asked for.`
        : `Make such a RoleBinding in namespace ${denial.namespace}.`,
  };
}

/** A binding that allows it to an account of another namespace, or of a name that is nearly ours. */
function subjectMiss(denial: Denial, { bindings }: Surroundings): NearMiss | undefined {
  const account = accountOf(denial.user);
  if (account === undefined) return undefined;
  for (const binding of bindings) {
    if (!reaches(binding, denial)) continue;
    if (!rulesOf(binding.role).some((rule) => allows(rule, denial))) continue;
    for (const subject of binding.subjects) {
      const name = textAt(subject, "name") ?? "";
      const namespace = textAt(subject, "namespace") ?? "";
      if (textAt(subject, "kind") !== "ServiceAccount") continue;
      const isNear =
        name === account.name ||
        (namespace === account.namespace && nearestName(account.name, [name]) !== undefined);
      if (!isNear) continue;
      return {
        source: binding.source,
        words: `${describe(binding)} allows it to the service account ${namespace}/${name}, not to ${account.namespace}/${account.name}`,
        fix: `Set the subject of ${describe(binding)} to name ${account.name}, namespace ${account.namespace}.`,
      };
    }
  }
  return undefined;
}

/** A role that would allow it, and that nothing binds to the user. */
function unboundRole(denial: Denial, { objects }: Surroundings): NearMiss | undefined {
  const role = [...objects.of("Role"), ...objects.of("ClusterRole")].find(
    (source) =>
      !source.object.metadata.name.startsWith("system:") &&
      (source.object.kind === "ClusterRole" ||
        (source.object.metadata.namespace ?? "default") === denial.namespace) &&
      rulesOf(source).some(
        (rule) => allows(rule, denial) && !textListAt(rule, "verbs").includes("*"),
      ),
  );
  if (role === undefined) return undefined;
  const name = `${role.object.kind} ${nameOf(role.object)}`;
  return {
    source: role,
    words: `${name} would allow it, but nothing binds it to ${denial.user}`,
    fix: `Bind ${name} to ${denial.user}${denial.namespace === undefined ? " with a ClusterRoleBinding" : ` with a RoleBinding in namespace ${denial.namespace}`}.`,
  };
}

function describe({ source }: Binding): string {
  return `${source.object.kind} ${nameOf(source.object)}`;
}
