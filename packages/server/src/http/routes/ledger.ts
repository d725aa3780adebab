/** The ledger of the caller's tenant: accounts, grants, holds, budgets, usage, and what an operation cost. */

import {
  type LedgerAnswer,
  type LedgerRequest,
  readAmount,
  readCurrency,
  readMoment,
  refusalError,
} from "#ledger/index.ts";
import type { TenantScope } from "#storage/index.ts";
import { type LedgerHold, PlatformError } from "@faultline/protocol";

import type { ApiHandlers, HandlerParts } from "../services.ts";
import { SharedTerms } from "./shared-terms.ts";

type Names =
  | "readLedgerBalance"
  | "openLedgerAccount"
  | "closeLedgerAccount"
  | "listLedgerEntries"
  | "grantCredit"
  | "listHolds"
  | "placeHold"
  | "renewHold"
  | "settleHold"
  | "releaseHold"
  | "listBudgets"
  | "setBudget"
  | "removeBudget"
  | "readUsage"
  | "explainOperation";

type OutcomeOf<Kind extends LedgerAnswer["kind"]> = Extract<LedgerAnswer, { readonly kind: Kind }>;

const holdSecondsDefault = 300;
const amountPlace = "body /amountMicros";
const currencyPlace = "body /currency";

/** Handlers of `/api/ledger`. */
export function ledgerHandlers(parts: HandlerParts): Pick<ApiHandlers, Names> {
  return {
    ...accountHandlers(parts),
    ...holdHandlers(parts),
    ...budgetHandlers(parts),
    ...readingHandlers(parts),
  };
}

function readingHandlers({
  services: { ledgerBooks },
}: HandlerParts): Pick<ApiHandlers, "listLedgerEntries" | "readUsage" | "explainOperation"> {
  return {
    async listLedgerEntries({ query }, { scope }) {
      return { entries: await ledgerBooks.entries(scope, query ?? {}) };
    },
    async readUsage({ query }, { scope }) {
      return ledgerBooks.usage(scope, query ?? {});
    },
    async explainOperation({ params }, { scope }) {
      return ledgerBooks.explain(scope, params.id);
    },
  };
}

function accountHandlers(
  parts: HandlerParts,
): Pick<
  ApiHandlers,
  "readLedgerBalance" | "openLedgerAccount" | "closeLedgerAccount" | "grantCredit"
> {
  const { ledger, ledgerBooks, regions } = parts.services;
  const ask = asker(ledger);
  const shared = new SharedTerms(parts);
  return {
    async readLedgerBalance(_input, { scope }) {
      return ledgerBooks.balance(scope);
    },
    async openLedgerAccount({ body }, { scope }) {
      const { id = ledger.newId(), limitMicros = "0" } = body;
      const currency = readCurrency(body.currency, currencyPlace);
      const limit = readAmount(limitMicros, "body /limitMicros", "allowed");
      if (regions.isShared(scope.tenantId)) {
        await shared.set(scope, { kind: "line", currency, limitMicros: limit });
        return ledgerBooks.balance(scope);
      }
      await ask(
        scope,
        { kind: "open-account", id, currency, limitMicros: limit },
        "account-opened",
      );
      return ledgerBooks.balance(scope);
    },
    async closeLedgerAccount({ body }, { scope }) {
      const { id = ledger.newId() } = body;
      const currency = readCurrency(body.currency, currencyPlace);
      shared.refuseAway(scope);
      await ask(scope, { kind: "close-account", id, currency }, "account-closed");
      return ledgerBooks.balance(scope);
    },
    async grantCredit({ body }, { scope }) {
      const { id = ledger.newId(), priority = 0, expiresAt } = body;
      const currency = readCurrency(body.currency, currencyPlace);
      const amountMicros = readAmount(body.amountMicros, amountPlace, "refused");
      const expiresAtMs =
        expiresAt === undefined ? undefined : readMoment(expiresAt, "body /expiresAt");
      if (regions.isShared(scope.tenantId)) {
        const given = { currency, amountMicros, priority, expiresAtMs };
        const granted = await shared.grant(scope, id, given);
        return { ...granted, balance: await ledgerBooks.balance(scope) };
      }
      const { accounts } = await ledgerBooks.balance(scope);
      if (!accounts.some((account) => account.currency === currency)) {
        // Whoever grants credit wants the account that it goes to. The id makes one of two who do it at once a repetition.
        const opening = { id: `open-${currency}`, currency, limitMicros: 0n } as const;
        await ask(scope, { kind: "open-account", ...opening }, "account-opened");
      }
      const grant = { id, currency, amountMicros, priority, expiresAtMs } as const;
      const { lotId, coveredMicros } = await ask(scope, { kind: "grant", ...grant }, "granted");
      const balance = await ledgerBooks.balance(scope);
      return { lotId, coveredMicros: String(coveredMicros), balance };
    },
  };
}

function holdHandlers({
  services: { ledger, ledgerBooks },
}: HandlerParts): Pick<
  ApiHandlers,
  "listHolds" | "placeHold" | "renewHold" | "settleHold" | "releaseHold"
