/** Finds operations of the gateway: those that failed in certain ways, and the trace of one by its id. */

import { sql } from "kysely";

import type { Reader, Store, TenantScope } from "#storage/index.ts";

import { telemetryLimits } from "./limits.ts";

export interface FailedOperationQuery {
  readonly fromMs: number;
  readonly untilMs: number;
  /** Values of `error.type`. */
  readonly errorTypes: readonly string[];
}

export interface FailedOperation {
  readonly atMs: number;
  readonly errorType: string;
  readonly message: string;
  readonly model: string | undefined;
  readonly keyId: string | undefined;
  readonly traceId: string;
}

export interface FailedOperations {
  readonly counts: readonly { readonly errorType: string; readonly count: number }[];
  /** The newest ones. */
  readonly operations: readonly FailedOperation[];
}

/** Counts the operations that failed in one of the ways, and reads the newest of them. */
export async function failedOperations(
  store: Store,
  scope: TenantScope,
  query: FailedOperationQuery,
): Promise<FailedOperations> {
  return await store.read(scope, async (reader) => ({
    counts: await countFailed(reader, scope, query),
    operations: await readFailed(reader, scope, query),
  }));
}

async function countFailed(
  reader: Reader,
  scope: TenantScope,
  query: FailedOperationQuery,
): Promise<FailedOperations["counts"]> {
  const { rows } = await sql<{ error_type: string; count: string }>`
    select attributes ->> 'error.type' as error_type, count(*) as count
    from span where ${failedWithin(scope, query)}
    group by 1 order by 2 desc, 1`.execute(reader.executor);
  return rows.map((row) => ({ errorType: row.error_type, count: Number(row.count) }));
}

interface FailedRow {
  readonly start_ms: number;
  readonly error_type: string;
  readonly status_message: string | null;
  readonly model: string | null;
  readonly key_id: string | null;
  readonly trace_id: string;
}

async function readFailed(
  reader: Reader,
  scope: TenantScope,
  query: FailedOperationQuery,
): Promise<FailedOperation[]> {
  const { rows } = await sql<FailedRow>`
    select (extract(epoch from start_time) * 1000)::float8 as start_ms, attributes ->> 'error.type' as error_type,
      status_message, attributes ->> 'gen_ai.request.model' as model, attributes ->> 'faultline.key.id' as key_id,
      replace(trace_id::text, '-', '') as trace_id
    from span where ${failedWithin(scope, query)}
    order by start_time desc limit ${telemetryLimits.failedOperationCountMax}`.execute(
    reader.executor,
  );
  return rows.map((row) => ({
    atMs: Math.floor(row.start_ms),
    errorType: row.error_type,
    message: row.status_message ?? "",
    model: row.model ?? undefined,
    keyId: row.key_id ?? undefined,
    traceId: row.trace_id,
  }));
}

function failedWithin(scope: TenantScope, { fromMs, untilMs, errorTypes }: FailedOperationQuery) {
  return sql<boolean>`tenant_id = ${scope.tenantId} and service = 'faultline-gateway'
    and start_time >= to_timestamp(${fromMs}::float8 / 1000) and start_time < to_timestamp(${untilMs}::float8 / 1000)
    and status = 2 and attributes ? 'gen_ai.operation.name'
    and attributes ->> 'error.type' = any(${errorTypes})`;
}

/** Where an operation was traced; `undefined` when nothing of it is stored. */
export async function traceOfOperation(
  store: Store,
  scope: TenantScope,
  operationId: string,
): Promise<{ readonly traceId: string; readonly spanId: string } | undefined> {
  const startMs = startOfId(operationId);
  if (startMs === undefined) return undefined;
  const { operationStartSlackMs: slackMs } = telemetryLimits;
  return await store.read(scope, async (reader) => {
    const { rows } = await sql<{ trace_id: string; span_id: string }>`
      select replace(trace_id::text, '-', '') as trace_id, encode(span_id, 'hex') as span_id
      from span
      where tenant_id = ${scope.tenantId} and service = 'faultline-gateway'
        and start_time >= to_timestamp(${startMs - slackMs}::float8 / 1000)
        and start_time < to_timestamp(${startMs + slackMs}::float8 / 1000)
        and attributes ->> 'faultline.operation.id' = ${operationId}
      limit 1`.execute(reader.executor);
    const [row] = rows;
    return row === undefined ? undefined : { traceId: row.trace_id, spanId: row.span_id };
  });
}

/** Ids of operations begin with the time at which they were made (UUID version 7), which bounds where to look. */
function startOfId(operationId: string): number | undefined {
  const match = /^([0-9a-f]{8})-([0-9a-f]{4})-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/.exec(
    operationId,
  );
  return match === null ? undefined : Number.parseInt(`${match[1]}${match[2]}`, 16);
}
