/** Lists traces by service, operation, time, duration and status, newest first, in pages. */

import { PlatformError, type TraceList, type TraceQuery } from "@faultline/protocol";
import { type RawBuilder, sql } from "kysely";

import type { Store, TenantScope } from "#storage/index.ts";

import { nanosPerMs, telemetryLimits } from "./limits.ts";
import { summariesOf, type TraceRow } from "./trace-rows.ts";

/**
 * The page after the query's cursor. A page is defined by where the last one ended, so traces that arrive meanwhile
 * neither shift nor repeat what follows. Throws `request_invalid` for a cursor that is none.
 */
export async function listTraces(
  store: Store,
  scope: TenantScope,
  query: TraceQuery,
): Promise<TraceList> {
  const limit = Math.min(
    query.limit ?? telemetryLimits.traceListCount,
    telemetryLimits.traceListCountMax,
  );
  const conditions = sql.join(conditionsOf(scope, query), sql` and `);
  return await store.read(scope, async (reader) => {
    const { rows } = await sql<TraceRow>`
      select trace_id::text, start_nanos, end_nanos - start_nanos as duration_nanos, span_count, error_count,
        root_service as service, root_name as operation
      from trace_summary
      where ${conditions}
      order by start_nanos desc, trace_id desc
      limit ${limit + 1}`.execute(reader.executor);
    const page = rows.slice(0, limit);
    const last = page.at(-1);
    const hasMore = rows.length > limit && last !== undefined;
    return {
      traces: await summariesOf(reader, scope, page),
      ...(hasMore ? { nextCursor: cursorOf(last) } : {}),
    };
  });
}

function conditionsOf(scope: TenantScope, query: TraceQuery): RawBuilder<unknown>[] {
  const conditions = [sql`tenant_id = ${scope.tenantId}`];
  const { service, operation, minDurationMs, maxDurationMs } = query;
  if (query.from !== undefined)
    conditions.push(sql`start_nanos >= ${nanosOf(query.from, "from")}::bigint`);
  if (query.to !== undefined)
    conditions.push(sql`start_nanos < ${nanosOf(query.to, "to")}::bigint`);
  if (operation !== undefined) conditions.push(sql`root_name = ${operation}`);
  if (service !== undefined) {
    conditions.push(sql`exists (
      select from trace_operation part
      where part.tenant_id = ${scope.tenantId} and part.trace_id = trace_summary.trace_id and part.service = ${service}
    )`);
  }
  const duration = sql`end_nanos - start_nanos`;
  if (minDurationMs !== undefined)
    conditions.push(sql`${duration} >= ${minDurationMs * nanosPerMs}::numeric`);
  if (maxDurationMs !== undefined)
    conditions.push(sql`${duration} <= ${maxDurationMs * nanosPerMs}::numeric`);
  if (query.status !== undefined) {
    conditions.push(query.status === "error" ? sql`error_count > 0` : sql`error_count = 0`);
  }
  if (query.cursor !== undefined) {
    const { startNanos, traceId } = readCursor(query.cursor);
    conditions.push(sql`(start_nanos, trace_id) < (${startNanos}::bigint, ${traceId}::uuid)`);
  }
  return conditions;
}

function nanosOf(isoTime: string, name: string): string {
  const timeMs = Date.parse(isoTime);
  if (Number.isNaN(timeMs)) {
    throw new PlatformError("request_invalid", "A time should be in ISO 8601.", { where: isoTime });
  }
  const nanos = BigInt(timeMs) * BigInt(nanosPerMs);
  if (!fitsColumn(nanos)) {
    throw new PlatformError("request_invalid", "A time should lie between 1678 and 2261.", {
      where: `query /${name}`,
      hint: "That is what nanoseconds since 1970 can name.",
    });
  }
  return nanos.toString();
}

/** Whether PostgreSQL's bigint holds it. */
function fitsColumn(nanos: bigint): boolean {
  return BigInt.asIntN(64, nanos) === nanos;
}

function cursorOf(row: TraceRow): string {
  return Buffer.from(`${row.start_nanos} ${row.trace_id}`).toString("base64url");
}

function readCursor(cursor: string): { startNanos: string; traceId: string } {
  const text = Buffer.from(cursor, "base64url").toString();
  const [, startNanos, traceId] =
    /^(\d{1,19}) ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/.exec(text) ?? [];
  if (startNanos === undefined || traceId === undefined || !fitsColumn(BigInt(startNanos))) {
    throw new PlatformError("request_invalid", "The cursor is not one that a list gave.", {
      where: "cursor",
      hint: "Pass nextCursor as it came, or leave it out to begin anew.",
    });
  }
  return { startNanos, traceId };
}
