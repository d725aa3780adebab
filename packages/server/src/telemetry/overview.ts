/** What the overview shows of telemetry: the gateway's traffic, and the calls between services. */

import type { Boundary } from "@faultline/contracts";
import type { BoundaryEdge, Overview, TrafficPoint } from "@faultline/protocol";
import { type RawBuilder, sql } from "kysely";

import type { Reader, Store, TenantScope } from "#storage/index.ts";

import { nanosPerMs, telemetryLimits } from "./limits.ts";

/** Closed at the start, open at the end. */
export interface OverviewWindow {
  readonly fromMs: number;
  readonly toMs: number;
}

export type OverviewParts = Pick<Overview, "traffic" | "edges" | "spanCount">;

/** Reads one consistent state. */
export async function readOverview(
  store: Store,
  scope: TenantScope,
  window: OverviewWindow,
): Promise<OverviewParts> {
  return await store.read(scope, async (reader) => ({
    traffic: await readTraffic(reader, scope, window),
    edges: await readEdges(reader, scope, window),
    spanCount: await countSpans(reader, scope, window),
  }));
}

interface TrafficRow {
  /** NULL for the whole window. */
  readonly slot: number | null;
  readonly count: string;
  readonly error_count: string;
  readonly input_tokens: number | null;
  readonly output_tokens: number | null;
  /** Seconds at the quantiles 0.5 and 0.95. */
  readonly first_token: [number, number] | null;
}

/** Operations are the spans of the gateway that name a GenAI operation; each has one. */
async function readTraffic(
  reader: Reader,
  scope: TenantScope,
  window: OverviewWindow,
): Promise<Overview["traffic"]> {
  const { trafficPointCount } = telemetryLimits;
  const slotMs = (window.toMs - window.fromMs) / trafficPointCount;
  const slot = sql`least(${trafficPointCount - 1},
    floor((extract(epoch from start_time) * 1000 - ${window.fromMs}::float8) / ${slotMs}::float8))`;
  const { rows } = await sql<TrafficRow>`
    select slot, count(*) as count, count(*) filter (where status = 2) as error_count,
      sum(input_tokens) as input_tokens, sum(output_tokens) as output_tokens,
      percentile_cont(array[0.5, 0.95]) within group (order by first_token) as first_token
    from (
      select ${slot}::integer as slot, status, ${number("gen_ai.usage.input_tokens")} as input_tokens,
        ${number("gen_ai.usage.output_tokens")} as output_tokens,
        ${number("gen_ai.server.time_to_first_token")} as first_token
      from span
      where tenant_id = ${scope.tenantId} and service = 'faultline-gateway'
        and start_time >= ${timeOf(window.fromMs)} and start_time < ${timeOf(window.toMs)}
        and attributes ? 'gen_ai.operation.name'
    ) operation
    group by grouping sets ((slot), ())`.execute(reader.executor);
  const whole = rows.find((row) => row.slot === null);
  const bySlot = new Map(rows.map((row) => [row.slot, row]));
  return {
    count: Number(whole?.count ?? 0),
    errorCount: Number(whole?.error_count ?? 0),
    inputTokens: wholeNumber(whole?.input_tokens),
    outputTokens: wholeNumber(whole?.output_tokens),
    ...firstToken(whole),
    points: Array.from({ length: trafficPointCount }, (_, index) =>
      pointOf(window.fromMs + index * slotMs, bySlot.get(index)),
    ),
  };
}

function pointOf(atMs: number, row: TrafficRow | undefined): TrafficPoint {
  return {
    at: new Date(atMs).toISOString(),
    count: Number(row?.count ?? 0),
    errorCount: Number(row?.error_count ?? 0),
    ...firstToken(row),
  };
}

function firstToken(
  row: TrafficRow | undefined,
): Pick<TrafficPoint, "timeToFirstTokenMsP50" | "timeToFirstTokenMsP95"> {
  if (row?.first_token === null || row?.first_token === undefined) return {};
  const [median, high] = row.first_token;
  return { timeToFirstTokenMsP50: median * 1_000, timeToFirstTokenMsP95: high * 1_000 };
}

