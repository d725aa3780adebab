/** The traces in which one service, or one of its operations, took part: what a case chooses its evidence from. */

import type { TraceSummary } from "@faultline/protocol";
import { sql } from "kysely";

import type { Store, TenantScope } from "#storage/index.ts";

import { nanosPerMicro } from "./limits.ts";
import { summariesOf, type TraceRow } from "./trace-rows.ts";

export interface SubjectQuery {
  readonly service: string;
  /** The name of a span by which the service is entered. */
  readonly operation?: string;
  /** The window in which the service's part of the trace begins: closed at the start, open at the end. */
  readonly fromMicros: number;
  readonly toMicros: number;
  readonly limit: number;
}

export interface SubjectTraces {
  /**
   * Newest first. Service, operation, start, duration and errors are those of the subject's part: the longest of its
   * operations. The count of spans is that of the whole trace.
   */
  readonly traces: TraceSummary[];
  /** Also counts the traces beyond the limit. */
  readonly seenCount: number;
}

/** Reads summaries of the subject's traces. */
export async function tracesOfSubject(
  store: Store,
  scope: TenantScope,
  query: SubjectQuery,
): Promise<SubjectTraces> {
  const from = String(BigInt(Math.floor(query.fromMicros)) * BigInt(nanosPerMicro));
  const to = String(BigInt(Math.floor(query.toMicros)) * BigInt(nanosPerMicro));
  const ofOperation =
    query.operation === undefined ? sql`true` : sql`operation = left(${query.operation}, 256)`;
  return await store.read(scope, async (reader) => {
    // Spans by which the service was entered stand before its other spans, whose operation is empty.
    const { rows } = await sql<TraceRow & { seen_count: string }>`
      with part as (
        select trace_id, min(start_nanos) as start_nanos,
          (array_agg(duration_nanos order by operation <> '' desc, duration_nanos desc))[1] as duration_nanos,
          (array_agg(operation order by operation <> '' desc, duration_nanos desc))[1] as operation,
          sum(error_count)::integer as error_count
        from trace_operation
        where tenant_id = ${scope.tenantId} and service = ${query.service} and ${ofOperation}
          and start_nanos >= ${from}::bigint and start_nanos < ${to}::bigint
        group by trace_id
      )
      select part.trace_id::text, part.start_nanos, part.duration_nanos, part.error_count, whole.span_count,
        ${query.service} as service, coalesce(nullif(part.operation, ''), whole.root_name) as operation, count(*) over () as seen_count
      from part join trace_summary whole on whole.tenant_id = ${scope.tenantId} and whole.trace_id = part.trace_id
      order by part.start_nanos desc, part.trace_id
      limit ${query.limit}`.execute(reader.executor);
    return {
      traces: await summariesOf(reader, scope, rows),
      seenCount: Number(rows[0]?.seen_count ?? 0),
    };
  });
}
