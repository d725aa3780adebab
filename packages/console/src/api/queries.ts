/** What the pages read: one query per question, keyed by what it asks. */

import type { TraceQuery } from "@faultline/protocol";
import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";

import {
  type CasesSearch,
  type TraceFilters,
  type TraceWindow,
  windowMinutes,
} from "../util/search.ts";
import { client } from "./client.ts";

/** How often a page that shows the present asks again. */
const refreshIntervalMs = 10_000;
const tracePageSize = 50;

export const sessionQuery = queryOptions({
  queryKey: ["session"],
  queryFn: ({ signal }) => client.readSession({}, { signal }),
  staleTime: Infinity,
  retry: false,
});

export const servicesQuery = queryOptions({
  queryKey: ["services"],
  queryFn: ({ signal }) => client.listServices({}, { signal }),
  staleTime: 30_000,
});

export function overviewQuery(window: TraceWindow) {
  return queryOptions({
    queryKey: ["overview", window],
    queryFn: ({ signal }) =>
      client.readOverview({ query: { windowMinutes: windowMinutes[window] } }, { signal }),
    refetchInterval: refreshIntervalMs,
    placeholderData: keepPreviousData,
  });
}

export function tracesQuery(filters: TraceFilters) {
  return infiniteQueryOptions({
    queryKey: ["traces", filters],
    queryFn: ({ pageParam, signal }) =>
      client.listTraces({ query: traceQuery(filters, pageParam) }, { signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.nextCursor,
    placeholderData: keepPreviousData,
  });
}

export function traceDetailQuery(traceId: string) {
  return queryOptions({
    queryKey: ["trace", traceId],
    queryFn: ({ signal }) => client.readTrace({ params: { traceId } }, { signal }),
    staleTime: 30_000,
  });
}

export function casesQuery(search: CasesSearch) {
  return infiniteQueryOptions({
    queryKey: ["cases", search],
    queryFn: ({ pageParam, signal }) =>
      client.listCases(
        { query: { ...search, ...(pageParam === undefined ? {} : { cursor: pageParam }) } },
        { signal },
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.nextCursor,
    placeholderData: keepPreviousData,
  });
}

export function caseQuery(caseNumber: string) {
  return queryOptions({
    queryKey: ["case", caseNumber],
    queryFn: ({ signal }) => client.readCase({ params: { id: caseNumber } }, { signal }),
    refetchInterval: refreshIntervalMs,
  });
}

/** The filters of the page as the API takes them; a window that counts back is resolved when it is asked. */
function traceQuery(filters: TraceFilters, cursor: string | undefined): TraceQuery {
  const { since, ...fixed } = filters;
  return {
    ...fixed,
    ...(since === undefined
      ? {}
      : { from: new Date(Date.now() - windowMinutes[since] * 60_000).toISOString() }),
    limit: tracePageSize,
    ...(cursor === undefined ? {} : { cursor }),
  };
}
