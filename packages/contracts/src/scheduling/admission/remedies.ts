/** The smallest changes after which all pods may be made, each tried. */

import type { Fix } from "../../model/finding.ts";
import { formatAmount } from "../../kubernetes/quantity.ts";
import type { Amounts } from "../requests.ts";
import { admit, type Admission, type Rules } from "./admit.ts";
import type { Draft, DraftContainer, Side } from "./draft.ts";
import type { RangeFault } from "./limit-range.ts";
import { baseOf, type QuotaFault, quotaAmount, usageOf } from "./quota.ts";

/** What the changes cost: a slip in the pod first, then what it asks for, last the rules of the namespace. */
const costs = {
  stateAmount: 2,
  keepBound: 2,
  scaleDown: 3,
  lowerAmount: 3,
  raiseQuota: 6,
  changeRange: 7,
};

/** A request that is stated where none was: little, so that it promises nothing. */
const modest: Readonly<Record<string, bigint>> = { cpu: 100n, memory: 134_217_728n };

/** How many pods are to be made, of what, under which rules, and what was said. */
export interface Attempt {
  readonly stated: Draft;
  readonly count: number;
  readonly madeCount: number;
  readonly rules: Rules;
  readonly admission: Admission;
}

/** Changes against everything that refuses, the cheapest first. */
export function remediesOf(attempt: Attempt): Fix[] {
  const { admission } = attempt;
  const fixes =
    admission.rangeFaults.length > 0
      ? rangeRemedies(attempt)
      : admission.quotaFaults.flatMap((fault) => quotaRemedies(fault, attempt));
  const unique = new Map(fixes.map((fix) => [fix.description, fix]));
  return [...unique.values()].sort((left, right) => (left.cost ?? 0) - (right.cost ?? 0));
}

function rangeRemedies({ stated, count, rules, admission }: Attempt): Fix[] {
  const faults = admission.rangeFaults;
  const changed = faults.reduce((draft, fault) => withBound(draft, fault), stated);
  const steps = faults.map((fault) => boundText(fault)).join("; and ");
  const ranges = [...new Set(faults.map(({ range }) => range.name))].join(" and ");
  const without = {
    ...rules,
    ranges: rules.ranges.filter((range) => faults.every((fault) => fault.range !== range)),
  };
  return [
    {
      description: `In the pod template ${steps}.`,
      cost: costs.keepBound,
      verified: isAdmitted(changed, count, rules),
    },
    {
      description: `Change the bounds of limit range ${ranges}, if the pod's amounts are meant.`,
      cost: costs.changeRange,
      verified: isAdmitted(stated, count, without),
    },
  ];
}

function boundText({ container, side, resource, bound }: RangeFault): string {
  const of = container === undefined ? "the containers together" : `container ${container}`;
  const word = side === "requests" ? "request" : "limit";
  const amount = bound === undefined ? "above 0" : formatAmount(resource, bound);
  return `set the ${resource} ${word} of ${of} to ${amount}`;
}

/** The draft with the amount that a bound asks for; for a pod as a whole its first container carries it. */
function withBound(draft: Draft, { container, side, resource, bound }: RangeFault): Draft {
  if (bound === undefined) return draft;
  const containers = draft.containers.map((item, index): DraftContainer => {
    const isMeant = container === undefined ? index === 0 : item.name === container;
    if (!isMeant) return item;
    const limits = side === "limits" ? new Map([...item.limits, [resource, bound]]) : item.limits;
    const request = item.requests.get(resource);
    // A request above its own limit is refused by the API server, so it follows.
    const isAbove = side === "limits" && request !== undefined && request > bound;
    const requests =
      side === "requests" || isAbove
        ? new Map([...item.requests, [resource, bound]])
        : item.requests;
    return { ...item, limits, requests };
  });
  return { ...draft, containers };
}

function quotaRemedies(fault: QuotaFault, attempt: Attempt): Fix[] {
  return fault.kind === "unspecified"
    ? [stateAmounts(fault, attempt), defaultAmounts(fault)]
    : exceededRemedies(fault, attempt);
}

type Unspecified = Extract<QuotaFault, { kind: "unspecified" }>;

