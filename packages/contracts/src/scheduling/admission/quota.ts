/** Resource quotas: which pods they count, what those add, and what does not fit. */

import { fieldsAt, isPresentAt, listAt, textAt, textListAt } from "../../kubernetes/fields.ts";
import type { Source } from "../../kubernetes/objects.ts";
import { formatAmount } from "../../kubernetes/quantity.ts";
import { type Amounts, readList } from "../requests.ts";
import { type Draft, totalOf } from "./draft.ts";

/** A condition on the pods that a quota counts. */
interface Scope {
  readonly name: string;
  readonly operator: string;
  readonly values: readonly string[];
}

export interface Quota {
  readonly source: Source;
  readonly name: string;
  readonly hard: Amounts;
  /** Absent when the object does not tell what is used. */
  readonly used: Amounts | undefined;
  readonly scopes: readonly Scope[];
}

/** Why a quota does not let a pod in. */
export type QuotaFault =
  | {
      readonly kind: "unspecified";
      readonly quota: Quota;
      readonly text: string;
      /** What has to be stated, and by which containers. */
      readonly lacking: ReadonlyMap<string, readonly string[]>;
    }
  | {
      readonly kind: "exceeded";
      readonly quota: Quota;
      readonly text: string;
      readonly resources: readonly string[];
    };

/** Reads a quota. One without a status is a manifest: what is used is for others to say. */
export function readQuota(source: Source): Quota {
  const { object } = source;
  const amounts = (...path: readonly string[]): Map<string, bigint> => {
    const list = Object.entries(fieldsAt(object, ...path));
    return new Map(
      list.flatMap(([name, value]) => {
        // A quota names what it counts with a prefix; the unit is that of the resource itself.
        const unit = baseOf(name);
        const [amount] = readList({ [unit]: value }, "", []).values();
        return amount === undefined ? [] : [[name, amount] as const];
      }),
    );
  };
  return {
    source,
    name: object.metadata.name,
    hard: isPresentAt(object, "status", "hard")
      ? amounts("status", "hard")
      : amounts("spec", "hard"),
    used: isPresentAt(object, "status", "used") ? amounts("status", "used") : undefined,
    scopes: [
      ...textListAt(object, "spec", "scopes").map((name) => ({
        name,
        operator: "Exists",
        values: [],
      })),
      ...listAt(object, "spec", "scopeSelector", "matchExpressions").map((item) => ({
        name: textAt(item, "scopeName") ?? "",
        operator: textAt(item, "operator") ?? "Exists",
        values: textListAt(item, "values"),
      })),
    ],
  };
}

/** Whether a quota counts a pod at all. */
export function counts({ scopes }: Quota, draft: Draft): boolean {
  return scopes.every((scope) => matches(scope, draft));
}

function matches({ name, operator, values }: Scope, draft: Draft): boolean {
  switch (name) {
    case "Terminating":
      return draft.hasDeadline;
    case "NotTerminating":
      return !draft.hasDeadline;
    case "BestEffort":
      return isBestEffort(draft);
    case "NotBestEffort":
      return !isBestEffort(draft);
    case "CrossNamespacePodAffinity":
      return draft.looksAcrossNamespaces;
    case "PriorityClass": {
      const value = draft.priorityClassName;
      if (operator === "Exists") return value !== undefined;
      if (operator === "DoesNotExist") return value === undefined;
      if (operator === "In") return value !== undefined && values.includes(value);
      return value === undefined || !values.includes(value);
    }
    default:
      return false;
  }
}

function isBestEffort({ containers, requests, limits }: Draft): boolean {
  const lists = [requests, limits, ...containers.flatMap((item) => [item.requests, item.limits])];
  return lists.every((list) => (list.get("cpu") ?? 0n) === 0n && (list.get("memory") ?? 0n) === 0n);
}

/** What a pod adds to what a quota counts. */
export function usageOf(draft: Draft): Map<string, bigint> {
  const usage = new Map<string, bigint>([
    ["pods", 1n],
    ["count/pods", 1n],
  ]);
  for (const [resource, amount] of totalOf(draft, "requests")) {
    usage.set(`requests.${resource}`, amount);
    if (isPlain(resource) || resource.startsWith("hugepages-")) usage.set(resource, amount);
  }
  for (const [resource, amount] of totalOf(draft, "limits")) {
    if (isPlain(resource)) usage.set(`limits.${resource}`, amount);
  }
  return usage;
}

function isPlain(resource: string): boolean {
  return ["cpu", "memory", "ephemeral-storage"].includes(resource);
}

/** What every container must state when a quota counts it. */
const mandatory: readonly string[] = [
  "cpu",
  "memory",
  "requests.cpu",
  "requests.memory",
  "limits.cpu",
  "limits.memory",
];

/** Why a quota refuses a pod when `used` is used already; nothing when it lets the pod in. */
export function quotaFault(quota: Quota, draft: Draft, used: Amounts): QuotaFault | undefined {
  if (!counts(quota, draft)) return undefined;
  const lacking = new Map<string, readonly string[]>();
  for (const name of mandatory.filter((item) => quota.hard.has(item)).sort()) {
    const side = name.startsWith("limits.") ? "limits" : "requests";
    if (draft[side].has(baseOf(name))) continue;
    const containers = draft.containers
      .filter((container) => !container[side].has(baseOf(name)))
      .map((container) => container.name);
    if (containers.length > 0) lacking.set(name, [...new Set(containers)].sort());
  }
  if (lacking.size > 0) {
    const list = [...lacking].map(([name, containers]) => `${name} for: ${containers.join(",")}`);
    const text = `failed quota: ${quota.name}: must specify ${list.join("; ")}`;
    return { kind: "unspecified", quota, text, lacking };
  }
  const usage = usageOf(draft);
  const resources = [...quota.hard]
    .filter(
      ([name, hard]) => usage.has(name) && (used.get(name) ?? 0n) + (usage.get(name) ?? 0n) > hard,
    )
    .map(([name]) => name)
    .sort();
  if (resources.length === 0) return undefined;
  const list = (amounts: Amounts): string =>
    resources.map((name) => `${name}=${quotaAmount(name, amounts.get(name) ?? 0n)}`).join(",");
  const text = `exceeded quota: ${quota.name}, requested: ${list(usage)}, used: ${list(used)}, limited: ${list(quota.hard)}`;
  return { kind: "exceeded", quota, text, resources };
}

/** An amount of what a quota counts, as the API server writes it. */
export function quotaAmount(name: string, amount: bigint): string {
  return formatAmount(baseOf(name), amount);
}

/** The resource behind a name such as `requests.cpu`. */
export function baseOf(name: string): string {
  return name.replace(/^(?:requests|limits)\./, "");
}
