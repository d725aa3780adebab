/** Finished operations on their way to the store: spans, by tenant. */

import type { Span } from "@faultline/contracts/model";
import type { TenantId } from "@faultline/protocol";

import type { OperationRecord } from "../calls/operation-record.ts";
import { operationSpan } from "../calls/operation-span.ts";

export interface TenantSpans {
  readonly tenantId: TenantId;
  readonly spans: readonly Span[];
}
/** At most one entry for each tenant. */
export type OperationBatch = readonly TenantSpans[];

export function toOperationBatch(records: readonly OperationRecord[]): OperationBatch {
  return [...Map.groupBy(records, (record) => record.tenantId)].map(([tenantId, own]) => ({
    tenantId,
    spans: own.map((record) => operationSpan(record)),
  }));
}
