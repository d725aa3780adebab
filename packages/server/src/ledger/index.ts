/** Credit that cannot be overspent: accounts, lots, holds, leases, budgets, and the transfers between them. */

export { LedgerBooks } from "./books/ledger-books.ts";
export type { DifferenceSource } from "./reconcile/difference-source.ts";
export { JournalDifferences } from "./reconcile/compare-journals.ts";
export type { JournalSource, ReadJournals } from "./reconcile/journal-source.ts";
export { proposalId } from "./reconcile/proposal-id.ts";
export { Reconciliations } from "./reconcile/reconciliations.ts";
export { ScheduledReconciliation } from "./reconcile/scheduled-reconciliation.ts";
export { registerLedgerMetrics } from "./service/ledger-metrics.ts";
export { Ledger } from "./service/ledger.ts";
export type { LedgerAnswer, LedgerRequest } from "./service/ledger-request.ts";
export { readAmount, readCurrency } from "./service/read-amount.ts";
export { readMoment } from "./service/read-moment.ts";
export { refusalError } from "./service/refusal-error.ts";
export { toStorable } from "./service/storable-text.ts";
export { SecretBox } from "./webhooks/secret-box.ts";
export { WebhookDelivery } from "./webhooks/webhook-delivery.ts";
export { registerWebhookMetrics } from "./webhooks/webhook-metrics.ts";
export { Webhooks } from "./webhooks/webhooks.ts";
export { Lending, type OpenReserve } from "./service/lending.ts";
export type { LeaseCharge } from "./rules/commands.ts";
export type { Attribution, UsageKind } from "./rules/types.ts";
export type { BudgetRule } from "./worker/budget-rules.ts";
export {
  costBoundMicros,
  exactMicrosMax,
  outputTokensWithin,
  type TokenPrice,
} from "./worker/exact-micros.ts";
export { chargesOfJournal, type UsageRecord } from "./worker/journal-charges.ts";
export type { AdmissionRequest, AdmittedOperation } from "./worker/lease-book.ts";
export { LeaseKeeper } from "./worker/lease-keeper.ts";
export { foundReports, type JournalFindings, recoveryOf } from "./worker/recover-leases.ts";
export { lotIdOf } from "./regions/apply-document.ts";
export {
  documentKey,
  type DocumentContent,
  effectiveContent,
  type GrantDocument,
} from "./regions/grant-document.ts";
export { oneRegion } from "./regions/region-terms.ts";
export { registerRegionMetrics } from "./regions/region-metrics.ts";
export { Regions } from "./regions/regions.ts";
export { sayContent } from "./regions/say-content.ts";
