/** Tables of telemetry. Identifiers of 16 bytes are `uuid`, those of 8 bytes `bytea`; see `0002-telemetry.sql`. */

import type {
  Attributes,
  AttributeValue,
  MetricData,
  SpanEvent,
  SpanLink,
} from "@faultline/contracts";

export interface TelemetryOriginTable {
  tenant_id: string;
  day: Date;
  id: string;
  resource: Attributes;
  scope_name: string;
  scope_version: string | null;
}

export interface SpanTable {
  tenant_id: string;
  trace_id: string;
  span_id: Buffer;
  parent_span_id: Buffer | null;
  service: string;
  name: string;
  kind: number;
  start_time: Date;
  start_rest_nanos: number;
  /** A bigint, which the driver gives as text. */
  duration_nanos: string;
  status: number;
  status_message: string | null;
  attributes: Attributes;
  events: SpanEvent[] | null;
  links: SpanLink[] | null;
  origin_id: string;
}

export interface LogRecordTable {
  tenant_id: string;
  time: Date;
  id: string;
  observed_time: Date | null;
  service: string;
  severity: number;
  severity_text: string | null;
  event_name: string | null;
  body: AttributeValue;
  trace_id: string | null;
  span_id: Buffer | null;
  attributes: Attributes;
  origin_id: string;
}

export interface MetricPointTable {
  tenant_id: string;
  name: string;
  time: Date;
  id: string;
  start_time: Date | null;
  service: string;
  unit: string;
  description: string;
  data: MetricData;
  attributes: Attributes;
  origin_id: string;
}

export interface TraceSummaryTable {
  tenant_id: string;
  trace_id: string;
  start_nanos: string;
  end_nanos: string;
  span_count: number;
  error_count: number;
  root_has_parent: boolean;
  root_start_nanos: string;
  root_span_id: Buffer;
  root_service: string;
  root_name: string;
}

export interface TraceOperationTable {
  tenant_id: string;
  trace_id: string;
  service: string;
  operation: string;
  start_nanos: string;
  duration_nanos: string;
  span_count: number;
  error_count: number;
}

export interface TelemetryTables {
  telemetry_origin: TelemetryOriginTable;
  span: SpanTable;
  log_record: LogRecordTable;
  metric_point: MetricPointTable;
  trace_summary: TraceSummaryTable;
  trace_operation: TraceOperationTable;
}
