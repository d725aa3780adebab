/** Reads log records and data points. */

import type {
  Attributes,
  AttributeValue,
  LogRecord,
  MetricData,
  MetricPoint,
} from "@faultline/contracts";
import { type RawBuilder, sql } from "kysely";

import { assert } from "#kernel/index.ts";
import type { Store, TenantScope } from "#storage/index.ts";

import { telemetryLimits } from "./limits.ts";
import { readOrigins, type StoredOrigin } from "./stored-origins.ts";

/** The window is closed at the start and open at the end. */
export interface RecordQuery {
  readonly fromMicros: number;
  readonly toMicros: number;
  readonly service?: string;
  /** At most `recordListCountMax`, which is also the default. */
  readonly limit?: number;
}

interface LogRow {
  readonly time_micros: number;
  readonly observed_micros: number | null;
  readonly service: string;
  readonly severity: number;
  readonly severity_text: string | null;
  readonly event_name: string | null;
  readonly body: AttributeValue;
  readonly trace_id: string | null;
  readonly span_id: string | null;
  readonly attributes: Attributes;
  readonly origin_id: string;
}

/** Newest first. */
export async function readLogs(
  store: Store,
  scope: TenantScope,
  query: RecordQuery,
): Promise<LogRecord[]> {
  return await store.read(scope, async (reader) => {
    const { rows } = await sql<LogRow>`
      select ${micros("time")} as time_micros, ${micros("observed_time")} as observed_micros, service, severity,
        severity_text, event_name, body, replace(trace_id::text, '-', '') as trace_id,
        encode(span_id, 'hex') as span_id, attributes, origin_id::text
      from log_record where ${chosen(scope, query)}
      order by time desc, id limit ${limitOf(query)}`.execute(reader.executor);
    const origins = await readOrigins(reader, scope, new Set(rows.map((row) => row.origin_id)));
    return rows.map((row) => ({
      timeMicros: row.time_micros,
      ...(row.observed_micros === null ? {} : { observedMicros: row.observed_micros }),
      severityNumber: row.severity,
      ...(row.severity_text === null ? {} : { severityText: row.severity_text }),
      ...(row.event_name === null ? {} : { eventName: row.event_name }),
      body: row.body,
      ...(row.trace_id === null ? {} : { traceId: row.trace_id }),
      ...(row.span_id === null ? {} : { spanId: row.span_id }),
      service: row.service,
      attributes: row.attributes,
      ...originOf(origins, row.origin_id),
    }));
  });
}

interface PointRow {
  readonly name: string;
  readonly time_micros: number;
  readonly start_micros: number | null;
  readonly service: string;
  readonly unit: string;
  readonly description: string;
  readonly data: MetricData;
  readonly attributes: Attributes;
  readonly origin_id: string;
}

/** Newest first. */
export async function readMetricPoints(
  store: Store,
  scope: TenantScope,
  query: RecordQuery,
): Promise<MetricPoint[]> {
  return await store.read(scope, async (reader) => {
    const { rows } = await sql<PointRow>`
      select name, ${micros("time")} as time_micros, ${micros("start_time")} as start_micros, service, unit,
        description, data, attributes, origin_id::text
      from metric_point where ${chosen(scope, query)}
      order by time desc, name, id limit ${limitOf(query)}`.execute(reader.executor);
    const origins = await readOrigins(reader, scope, new Set(rows.map((row) => row.origin_id)));
    return rows.map((row) => ({
      name: row.name,
      unit: row.unit,
      description: row.description,
      timeMicros: row.time_micros,
      ...(row.start_micros === null ? {} : { startMicros: row.start_micros }),
      data: row.data,
      service: row.service,
      attributes: row.attributes,
      ...originOf(origins, row.origin_id),
    }));
  });
}

function chosen(scope: TenantScope, query: RecordQuery): RawBuilder<boolean> {
  const ofService = query.service === undefined ? sql`true` : sql`service = ${query.service}`;
  return sql<boolean>`tenant_id = ${scope.tenantId} and time >= ${timeOf(query.fromMicros)}
    and time < ${timeOf(query.toMicros)} and ${ofService}`;
}

function timeOf(micros: number): RawBuilder<Date> {
  return sql<Date>`to_timestamp(${micros / 1_000_000}::float8)`;
}

function micros(column: string): RawBuilder<number> {
  return sql<number>`(extract(epoch from ${sql.ref(column)}) * 1000000)::float8`;
}

function limitOf(query: RecordQuery): number {
  const max = telemetryLimits.recordListCountMax;
  return Math.min(max, Math.max(1, Math.trunc(query.limit ?? max)));
}

function originOf(origins: Map<string, StoredOrigin>, id: string): StoredOrigin {
  const origin = origins.get(id);
  assert(origin !== undefined, "an origin is stored with the rows that name it");
  return origin;
}
