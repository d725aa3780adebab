/** What models cost, and the price that a tenant's policy names for those that have none. */

import { readAmount } from "#ledger/index.ts";

import type { ApiContext, ApiHandlers, HandlerParts } from "../services.ts";

type Names = "listPrices" | "readDefaultPrice" | "setDefaultPrice" | "removeDefaultPrice";

/** Handlers of `/api/ledger/prices`. */
export function ledgerPriceHandlers({
  services: { prices },
}: HandlerParts): Pick<ApiHandlers, Names> {
  return {
    async listPrices({ query }, { scope }) {
      return prices.list(scope, query ?? {});
    },
    async readDefaultPrice(_input, { scope }) {
      const price = await prices.readDefault(scope);
      return price === undefined ? {} : { price };
    },
    async setDefaultPrice({ body }, context) {
      const read = (name: keyof typeof body): bigint | undefined => {
        const amount = body[name];
        return amount === undefined ? undefined : readAmount(amount, `body /${name}`, "allowed");
      };
      return prices.setDefault(actingScope(context), {
        inputMicros: readAmount(body.inputMicros, "body /inputMicros", "allowed"),
        outputMicros: readAmount(body.outputMicros, "body /outputMicros", "allowed"),
        cachedInputMicros: read("cachedInputMicros"),
        reasoningMicros: read("reasoningMicros"),
      });
    },
    async removeDefaultPrice(_input, context) {
      await prices.removeDefault(actingScope(context));
      return undefined;
    },
  };
}

function actingScope({ scope, principal }: ApiContext) {
  return { ...scope, actor: `${principal.keyName} (${principal.keyId})` };
}
