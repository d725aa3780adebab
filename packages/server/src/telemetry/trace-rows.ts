/** Rows of trace_summary as the API gives them. */

import type { TraceSummary } from "@faultline/protocol";
import { sql } from "kysely";

import type { Reader, TenantScope } from "#storage/index.ts";

import { nanosPerMs, telemetryLimits } from "./limits.ts";

/** Bigints come as text. */
export interface TraceRow {
  readonly trace_id: string;
  readonly start_nanos: string;
  readonly duration_nanos: string;
  readonly span_count: number;
  readonly error_count: number;
  readonly service: string;
  readonly operation: string;
}

/** Adds to each row the services that took part, and turns it into a summary. */
export async function summariesOf(
  reader: Reader,
  scope: TenantScope,
  rows: readonly TraceRow[],
): Promise<TraceSummary[]> {
  const ids = rows.map((row) => row.trace_id);
  const services = await sql<{ trace_id: string; services: string[] }>`
    select trace_id::text, array_agg(distinct service order by service) as services
    from trace_operation
    where tenant_id = ${scope.tenantId} and trace_id = any(${ids}::uuid[])
    group by trace_id`.execute(reader.executor);
  const servicesOf = new Map(services.rows.map((row) => [row.trace_id, row.services]));
  return rows.map((row) => ({
    traceId: row.trace_id.replaceAll("-", ""),
    service: row.service,
    operation: row.operation,
    startedAt: isoOfNanos(row.start_nanos),
    durationMs: Number(row.duration_nanos) / nanosPerMs,
    spanCount: row.span_count,
    errorCount: row.error_count,
    status: row.error_count > 0 ? "error" : "ok",
    services: (servicesOf.get(row.trace_id) ?? []).slice(0, telemetryLimits.servicesOfTraceMax),
  }));
}

function isoOfNanos(nanos: string): string {
  return new Date(Number(BigInt(nanos) / BigInt(nanosPerMs))).toISOString();
}
