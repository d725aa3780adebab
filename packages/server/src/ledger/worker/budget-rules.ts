/** The budgets that a worker knows of, found by what an operation is for. */

import type { Attribution, BudgetScope } from "../rules/types.ts";

/** A budget as a worker counts in it. */
export interface BudgetRule {
  readonly budgetId: string;
  readonly scope: BudgetScope;
  readonly isHard: boolean;
}

/** A part of a budget that a lease was lent. */
export interface BudgetSlice {
  readonly budgetId: string;
  readonly isHard: boolean;
  /** May fall below zero when a use costs more than was held for it. */
  idleMicros: number;
}

/** The slices of one lease by scope. */
export interface ScopedSlices {
  readonly tenant: readonly BudgetSlice[];
  readonly key: ReadonlyMap<string, readonly BudgetSlice[]>;
  readonly user: ReadonlyMap<string, readonly BudgetSlice[]>;
  readonly model: ReadonlyMap<string, readonly BudgetSlice[]>;
  readonly tag: ReadonlyMap<string, readonly BudgetSlice[]>;
}

/** Arranges slices by the scope of their budgets. A budget of which nothing was lent has an empty slice. */
export function scopeSlices(
  rules: readonly BudgetRule[],
  slices: ReadonlyMap<string, BudgetSlice>,
): ScopedSlices {
  const tenant: BudgetSlice[] = [];
  const maps = {
    key: new Map<string, BudgetSlice[]>(),
    user: new Map<string, BudgetSlice[]>(),
    model: new Map<string, BudgetSlice[]>(),
    tag: new Map<string, BudgetSlice[]>(),
  };
  for (const { budgetId, isHard, scope } of rules) {
    const slice = slices.get(budgetId) ?? { budgetId, isHard, idleMicros: 0 };
    if (scope.kind === "tenant") {
      tenant.push(slice);
      continue;
    }
    const known = maps[scope.kind].get(scope.value);
    if (known === undefined) maps[scope.kind].set(scope.value, [slice]);
    else known.push(slice);
  }
  return { tenant, ...maps };
}

/** Fills `found` with the slices that an operation counts in, and gives how many those are. */
export function findSlices(
  scoped: ScopedSlices,
  attribution: Attribution,
  found: BudgetSlice[],
): number {
  let count = add(scoped.tenant, found, 0);
  const { keyId, userId, model, tags } = attribution;
  if (keyId !== undefined) count = add(scoped.key.get(keyId), found, count);
  if (userId !== undefined) count = add(scoped.user.get(userId), found, count);
  if (model !== undefined) count = add(scoped.model.get(model), found, count);
  if (tags === undefined) return count;
  for (const tag of tags) count = add(scoped.tag.get(tag), found, count);
  return count;
}

function add(
  slices: readonly BudgetSlice[] | undefined,
  found: BudgetSlice[],
  count: number,
): number {
  if (slices === undefined) return count;
  for (const slice of slices) {
    found[count] = slice;
    count += 1;
  }
  return count;
}
