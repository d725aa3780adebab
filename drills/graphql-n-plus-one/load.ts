/** A steady, light, bounded load: lists of each size in turn, and a healthy operation beside them. */

import { setTimeout as sleep } from "node:timers/promises";

import type { DrillOptions } from "./options.ts";

export interface LoadTotals {
  sent: number;
  failed: number;
}

interface Query {
  readonly operationName: string;
  readonly query: string;
  readonly variables: Readonly<Record<string, number>>;
}

const requestTimeoutMs = 10_000;

/** Sends requests one after another until the signal aborts or the bound of the options is reached. */
export async function runLoad(
  url: string,
  options: Pick<DrillOptions, "listSizes" | "requestsPerSecond" | "requestCountMax">,
  signal: AbortSignal,
): Promise<LoadTotals> {
  const totals: LoadTotals = { sent: 0, failed: 0 };
  if (options.requestsPerSecond === 0) return totals;
  const queries = [...options.listSizes.map(orderList), orderCount];
  const pauseMs = 1_000 / options.requestsPerSecond;
  while (!signal.aborted && totals.sent < options.requestCountMax) {
    const query = queries[totals.sent % queries.length];
    if (query === undefined) break;
    totals.sent += 1;
    // A request that was begun is finished: one that is cut would stand in the telemetry as a failure.
    if (!(await succeeds(url, query))) totals.failed += 1;
    await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
  }
  return totals;
}

const orderCount: Query = {
  operationName: "OrderCount",
  query: "query OrderCount { orderCount }",
  variables: {},
};

function orderList(first: number): Query {
  return {
    operationName: "OrderList",
    query:
      "query OrderList($first: Int!) { orders(first: $first) { id placedOn totalCents customer { name city } } }",
    variables: { first },
  };
}

async function succeeds(url: string, query: Query): Promise<boolean> {
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/json" },
      body: JSON.stringify(query),
      signal: AbortSignal.timeout(requestTimeoutMs),
    });
    const text = await response.text();
    return response.ok && !text.includes('"errors"');
  } catch {
    return false;
  }
}