> {
  const ask = asker(ledger);
  const shown = async (scope: TenantScope, id: string): Promise<LedgerHold> => {
    const hold = await ledgerBooks.hold(scope, id);
    if (hold !== undefined) return hold;
    throw new PlatformError("hold_not_found", `There is no hold '${id}'.`);
  };
  return {
    async listHolds(_input, { scope }) {
      return { holds: await ledgerBooks.openHolds(scope) };
    },
    async placeHold({ body }, { scope }) {
      const { id = ledger.newId(), durationSeconds = holdSecondsDefault, attribution = {} } = body;
      const currency = readCurrency(body.currency, currencyPlace);
      const amountMicros = readAmount(body.amountMicros, amountPlace, "refused");
      const hold = { id, currency, amountMicros, durationMs: durationSeconds * 1_000, attribution };
      const { holdId } = await ask(scope, { kind: "hold", ...hold }, "held");
      return shown(scope, holdId);
    },
    async renewHold({ params, body }, { scope }) {
      const { id = ledger.newId(), durationSeconds } = body;
      const renewal = { holdId: params.id, durationMs: durationSeconds * 1_000 };
      await ask(scope, { kind: "renew", id, ...renewal }, "renewed");
      return shown(scope, params.id);
    },
    async settleHold({ params, body }, { scope }) {
      const { id = ledger.newId(), usageId, usageKind, isFinal = true, details } = body;
      const amountMicros = readAmount(body.amountMicros, amountPlace, "allowed");
      const charge = { usageId, usageKind, amountMicros };
      const outcome = await ask(
        scope,
        { kind: "settle", id, holdId: params.id, charge, isFinal },
        "settled",
        details === undefined ? undefined : new Map([[usageId, details]]),
      );
      return {
        usageId,
        chargedMicros: String(outcome.chargedMicros),
        releasedMicros: String(outcome.releasedMicros),
        beyondHoldMicros: String(outcome.beyondHoldMicros),
        debtMicros: String(outcome.debtMicros),
        isRepeated: outcome.isRepeated,
        isLate: outcome.isLate,
      };
    },
    async releaseHold({ params, body }, { scope }) {
      const { id = ledger.newId() } = body;
      const outcome = await ask(scope, { kind: "release", id, holdId: params.id }, "released");
      return { releasedMicros: String(outcome.releasedMicros) };
    },
  };
}

function budgetHandlers(
  parts: HandlerParts,
): Pick<ApiHandlers, "listBudgets" | "setBudget" | "removeBudget"> {
  const { ledger, ledgerBooks, regions } = parts.services;
  const ask = asker(ledger);
  const shared = new SharedTerms(parts);
  return {
    async listBudgets(_input, { scope }) {
      return { budgets: await ledgerBooks.budgets(scope) };
    },
    async setBudget({ body }, { scope }) {
      const { id = ledger.newId(), budgetId, scope: counted, isHard, thresholdPercents } = body;
      const window =
        body.window.kind === "rolling"
          ? { kind: "rolling" as const, durationMs: body.window.durationSeconds * 1_000 }
          : body.window;
      const terms = {
        budgetId,
        currency: readCurrency(body.currency, currencyPlace),
        scope: counted,
        window,
        limitMicros: readAmount(body.limitMicros, "body /limitMicros", "allowed"),
        isHard,
        thresholdPercents,
      };
      if (regions.isShared(scope.tenantId)) await shared.set(scope, { kind: "budget", terms });
      else await ask(scope, { kind: "set-budget", id, terms, spentMicros: 0n }, "budget-set");
      if (regions.isAway(scope.tenantId)) {
        // The home counts what is used of it; here it holds as far as the home lends of it.
        const { currency, limitMicros: limit } = terms;
        const { window: asked } = body;
        const told = { budgetId, scope: counted, window: asked, isHard, thresholdPercents };
        const [limitMicros, usedMicros] = [String(limit), "0"];
        return { ...told, currency, limitMicros, usedMicros, leftMicros: limitMicros };
      }
      const budgets = await ledgerBooks.budgets(scope);
      const budget = budgets.find((one) => one.budgetId === budgetId);
      if (budget !== undefined) return budget;
      throw new PlatformError("budget_not_found", `The budget '${budgetId}' was removed again.`);
    },
    async removeBudget({ params }, { scope }) {
      if (regions.isShared(scope.tenantId)) {
        await shared.set(scope, { kind: "budget-removed", budgetId: params.id });
        return undefined;
      }
      const removal = { id: ledger.newId(), budgetId: params.id };
      await ask(scope, { kind: "remove-budget", ...removal }, "budget-removed");
      return undefined;
    },
  };
}

type Ledger = HandlerParts["services"]["ledger"];

/** Asks the ledger and gives the outcome of the kind that is expected; a refusal is thrown. */
function asker(ledger: Ledger) {
  // oxlint-disable-next-line max-params -- the last one is for the uses of a settlement alone
  return async <Kind extends LedgerAnswer["kind"]>(
    scope: TenantScope,
    request: LedgerRequest,
    kind: Kind,
    details?: ReadonlyMap<string, unknown>,
  ): Promise<OutcomeOf<Kind>> => {
    const answer = await ledger.submit(scope, request, details === undefined ? {} : { details });
    if (answer.kind === "refused") throw refusalError(answer);
    if (answer.kind !== kind) {
      throw new PlatformError("internal", `The ledger answered ${answer.kind} to ${request.kind}.`);
    }
    // The kind was compared above.
    return answer as OutcomeOf<Kind>;
  };
}
