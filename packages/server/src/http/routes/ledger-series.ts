/** The ledger over time, forecasts of budgets, refused calls, and where an operation was traced. */

import { errorCodes, PlatformError } from "@faultline/protocol";

import type { ApiHandlers, HandlerParts } from "../services.ts";

type Names =
  | "readBalanceSeries"
  | "readSpendSeries"
  | "forecastBudgets"
  | "listRefusedCalls"
  | "findOperationTrace";

const minuteMs = 60_000;
const windowMinutesDefault = 1_440;
const messageLengthMax = 4_096;
const nameLengthMax = 256;
/** Refusals for want of credit, or of what credit needs. */
const refusalCodes = errorCodes.filter((code) =>
  [
    "credit_exhausted",
    "price_unknown",
    "ledger_unavailable",
    "account_closed",
    "currency_mismatch",
  ].includes(code),
);

/** Handlers of `/api/ledger/series` and of what belongs to it. */
export function ledgerSeriesHandlers({
  services: { ledgerBooks, telemetry },
  clock,
}: HandlerParts): Pick<ApiHandlers, Names> {
  return {
    async readBalanceSeries({ query }, { scope }) {
      return ledgerBooks.balanceSeries(scope, query ?? {});
    },
    async readSpendSeries({ query }, { scope }) {
      return ledgerBooks.spendSeries(scope, query ?? {});
    },
    async forecastBudgets(_input, { scope }) {
      return { forecasts: await ledgerBooks.forecasts(scope) };
    },
    async listRefusedCalls({ query }, { scope }) {
      const untilMs = clock.nowMs();
      const fromMs = untilMs - (query?.windowMinutes ?? windowMinutesDefault) * minuteMs;
      const window = { fromMs, untilMs, errorTypes: refusalCodes };
      const { counts, operations } = await telemetry.failedOperations(scope, window);
      return {
        from: new Date(fromMs).toISOString(),
        until: new Date(untilMs).toISOString(),
        count: counts.reduce((sum, one) => sum + one.count, 0),
        byCode: counts.map(({ errorType, count }) => ({ code: errorType, count })),
        calls: operations.map(({ atMs, errorType, message, model, keyId, traceId }) => ({
          at: new Date(atMs).toISOString(),
          code: errorType,
          message: message.slice(0, messageLengthMax),
          ...(model === undefined ? {} : { model: model.slice(0, nameLengthMax) }),
          ...(keyId === undefined ? {} : { keyId: keyId.slice(0, nameLengthMax) }),
          traceId,
        })),
      };
    },
    async findOperationTrace({ params }, { scope }) {
      const found = await telemetry.traceOfOperation(scope, params.id);
      if (found !== undefined) return { operationId: params.id, ...found };
      throw new PlatformError("not_found", `No trace of the operation '${params.id}' is stored.`, {
        hint: "Traces are kept for a time; what an operation cost is kept for good.",
      });
    },
  };
}
