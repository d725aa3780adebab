/** What a webhook is sent. */

import type { TenantId, WebhookEvent } from "@faultline/protocol";

/** A notice as the ledger wrote it: its amounts are numbers or text. */
export interface ThresholdNotice {
  readonly tenantId: TenantId;
  readonly atMs: number;
  readonly budgetId: string;
  readonly percent: number;
  readonly windowStartMs: number;
  readonly usedMicros: string;
  /** As the budget is set now. */
  readonly terms:
    | { readonly limitMicros: string; readonly currency: string; readonly isHard: boolean }
    | undefined;
}

/** The body of a delivery about a threshold. */
export function thresholdEvent(id: string, notice: ThresholdNotice): WebhookEvent {
  const { tenantId, atMs, budgetId, percent, windowStartMs, usedMicros, terms } = notice;
  const windowStart = new Date(windowStartMs).toISOString();
  return {
    id,
    type: "budget.threshold_passed",
    at: new Date(atMs).toISOString(),
    tenant: tenantId,
    budget: { budgetId, percent, usedMicros, windowStart, ...terms },
  };
}

/** The body of a test. */
export function testEvent(id: string, tenantId: TenantId, atMs: number): WebhookEvent {
  return { id, type: "webhook.test", at: new Date(atMs).toISOString(), tenant: tenantId };
}
