/** What the pages of the ledger and of compute read. */

import {
  type ApiOutput,
  type LedgerEntries,
  type SpendGrouping,
  roleAllows,
} from "@faultline/protocol";
import {
  infiniteQueryOptions,
  keepPreviousData,
  queryOptions,
  useQuery,
  useSuspenseQuery,
} from "@tanstack/react-query";

import { type LedgerWindow, windowParts } from "../util/ledger-search.ts";
import type { Currency } from "../util/money.ts";
import { client } from "./client.ts";
import { sessionQuery } from "./queries.ts";

type ReconciliationRunList = ApiOutput<"listReconciliations">;

const refreshIntervalMs = 10_000;
/** A series sums up more than a balance does, and moves less. */
const seriesIntervalMs = 60_000;
const entryPageSize = 50;
const runPageSize = 25;

/** Everything that a change of the ledger makes stale. */
export const ledgerKey = ["ledger"] as const;
export const computeKey = ["compute"] as const;

export const balanceQuery = queryOptions({
  queryKey: [...ledgerKey, "balance"],
  queryFn: ({ signal }) => client.readLedgerBalance({}, { signal }),
  refetchInterval: refreshIntervalMs,
});

export const holdsQuery = queryOptions({
  queryKey: [...ledgerKey, "holds"],
  queryFn: ({ signal }) => client.listHolds({}, { signal }),
  refetchInterval: refreshIntervalMs,
});

export const budgetsQuery = queryOptions({
  queryKey: [...ledgerKey, "budgets"],
  queryFn: ({ signal }) => client.listBudgets({}, { signal }),
  refetchInterval: refreshIntervalMs,
});

export const forecastsQuery = queryOptions({
  queryKey: [...ledgerKey, "forecasts"],
  queryFn: ({ signal }) => client.forecastBudgets({}, { signal }),
  refetchInterval: seriesIntervalMs,
});

export const refusedCallsQuery = queryOptions({
  queryKey: [...ledgerKey, "refusals"],
  queryFn: ({ signal }) => client.listRefusedCalls({}, { signal }),
  refetchInterval: seriesIntervalMs,
});

export const reconciliationsQuery = infiniteQueryOptions({
  queryKey: [...ledgerKey, "reconciliations"],
  queryFn: ({ pageParam, signal }) =>
    client.listReconciliations(
      {
        query: {
          limit: runPageSize,
          ...(pageParam === undefined ? {} : { beforeId: pageParam }),
        },
      },
      { signal },
    ),
  initialPageParam: undefined as string | undefined,
  getNextPageParam: ({ runs }: ReconciliationRunList) =>
    runs.length < runPageSize ? undefined : runs.at(-1)?.id,
  refetchInterval: seriesIntervalMs,
});

export function reconciliationQuery(runId: string) {
  return queryOptions({
    queryKey: [...ledgerKey, "reconciliation", runId],
    queryFn: ({ signal }) => client.readReconciliation({ params: { id: runId } }, { signal }),
    // A run is written once.
    staleTime: Number.POSITIVE_INFINITY,
  });
}

export const invoicesQuery = queryOptions({
  queryKey: [...ledgerKey, "invoices"],
  queryFn: ({ signal }) => client.listInvoices({}, { signal }),
  refetchInterval: seriesIntervalMs,
});

export const escrowsQuery = queryOptions({
  queryKey: [...ledgerKey, "escrows"],
  queryFn: ({ signal }) => client.listEscrows({}, { signal }),
  refetchInterval: refreshIntervalMs,
});

export function balanceSeriesQuery(window: LedgerWindow, currency: Currency) {
  return queryOptions({
    queryKey: [...ledgerKey, "balance-series", window, currency],
    queryFn: ({ signal }) => {
      const { stepCount } = windowParts[window];
      const query = { from: startOf(window), stepCount, currency };
      return client.readBalanceSeries({ query }, { signal });
    },
    refetchInterval: seriesIntervalMs,
    placeholderData: keepPreviousData,
  });
}

export function spendSeriesQuery(by: SpendGrouping, window: LedgerWindow, currency: Currency) {
  return queryOptions({
    queryKey: [...ledgerKey, "spend-series", by, window, currency],
    queryFn: ({ signal }) => {
      const { stepCount } = windowParts[window];
      const query = { by, from: startOf(window), bucketCount: stepCount, currency };
      return client.readSpendSeries({ query }, { signal });
    },
    refetchInterval: seriesIntervalMs,
    placeholderData: keepPreviousData,
  });
}

export function entriesQuery(account: string | undefined) {
  return infiniteQueryOptions({
    queryKey: [...ledgerKey, "entries", account],
    queryFn: ({ pageParam, signal }) =>
      client.listLedgerEntries(
        {
          query: {
            limit: entryPageSize,
            ...(account === undefined ? {} : { account }),
            ...(pageParam === undefined ? {} : { before: pageParam }),
          },
        },
        { signal },
      ),
    initialPageParam: undefined as number | undefined,
    getNextPageParam: ({ entries }: LedgerEntries) =>
      entries.length < entryPageSize ? undefined : entries.at(-1)?.sequence,
    placeholderData: keepPreviousData,
  });
}

export function operationQuery(operationId: string) {
  return queryOptions({
    queryKey: [...ledgerKey, "operation", operationId],
    queryFn: ({ signal }) => client.explainOperation({ params: { id: operationId } }, { signal }),
  });
}

export function operationTraceQuery(operationId: string) {
  return queryOptions({
    queryKey: ["operation-trace", operationId],
    queryFn: ({ signal }) => client.findOperationTrace({ params: { id: operationId } }, { signal }),
    // That there is none is an answer too: traces are kept for a time.
    retry: false,
  });
}

export const reservationsQuery = queryOptions({
  queryKey: [...computeKey, "list"],
  queryFn: ({ signal }) => client.listReservations({}, { signal }),
  refetchInterval: refreshIntervalMs,
});

export function reservationQuery(reservationId: string) {
  return queryOptions({
    queryKey: [...computeKey, "one", reservationId],
    queryFn: ({ signal }) => client.readReservation({ params: { id: reservationId } }, { signal }),
    refetchInterval: refreshIntervalMs,
  });
}

const keysQuery = queryOptions({
  queryKey: ["keys"],
  queryFn: ({ signal }) => client.listKeys({}, { signal }),
  staleTime: 60_000,
});

/** The names of keys by their ids, as far as the signed-in key may know them. */
export function useKeyNames(): ReadonlyMap<string, string> {
  const { data: principal } = useSuspenseQuery(sessionQuery);
  const keys = useQuery({ ...keysQuery, enabled: roleAllows(principal.role, "key:manage") });
  const own = [principal.keyId, principal.keyName] as const;
  return new Map([own, ...(keys.data?.keys ?? []).map((key) => [key.id, key.name] as const)]);
}

function startOf(window: LedgerWindow): string {
  return new Date(Date.now() - windowParts[window].durationMs).toISOString();
}
