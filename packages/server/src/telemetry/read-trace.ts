/** Reads one trace whole. */

import {
  type Attributes,
  type Span,
  type SpanEvent,
  spanKinds,
  type SpanLink,
  spanStatusCodes,
} from "@faultline/contracts";
import { sql } from "kysely";

import { assert } from "#kernel/index.ts";
import type { Store, TenantScope } from "#storage/index.ts";

import { nanosPerMicro, telemetryLimits } from "./limits.ts";
import { readOrigins, type StoredOrigin } from "./stored-origins.ts";

export interface StoredTrace {
  /** By start, each span once. */
  readonly spans: Span[];
  /** Whether the trace has more spans than are given. */
  readonly truncated: boolean;
}

interface SpanRow {
  readonly span_id: string;
  readonly parent_span_id: string | null;
  readonly service: string;
  readonly name: string;
  readonly kind: number;
  readonly start_micros: number;
  readonly start_rest_nanos: number;
  readonly duration_nanos: string;
  readonly status: number;
  readonly status_message: string | null;
  readonly attributes: Attributes;
  readonly events: SpanEvent[] | null;
  readonly links: SpanLink[] | null;
  readonly origin_id: string;
}

/** `undefined` when the tenant has no span of this trace, or the id is none. */
export async function readTrace(
  store: Store,
  scope: TenantScope,
  traceId: string,
): Promise<StoredTrace | undefined> {
  if (!/^[0-9a-f]{32}$/.test(traceId)) return undefined;
  const limit = telemetryLimits.traceSpanCountMax + 1;
  return await store.read(scope, async (reader) => {
    const { rows } = await sql<SpanRow>`
      select encode(span_id, 'hex') as span_id, encode(parent_span_id, 'hex') as parent_span_id, service, name, kind,
        (extract(epoch from start_time) * 1000000)::float8 as start_micros, start_rest_nanos, duration_nanos, status,
        status_message, attributes, events, links, origin_id::text
      from span
      where tenant_id = ${scope.tenantId} and trace_id = ${traceId}::uuid
      order by start_time, start_rest_nanos, span_id
      limit ${limit}`.execute(reader.executor);
    if (rows.length === 0) return undefined;
    const origins = await readOrigins(reader, scope, new Set(rows.map((row) => row.origin_id)));
    const spans = new Map<string, Span>();
    for (const row of rows.slice(0, telemetryLimits.traceSpanCountMax)) {
      // A sender that reports one span with two starts has its first one believed.
      if (!spans.has(row.span_id)) spans.set(row.span_id, spanOf(traceId, row, origins));
    }
    return { spans: [...spans.values()], truncated: rows.length === limit };
  });
}

function spanOf(traceId: string, row: SpanRow, origins: Map<string, StoredOrigin>): Span {
  const origin = origins.get(row.origin_id);
  assert(origin !== undefined, "an origin is stored with the rows that name it");
  return {
    traceId,
    spanId: row.span_id,
    ...(row.parent_span_id === null ? {} : { parentSpanId: row.parent_span_id }),
    name: row.name,
    kind: spanKinds[row.kind] ?? "unspecified",
    service: row.service,
    startMicros: row.start_micros + row.start_rest_nanos / nanosPerMicro,
    durationNanos: Number(row.duration_nanos),
    status: {
      code: spanStatusCodes[row.status] ?? "unset",
      ...(row.status_message === null ? {} : { message: row.status_message }),
    },
    attributes: row.attributes,
    resource: origin.resource,
    scope: origin.scope,
    events: row.events ?? [],
    links: row.links ?? [],
  };
}
