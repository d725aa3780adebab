/** The routes of regions that share accounts. */

import {
  GrantConflictList,
  RecallEscrowRequest,
  RegionEscrowList,
  ResolvedConflict,
  ResolveConflictRequest,
  SealedMessage,
} from "./api/regions.ts";
import { type ApiRoute, json } from "./route.ts";

/** Part of the table of all routes. */
export const regionRoutes = {
  exchangeRegions: {
    method: "POST",
    path: "/api/regions/exchange",
    // The seal of the message says who asks: another region, which is no principal of a tenant.
    access: "public",
    summary: "Another region borrows, reports and returns credit, and both learn of edited terms.",
    body: SealedMessage,
    reply: json(200, SealedMessage),
  },
  listEscrows: {
    method: "GET",
    path: "/api/ledger/escrows",
    access: "ledger:read",
    summary: "What the home of the account lent to other regions, and how long each is silent.",
    reply: json(200, RegionEscrowList),
  },
  recallEscrow: {
    method: "POST",
    path: "/api/ledger/escrows/recall",
    access: "ledger:write",
    summary:
      "Asks a region to give back all that it does not need for what is under way, and lends it nothing meanwhile.",
    body: RecallEscrowRequest,
    reply: json(200, RegionEscrowList),
  },
  listGrantConflicts: {
    method: "GET",
    path: "/api/ledger/conflicts",
    access: "ledger:read",
    summary: "Grants, budgets and credit lines that were edited in two regions at once.",
    reply: json(200, GrantConflictList),
  },
  resolveGrantConflict: {
    method: "POST",
    path: "/api/ledger/conflicts/resolve",
    access: "ledger:write",
    summary: "Decides which of the contradicting edits holds; grants are all kept.",
    body: ResolveConflictRequest,
    reply: json(200, ResolvedConflict),
  },
} as const satisfies Record<string, ApiRoute>;
