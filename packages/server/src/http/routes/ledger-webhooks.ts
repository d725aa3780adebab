/** Webhooks of the caller's tenant: where it is told that a budget passed a threshold, and how that went. */

import type { ApiContext, ApiHandlers, HandlerParts } from "../services.ts";

type Names =
  | "listWebhooks"
  | "addWebhook"
  | "changeWebhook"
  | "removeWebhook"
  | "rotateWebhookSecret"
  | "testWebhook"
  | "listDeliveries"
  | "retryDelivery";

const graceSecondsDefault = 86_400;

/** Handlers of `/api/ledger/webhooks`. */
export function ledgerWebhookHandlers({
  services: { webhooks },
}: HandlerParts): Pick<ApiHandlers, Names> {
  return {
    async listWebhooks(_input, { scope }) {
      return { webhooks: await webhooks.list(scope) };
    },
    async addWebhook({ body }, context) {
      const { url, budgetIds = [], isEnabled = true } = body;
      return webhooks.add(actingScope(context), { url, budgetIds, isEnabled });
    },
    async changeWebhook({ params, body }, { scope }) {
      return webhooks.change(scope, params.id, body);
    },
    async removeWebhook({ params }, { scope }) {
      await webhooks.remove(scope, params.id);
      return undefined;
    },
    async rotateWebhookSecret({ params, body }, { scope }) {
      const { graceSeconds = graceSecondsDefault } = body;
      return webhooks.rotate(scope, params.id, graceSeconds * 1_000);
    },
    async testWebhook({ params }, { scope }) {
      return webhooks.test(scope, params.id);
    },
    async listDeliveries({ query }, { scope }) {
      return { deliveries: await webhooks.deliveries(scope, query ?? {}) };
    },
    async retryDelivery({ params }, { scope }) {
      return webhooks.retry(scope, params.id);
    },
  };
}

function actingScope({ scope, principal }: ApiContext) {
  return { ...scope, actor: `${principal.keyName} (${principal.keyId})` };
}
