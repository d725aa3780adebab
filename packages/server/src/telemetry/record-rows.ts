/** Records as rows of their tables. */

import { createHash } from "node:crypto";

import {
  type LogRecord,
  type MetricPoint,
  type Span,
  spanKinds,
  spanStatusCodes,
} from "@faultline/contracts";
import type { TenantId } from "@faultline/protocol";

import { nanosPerMicro } from "./limits.ts";
import { addOrigin, type Emitter, OriginNames, type OriginRows } from "./origins.ts";
import { bytesText, dayOf, jsonText, TimeWriter } from "./postgres-text.ts";

/** The tables that hold records; each goes with the origins that its rows name. */
export const recordTables = {
  span: [
    "tenant_id",
    "trace_id",
    "span_id",
    "parent_span_id",
    "service",
    "name",
    "kind",
    "start_time",
    "start_rest_nanos",
    "duration_nanos",
    "status",
    "status_message",
    "attributes",
    "events",
    "links",
    "origin_id",
  ],
  log_record: [
    "tenant_id",
    "time",
    "id",
    "observed_time",
    "service",
    "severity",
    "severity_text",
    "event_name",
    "body",
    "trace_id",
    "span_id",
    "attributes",
    "origin_id",
  ],
  metric_point: [
    "tenant_id",
    "name",
    "time",
    "id",
    "start_time",
    "service",
    "unit",
    "description",
    "data",
    "attributes",
    "origin_id",
  ],
} as const;
export type RecordTable = keyof typeof recordTables;

export type Row = readonly (string | null)[];

/** Rows of one table from one request, with all that their commit needs. */
export interface RecordRows {
  readonly table: RecordTable;
  readonly rows: readonly Row[];
  readonly origins: OriginRows;
  /** The days (`YYYY-MM-DD`) in which the rows lie. */
  readonly days: ReadonlySet<string>;
  readonly characterCount: number;
}

export function spanRows(tenantId: TenantId, spans: readonly Span[]): RecordRows {
  const builder = new RowBuilder("span", tenantId);
  for (const span of spans) {
    const { micros, restNanos } = split(span.startMicros);
    builder.add(span, micros, (time, originId) => [
      tenantId,
      span.traceId,
      bytesText(span.spanId),
      span.parentSpanId === undefined ? null : bytesText(span.parentSpanId),
      span.service,
      span.name,
      String(spanKinds.indexOf(span.kind)),
      time,
      String(restNanos),
      String(Math.round(span.durationNanos)),
      String(spanStatusCodes.indexOf(span.status.code)),
      span.status.message ?? null,
      jsonText(span.attributes),
      span.events.length === 0 ? null : jsonText(span.events),
      span.links.length === 0 ? null : jsonText(span.links),
      originId,
    ]);
  }
  return builder.build();
}

export function logRows(tenantId: TenantId, records: readonly LogRecord[]): RecordRows {
  const builder = new RowBuilder("log_record", tenantId);
  for (const record of records) {
    builder.add(record, Math.floor(record.timeMicros), (time, originId) => [
      tenantId,
      time,
      builder.identify(record, originId),
      record.observedMicros === undefined ? null : builder.time(record.observedMicros),
      record.service,
      String(record.severityNumber),
      record.severityText ?? null,
      record.eventName ?? null,
      jsonText(record.body),
      record.traceId ?? null,
      record.spanId === undefined ? null : bytesText(record.spanId),
      jsonText(record.attributes),
      originId,
    ]);
  }
  return builder.build();
}

export function metricRows(tenantId: TenantId, points: readonly MetricPoint[]): RecordRows {
  const builder = new RowBuilder("metric_point", tenantId);
  for (const point of points) {
    builder.add(point, Math.floor(point.timeMicros), (time, originId) => [
      tenantId,
      point.name,
      time,
      builder.identify(point, originId),
      point.startMicros === undefined ? null : builder.time(point.startMicros),
      point.service,
      point.unit,
      point.description,
      jsonText(point.data),
      jsonText(point.attributes),
      originId,
    ]);
  }
  return builder.build();
}

class RowBuilder {
  readonly #table: RecordTable;
  readonly #tenantId: TenantId;
  readonly #rows: Row[] = [];
  readonly #origins: OriginRows = new Map();
  readonly #names = new OriginNames();
  readonly #days = new DayWriter();
  readonly #times = new TimeWriter();
  readonly #equals = new Map<string, number>();
  #characterCount = 0;

  constructor(table: RecordTable, tenantId: TenantId) {
    this.#table = table;
    this.#tenantId = tenantId;
  }

  add(record: Emitter, micros: number, row: (time: string, originId: string) => Row): void {
    const origin = this.#names.of(record);
    addOrigin(this.#origins, origin, {
      tenantId: this.#tenantId,
      day: this.#days.of(micros),
    });
    const values = row(this.#times.write(micros), origin.id);
    for (const value of values) this.#characterCount += value === null ? 2 : value.length;
    this.#rows.push(values);
  }

  time(micros: number): string {
    return this.#times.write(Math.floor(micros));
  }

  /**
   * An identifier for a record that brings none: from its content, and how many equal ones came before it in the same
   * request. Sent again, the request has the same identifiers; two equal lines of one request have two.
   */
  identify(record: LogRecord | MetricPoint, originId: string): string {
    // The origin's id stands for the resource and the scope.
    const text = JSON.stringify({ ...record, resource: undefined, scope: undefined });
    const place = this.#equals.get(originId + text) ?? 0;
    this.#equals.set(originId + text, place + 1);
    const hash = createHash("sha256").update(`${originId}\n${place}\n${text}`).digest("hex");
    return hash.slice(0, 32);
  }

  build(): RecordRows {
    return {
      table: this.#table,
      rows: this.#rows,
      origins: this.#origins,
      days: this.#days.seen,
      characterCount: this.#characterCount,
    };
  }
}

/** Names days; neighbours mostly share one. */
class DayWriter {
  readonly seen = new Set<string>();
  #number = Number.NaN;
  #text = "";

  of(micros: number): string {
    const number = Math.floor(micros / 86_400_000_000);
    if (number !== this.#number) {
      this.#number = number;
      this.#text = dayOf(micros);
      this.seen.add(this.#text);
    }
    return this.#text;
  }
}

/** A moment as whole microseconds and the nanoseconds beyond them, of which a double holds quarters of a thousand. */
function split(micros: number): { micros: number; restNanos: number } {
  const whole = Math.floor(micros);
  return { micros: whole, restNanos: Math.min(999, Math.round((micros - whole) * nanosPerMicro)) };
}
