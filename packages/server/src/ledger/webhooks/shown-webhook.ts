/** Webhooks and deliveries as the API shows them. */

import type { Schema } from "#storage/index.ts";
import type { LedgerDelivery, LedgerWebhook } from "@faultline/protocol";
import type { Selectable } from "kysely";

/** All that may be read of a webhook: no secret is among it. */
export const webhookColumns = [
  "id",
  "url",
  "budget_ids",
  "is_enabled",
  "created_at",
  "actor",
  "previous_secret_until",
] as const;

export const deliveryColumns = [
  "id",
  "webhook_id",
  "notice_sequence",
  "state",
  "created_at",
  "attempt_count",
  "next_attempt_at",
  "ended_at",
  "last_status",
  "last_failure",
] as const;

type WebhookRow = Pick<Selectable<Schema["webhook"]>, (typeof webhookColumns)[number]>;
type DeliveryRow = Pick<Selectable<Schema["webhook_delivery"]>, (typeof deliveryColumns)[number]>;

/** A webhook with what waits for it. */
export function showWebhook(
  row: WebhookRow,
  counts: { readonly waiting: number; readonly failed: number } | undefined,
): LedgerWebhook {
  const { previous_secret_until: until } = row;
  return {
    id: row.id,
    url: row.url,
    budgetIds: row.budget_ids ?? [],
    isEnabled: row.is_enabled,
    createdAt: row.created_at.toISOString(),
    createdBy: row.actor.slice(0, 256),
    ...(until === null ? {} : { previousSecretUntil: until.toISOString() }),
    waitingCount: counts?.waiting ?? 0,
    failedCount: counts?.failed ?? 0,
  };
}

/** A delivery and how it stands. */
export function showDelivery(row: DeliveryRow): LedgerDelivery {
  const { ended_at: endedAt, last_status: status, last_failure: failure } = row;
  return {
    id: row.id,
    webhookId: row.webhook_id,
    type: row.notice_sequence === null ? "webhook.test" : "budget.threshold_passed",
    state: row.state,
    createdAt: row.created_at.toISOString(),
    attemptCount: row.attempt_count,
    ...(row.state === "waiting" ? { nextAttemptAt: row.next_attempt_at.toISOString() } : {}),
    ...(endedAt === null ? {} : { endedAt: endedAt.toISOString() }),
    ...(status === null ? {} : { lastStatus: status }),
    ...(failure === null ? {} : { lastFailure: failure }),
  };
}