function stateAmounts({ lacking }: Unspecified, { stated, count, rules }: Attempt): Fix {
  const containers = stated.containers.map((item): DraftContainer => {
    const add = (side: Side): Amounts => {
      const missing = [...lacking]
        .filter(([name, names]) => sideOf(name) === side && names.includes(item.name))
        .map(([name]) => [baseOf(name), modest[baseOf(name)] ?? 1n] as const);
      return new Map([...missing, ...item[side]]);
    };
    return { ...item, requests: add("requests"), limits: add("limits") };
  });
  const list = [...lacking].map(
    ([name, names]) => `the ${baseOf(name)} ${sideOf(name).slice(0, -1)} of ${names.join(", ")}`,
  );
  return {
    description: `State ${list.join(", ")} in the pod template (for example ${formatAmount("cpu", modest["cpu"] ?? 0n)} cpu, ${formatAmount("memory", modest["memory"] ?? 0n)} memory).`,
    cost: costs.stateAmount,
    verified: isAdmitted({ ...stated, containers }, count, rules),
  };
}

function defaultAmounts({ lacking }: Unspecified): Fix {
  return {
    description: `Add a LimitRange to the namespace whose defaults fill in ${[...lacking.keys()].join(", ")}.`,
    cost: costs.changeRange,
    verified: false,
  };
}

function sideOf(name: string): Side {
  return name.startsWith("limits.") ? "limits" : "requests";
}

function exceededRemedies(
  { quota, resources }: Extract<QuotaFault, { kind: "exceeded" }>,
  { stated, count, madeCount, rules, admission }: Attempt,
): Fix[] {
  const fitting = madeCount + admission.admittedCount;
  const used = rules.quotas.find((item) => item.quota === quota)?.used ?? new Map();
  const usage = usageOf(admission.draft);
  const needed = resources.map(
    (name) => [name, (used.get(name) ?? 0n) + BigInt(count) * (usage.get(name) ?? 0n)] as const,
  );
  const raised = {
    ...rules,
    quotas: rules.quotas.map((item) =>
      item.quota === quota
        ? { ...item, quota: { ...quota, hard: new Map([...quota.hard, ...needed]) } }
        : item,
    ),
  };
  const list = needed.map(([name, amount]) => `${name} to ${quotaAmount(name, amount)}`).join(", ");
  const fixes: Fix[] = [
    {
      description: `Raise ${list} in quota ${quota.name}, or remove what else uses it.`,
      cost: costs.raiseQuota,
      verified: isAdmitted(stated, count, raised),
    },
  ];
  if (fitting > 0) {
    fixes.push({
      description: `Scale to ${fitting} ${fitting === 1 ? "pod" : "pods"}, which is what quota ${quota.name} has room for.`,
      cost: costs.scaleDown,
      verified: isAdmitted(stated, admission.admittedCount, rules),
    });
  }
  const room = resources.map((name) => {
    const left = (quota.hard.get(name) ?? 0n) - (used.get(name) ?? 0n);
    return [name, left / BigInt(Math.max(1, count))] as const;
  });
  // A count of pods cannot be asked for less, and no amount is lowered to nothing.
  const isLowerable = room.every(([name, amount]) => amount > 0n && !name.endsWith("pods"));
  if (isLowerable) {
    const text = room.map(([name, amount]) => `${name} to at most ${quotaAmount(name, amount)}`);
    const [only, ...more] = stated.containers;
    const lowered =
      only === undefined || more.length > 0 ? undefined : withAmounts(stated, only, room);
    fixes.push({
      description: `Lower ${text.join(", ")} for each pod, so that all ${count} fit.`,
      cost: costs.lowerAmount,
      verified: lowered !== undefined && isAdmitted(lowered, count, rules),
    });
  }
  return fixes;
}

/** A draft of one container with other amounts; a request never stays above its limit. */
function withAmounts(
  draft: Draft,
  container: DraftContainer,
  amounts: readonly (readonly [string, bigint])[],
): Draft {
  const requests = new Map(container.requests);
  const limits = new Map(container.limits);
  for (const [name, amount] of amounts) {
    const resource = baseOf(name);
    const request = requests.get(resource);
    if (sideOf(name) === "limits") limits.set(resource, amount);
    if (sideOf(name) === "requests" || (request !== undefined && request > amount))
      requests.set(resource, amount);
  }
  return { ...draft, containers: [{ ...container, requests, limits }] };
}

function isAdmitted(draft: Draft, count: number, rules: Rules): boolean {
  const { rangeFaults, quotaFaults } = admit(draft, count, rules);
  return rangeFaults.length + quotaFaults.length === 0;
}
