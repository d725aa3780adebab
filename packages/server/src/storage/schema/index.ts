/** The tables as Kysely sees them. Each domain describes its own; the SQL stands in `../migrations`. */

import type { BundleTables } from "./bundles.ts";
import type { CaseTables } from "./cases.ts";
import type { ComputeTables } from "./compute.ts";
import type { IdentityTables } from "./identity.ts";
import type { LedgerTables } from "./ledger.ts";
import type { PriceTables } from "./prices.ts";
import type { RegionTables } from "./regions.ts";
import type { TelemetryTables } from "./telemetry.ts";
import type { WebhookTables } from "./webhooks.ts";

export interface Schema
  extends
    IdentityTables,
    TelemetryTables,
    CaseTables,
    BundleTables,
    LedgerTables,
    ComputeTables,
    PriceTables,
    RegionTables,
    WebhookTables {}