/** An attribute as a number, or NULL: anyone may send spans under the gateway's name, with any attributes. */
function number(attribute: string): RawBuilder<number> {
  return sql<number>`case when jsonb_typeof(attributes -> ${sql.lit(attribute)}) = 'number'
    then (attributes ->> ${sql.lit(attribute)})::float8 end`;
}

function wholeNumber(value: number | null | undefined): number {
  return Math.trunc(Math.min(value ?? 0, Number.MAX_SAFE_INTEGER));
}

async function countSpans(
  reader: Reader,
  scope: TenantScope,
  window: OverviewWindow,
): Promise<number> {
  const { rows } = await sql<{ count: string | null }>`
    select sum(span_count) as count from trace_summary
    where ${tracesWithin(scope, window)}`.execute(reader.executor);
  return Number(rows[0]?.count ?? 0);
}

interface EdgeRow {
  readonly from_name: string;
  readonly to_name: string;
  readonly boundary: Boundary;
  readonly count: string;
  readonly error_count: string;
  readonly duration_p95: number;
}

/**
 * Calls within the newest traces of the window. A call between services is a span whose parent belongs to another
 * service; a call to a database or to a model provider is a span that names one, since neither sends spans of its own.
 */
async function readEdges(
  reader: Reader,
  scope: TenantScope,
  window: OverviewWindow,
): Promise<BoundaryEdge[]> {
  const { edgeTraceCountMax, edgeSpanCountMax, edgeCountMax } = telemetryLimits;
  const { rows } = await sql<EdgeRow>`
    with chosen as (
      select trace_id from (
        select trace_id, span_count,
          sum(span_count) over (order by start_nanos desc, trace_id desc) as running_count
        from (
          select trace_id, span_count, start_nanos from trace_summary where ${tracesWithin(scope, window)}
          order by start_nanos desc, trace_id desc limit ${edgeTraceCountMax}
        ) newest
      ) counted
      where running_count - span_count < ${edgeSpanCountMax}
    ), part as (
      select span.trace_id, span_id, parent_span_id, service, status, duration_nanos, kind,
        coalesce(attributes ->> 'db.system.name', attributes ->> 'db.system') as database,
        coalesce(attributes ->> 'db.namespace', attributes ->> 'db.name') as namespace,
        attributes ->> 'gen_ai.provider.name' as provider
      from chosen join span on span.tenant_id = ${scope.tenantId} and span.trace_id = chosen.trace_id
    ), call as (
      select parent.service as from_name, child.service as to_name, 'service-service' as boundary,
        child.status, child.duration_nanos
      from part child join part parent
        on parent.trace_id = child.trace_id and parent.span_id = child.parent_span_id
      where parent.service <> child.service
      union all
      select service, concat_ws('/', database, namespace), 'resolver-database', status, duration_nanos
      from part where database is not null and kind <> 2
      union all
      select service, provider, 'client-server', status, duration_nanos
      from part where provider is not null and database is null and kind = 3
    )
    select from_name, to_name, boundary, count(*) as count, count(*) filter (where status = 2) as error_count,
      percentile_cont(0.95) within group (order by duration_nanos) as duration_p95
    from call
    group by from_name, to_name, boundary
    order by count desc, from_name, to_name, boundary
    limit ${edgeCountMax}`.execute(reader.executor);
  return rows.map((row) => ({
    from: row.from_name,
    to: row.to_name,
    boundary: row.boundary,
    count: Number(row.count),
    errorCount: Number(row.error_count),
    durationMsP95: row.duration_p95 / nanosPerMs,
    caseNumbers: [],
  }));
}

function tracesWithin(scope: TenantScope, window: OverviewWindow): RawBuilder<boolean> {
  return sql<boolean>`tenant_id = ${scope.tenantId} and start_nanos >= ${nanosOf(window.fromMs)}::bigint
    and start_nanos < ${nanosOf(window.toMs)}::bigint`;
}

function nanosOf(ms: number): string {
  return (BigInt(Math.trunc(ms)) * BigInt(nanosPerMs)).toString();
}

function timeOf(ms: number): RawBuilder<Date> {
  return sql<Date>`to_timestamp(${ms / 1_000}::float8)`;
}
