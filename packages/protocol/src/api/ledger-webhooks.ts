/** Webhooks: where a tenant is told that a budget passed a threshold, and how that went. */

import { type Static, Type } from "typebox";

import { closed, Count, Id, Micros, Moment, Name } from "./ledger-values.ts";

const WebhookId = Type.String({ pattern: "^[A-Za-z0-9-]{1,64}$" });
const Url = Type.String({ minLength: 1, maxLength: 2_048 });
/** Of which budgets; none is named where it is told of all. */
const BudgetIds = Type.Array(Id, { maxItems: 100 });

export const LedgerWebhook = Type.Object(
  {
    id: WebhookId,
    url: Url,
    budgetIds: BudgetIds,
    isEnabled: Type.Boolean(),
    createdAt: Moment,
    createdBy: Name,
    /** Until then deliveries bear a second signature, by the secret before. */
    previousSecretUntil: Type.Optional(Moment),
    waitingCount: Count,
    failedCount: Count,
  },
  closed,
);
export type LedgerWebhook = Static<typeof LedgerWebhook>;
export const LedgerWebhookList = Type.Object(
  { webhooks: Type.Array(LedgerWebhook, { maxItems: 100 }) },
  closed,
);
export const WebhookParams = Type.Object({ id: WebhookId }, closed);

export const AddWebhookRequest = Type.Object(
  {
    url: Url,
    /** Default: all. */
    budgetIds: Type.Optional(BudgetIds),
    /** Default: true. */
    isEnabled: Type.Optional(Type.Boolean()),
  },
  closed,
);
/** What is absent stays; an empty list of budgets means all of them. */
export const ChangeWebhookRequest = Type.Partial(AddWebhookRequest);

export const RotateSecretRequest = Type.Object(
  {
    /** How long the secret before goes on to sign beside the new one; default: a day. */
    graceSeconds: Type.Optional(Type.Integer({ minimum: 0, maximum: 2_592_000 })),
  },
  closed,
);
/** The secret is shown here and never again. */
export const WebhookSecret = Type.Object(
  { webhook: LedgerWebhook, secret: Type.String({ maxLength: 128 }) },
  closed,
);
export type WebhookSecret = Static<typeof WebhookSecret>;

export const DeliveryState = Type.Union([
  Type.Literal("waiting"),
  Type.Literal("delivered"),
  Type.Literal("failed"),
]);
export type DeliveryState = Static<typeof DeliveryState>;

export const LedgerDelivery = Type.Object(
  {
    /** The same in every attempt: receivers tell repetitions by it. */
    id: WebhookId,
    webhookId: WebhookId,
    type: Name,
    state: DeliveryState,
    createdAt: Moment,
    attemptCount: Count,
    /** Of what waits. */
    nextAttemptAt: Type.Optional(Moment),
    endedAt: Type.Optional(Moment),
    /** How the latest attempt went: the status of the answer, or what stood in the way. */
    lastStatus: Type.Optional(Count),
    lastFailure: Type.Optional(Type.String({ maxLength: 500 })),
  },
  closed,
);
export type LedgerDelivery = Static<typeof LedgerDelivery>;
/** Newest first. */
export const LedgerDeliveryList = Type.Object(
  { deliveries: Type.Array(LedgerDelivery, { maxItems: 1_000 }) },
  closed,
);
export const LedgerDeliveriesQuery = Type.Object(
  {
    id: Type.Optional(WebhookId),
    webhookId: Type.Optional(WebhookId),
    state: Type.Optional(DeliveryState),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000 })),
  },
  closed,
);
export type LedgerDeliveriesQuery = Static<typeof LedgerDeliveriesQuery>;

/** What a webhook is sent. */
export const WebhookEvent = Type.Union([
  Type.Object(
    {
      id: WebhookId,
      type: Type.Literal("budget.threshold_passed"),
      at: Moment,
      tenant: Name,
      budget: Type.Object(
        {
          budgetId: Id,
          /** The highest threshold that was passed, in per cent of the limit. */
          percent: Count,
          usedMicros: Micros,
          windowStart: Moment,
          /** As the budget is set when this is sent; absent when it was removed. */
          limitMicros: Type.Optional(Micros),
          currency: Type.Optional(Name),
          isHard: Type.Optional(Type.Boolean()),
        },
        closed,
      ),
    },
    closed,
  ),
  Type.Object(
    { id: WebhookId, type: Type.Literal("webhook.test"), at: Moment, tenant: Name },
    closed,
  ),
]);
export type WebhookEvent = Static<typeof WebhookEvent>;
