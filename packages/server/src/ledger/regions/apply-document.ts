/** What the ledgers must do so that they say what grant documents say. Ids follow from the content, so that it may be done again. */

import { createHash } from "node:crypto";

import type { BudgetTerms } from "../rules/types.ts";
import type { Escrow } from "./escrow.ts";
import {
  effectiveContent,
  type GivenCredit,
  givenText,
  type GrantDocument,
  versionText,
} from "./grant-document.ts";
import type { RegionRequest } from "./region-request.ts";

/** The commands for the ledger of the home. */
export function homeRequests(document: GrantDocument): RegionRequest[] {
  const { key, versions } = document;
  const content = effectiveContent(versions);
  if (content === undefined) return [];
  // The same content may hold again after another one: the edits make the difference.
  const id = `document/${digestOf([key, ...versions.map(versionText)])}`;
  switch (content.kind) {
    case "grant":
      return content.given.map((given) => ({ kind: "grant", id: lotIdOf(key, given), ...given }));
    case "budget":
      return [{ kind: "set-budget", id, terms: content.terms, spentMicros: 0n }];
    case "budget-removed":
      return [{ kind: "remove-budget", id, budgetId: content.budgetId }];
    case "line":
      return [
        {
          kind: "open-account",
          id,
          currency: content.currency,
          limitMicros: content.limitMicros,
        },
      ];
  }
}

/** The lot of a grant. Two grants under one id are two lots. */
export function lotIdOf(key: string, given: GivenCredit): string {
  return `grant/${digestOf([key, givenText(given)])}`;
}

/**
 * The commands for the ledger of a region that is not the home: of each budget as much may be used as was lent of it, whatever
 * the window is in which the home counts that.
 */
export function regionBudgetRequests(
  documents: Iterable<GrantDocument>,
  here: {
    readonly escrow: Pick<Escrow, "budgets" | "currency">;
    /** As the ledger has them. */
    readonly budgets: ReadonlyMap<string, { readonly terms: BudgetTerms }>;
    readonly newId: () => string;
  },
): RegionRequest[] {
  const { escrow, budgets, newId } = here;
  const requests: RegionRequest[] = [];
  for (const { versions } of documents) {
    const content = effectiveContent(versions);
    if (content?.kind === "budget-removed" && budgets.has(content.budgetId))
      requests.push({ kind: "remove-budget", id: newId(), budgetId: content.budgetId });
    if (content?.kind !== "budget" || content.terms.currency !== escrow.currency) continue;
    const { budgetId } = content.terms;
    const lent = escrow.budgets.find((amount) => amount.budgetId === budgetId);
    const limitMicros = lent?.amountMicros ?? 0n;
    const terms: BudgetTerms = { ...content.terms, window: { kind: "total" }, limitMicros };
    const known = budgets.get(budgetId)?.terms;
    if (known === undefined || !isSameHere(known, terms))
      requests.push({ kind: "set-budget", id: newId(), terms, spentMicros: 0n });
  }
  return requests;
}

function isSameHere(left: BudgetTerms, right: BudgetTerms): boolean {
  const text = ({ limitMicros, isHard, scope, thresholdPercents }: BudgetTerms): string =>
    JSON.stringify([
      String(limitMicros),
      isHard,
      scope.kind,
      scope.kind === "tenant" ? "" : scope.value,
      thresholdPercents,
    ]);
  return text(left) === text(right);
}

const digestLength = 32;

function digestOf(parts: readonly string[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, digestLength);
}
