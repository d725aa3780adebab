/** The data plane: carries model calls, keeps the evidence of each, and passes everything else on. */

export {
  type ExpositionFormat,
  expositionFormat,
  expositionTypes,
  type ShownMetric,
  writeExposition,
} from "./observation/exposition.ts";
export type { OperationBatch, TenantSpans } from "./workers/operation-batch.ts";
export { UsageJournals } from "./credit/read-journals.ts";
export type { GatewaySettings, GatewaySnapshot, SnapshotKey, SnapshotTenant } from "./snapshot.ts";
export {
  type Gateway,
  type GatewayLogger,
  type GatewayOptions,
  startGatewayWorkers,
} from "./workers/supervisor.ts";
