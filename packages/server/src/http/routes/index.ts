/** All handlers of the table of routes. */

import type { ApiHandlers, HandlerParts } from "../services.ts";
import { bundleHandlers } from "./bundles.ts";
import { caseHandlers } from "./cases.ts";
import { keyHandlers } from "./keys.ts";
import { ledgerExportHandlers } from "./ledger-export.ts";
import { reconciliationHandlers } from "./ledger-reconciliations.ts";
import { ledgerSeriesHandlers } from "./ledger-series.ts";
import { ledgerHandlers } from "./ledger.ts";
import { ledgerPriceHandlers } from "./ledger-prices.ts";
import { ledgerWebhookHandlers } from "./ledger-webhooks.ts";
import { regionHandlers } from "./regions.ts";
import { reservationHandlers } from "./reservations.ts";
import { sessionHandlers } from "./session.ts";
import { telemetryHandlers } from "./telemetry.ts";

/** One handler for each route. */
export function apiHandlers(parts: HandlerParts): ApiHandlers {
  return {
    ...sessionHandlers(parts),
    ...keyHandlers(parts),
    ...telemetryHandlers(parts),
    ...caseHandlers(parts),
    ...bundleHandlers(parts),
    ...ledgerHandlers(parts),
    ...ledgerPriceHandlers(parts),
    ...reconciliationHandlers(parts),
    ...ledgerWebhookHandlers(parts),
    ...ledgerSeriesHandlers(parts),
    ...ledgerExportHandlers(parts),
    ...regionHandlers(parts),
    ...reservationHandlers(parts),
  };
}
