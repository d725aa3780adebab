/** Lists the services that sent spans, with their operations. */

import type { ServiceList } from "@faultline/protocol";
import { sql } from "kysely";

import type { Store, TenantScope } from "#storage/index.ts";

import { telemetryLimits } from "./limits.ts";

interface OperationRow {
  readonly service: string;
  readonly operation: string;
  readonly span_count: string;
}

/** Services by name. Their spans are counted over their newest traces, and their operations come by that count. */
export async function listServices(store: Store, scope: TenantScope): Promise<ServiceList> {
  const { serviceCountMax, operationRowCountMax, operationCountMax } = telemetryLimits;
  const rows = await store.read(scope, async (reader) => {
    // The index is entered once for each service instead of read as a whole.
    const result = await sql<OperationRow>`
      with recursive name as (
        (select min(service) as service from trace_operation where tenant_id = ${scope.tenantId})
        union all
        select (select min(service) from trace_operation
          where tenant_id = ${scope.tenantId} and service > name.service)
        from name where name.service is not null
      )
      select name.service, newest.operation, newest.span_count
      from (select service from name where service is not null limit ${serviceCountMax}) name
      cross join lateral (
        select operation, sum(span_count) as span_count
        from (
          select operation, span_count from trace_operation
          where tenant_id = ${scope.tenantId} and service = name.service
          order by start_nanos desc limit ${operationRowCountMax}
        ) row
        group by operation
      ) newest
      order by name.service, newest.span_count desc, newest.operation`.execute(reader.executor);
    return result.rows;
  });
  const services = Map.groupBy(rows, (row) => row.service);
  return {
    services: Array.from(services, ([name, ofService]) => ({
      name,
      spanCount: ofService.reduce((sum, row) => sum + Number(row.span_count), 0),
      operations: ofService
        .map((row) => row.operation)
        .filter((operation) => operation !== "")
        .slice(0, operationCountMax),
    })),
  };
}
