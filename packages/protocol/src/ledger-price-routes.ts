/** The routes of prices. */

import {
  LedgerDefaultPrice,
  LedgerDefaultPriceReply,
  LedgerPriceList,
  LedgerPricesQuery,
  SetDefaultPriceRequest,
} from "./api/ledger-prices.ts";
import { type ApiRoute, json } from "./route.ts";

/** Part of the table of all routes. */
export const ledgerPriceRoutes = {
  listPrices: {
    method: "GET",
    path: "/api/ledger/prices",
    access: "ledger:read",
    summary: "What models cost and when, and what a model without a price costs the tenant.",
    query: LedgerPricesQuery,
    reply: json(200, LedgerPriceList),
  },
  readDefaultPrice: {
    method: "GET",
    path: "/api/ledger/prices/default",
    access: "ledger:read",
    summary: "What a model without a price costs the tenant, if it is admitted at all.",
    reply: json(200, LedgerDefaultPriceReply),
  },
  setDefaultPrice: {
    method: "POST",
    path: "/api/ledger/prices/default",
    access: "ledger:write",
    summary: "Sets what a model without a price costs; answers when all gateway processes know it.",
    body: SetDefaultPriceRequest,
    reply: json(200, LedgerDefaultPrice),
  },
  removeDefaultPrice: {
    method: "DELETE",
    path: "/api/ledger/prices/default",
    access: "ledger:write",
    summary: "From now on calls of models without a price are refused.",
    reply: { kind: "empty", status: 204 },
  },
} as const satisfies Record<string, ApiRoute>;
