/** The routes of webhooks. */

import {
  AddWebhookRequest,
  ChangeWebhookRequest,
  LedgerDeliveriesQuery,
  LedgerDelivery,
  LedgerDeliveryList,
  LedgerWebhook,
  LedgerWebhookList,
  RotateSecretRequest,
  WebhookParams,
  WebhookSecret,
} from "./api/ledger-webhooks.ts";
import { type ApiRoute, json } from "./route.ts";

/** Part of the table of all routes. */
export const ledgerWebhookRoutes = {
  listWebhooks: {
    method: "GET",
    path: "/api/ledger/webhooks",
    access: "ledger:read",
    summary: "Lists the webhooks that are told of thresholds which budgets pass.",
    reply: json(200, LedgerWebhookList),
  },
  addWebhook: {
    method: "POST",
    path: "/api/ledger/webhooks",
    access: "ledger:write",
    summary: "Adds a webhook; its secret is shown in this answer alone.",
    body: AddWebhookRequest,
    reply: json(201, WebhookSecret),
  },
  changeWebhook: {
    method: "POST",
    path: "/api/ledger/webhooks/:id",
    access: "ledger:write",
    summary: "Changes the URL or the budgets of a webhook, enables or disables it.",
    params: WebhookParams,
    body: ChangeWebhookRequest,
    reply: json(200, LedgerWebhook),
  },
  removeWebhook: {
    method: "DELETE",
    path: "/api/ledger/webhooks/:id",
    access: "ledger:write",
    summary: "Removes a webhook and its deliveries.",
    params: WebhookParams,
    reply: { kind: "empty", status: 204 },
  },
  rotateWebhookSecret: {
    method: "POST",
    path: "/api/ledger/webhooks/:id/secret",
    access: "ledger:write",
    summary: "Makes another secret; the one before goes on to sign beside it for a while.",
    params: WebhookParams,
    body: RotateSecretRequest,
    reply: json(200, WebhookSecret),
  },
  testWebhook: {
    method: "POST",
    path: "/api/ledger/webhooks/:id/test",
    access: "ledger:write",
    summary: "Sends a test to a webhook.",
    params: WebhookParams,
    reply: json(201, LedgerDelivery),
  },
  listDeliveries: {
    method: "GET",
    path: "/api/ledger/webhooks/deliveries",
    access: "ledger:read",
    summary: "Lists what was sent to webhooks, waits or failed, newest first.",
    query: LedgerDeliveriesQuery,
    reply: json(200, LedgerDeliveryList),
  },
  retryDelivery: {
    method: "POST",
    path: "/api/ledger/webhooks/deliveries/:id/retry",
    access: "ledger:write",
    summary: "Attempts a delivery anew, now, also one that failed or was delivered.",
    params: WebhookParams,
    reply: json(200, LedgerDelivery),
  },
} as const satisfies Record<string, ApiRoute>;
