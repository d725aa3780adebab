/** All that crosses a process of Faultline: schemas, routes, ids, keys, error codes, and a typed client. */

export * from "./api/bundles.ts";
export * from "./api/cases.ts";
export * from "./api/compute.ts";
export * from "./api/health.ts";
export * from "./api/identity.ts";
export * from "./api/ledger.ts";
export * from "./api/ledger-prices.ts";
export * from "./api/ledger-reconciliation.ts";
export * from "./api/ledger-series.ts";
export * from "./api/ledger-webhooks.ts";
export * from "./api/regions.ts";
export * from "./api/overview.ts";
export * from "./api/telemetry.ts";
export * from "./bundle.ts";
export * from "./client.ts";
export * from "./ended-key.ts";
export * from "./errors.ts";
export * from "./ids.ts";
export * from "./key-terms.ts";
export * from "./keys.ts";
export * from "./roles.ts";
export * from "./routes.ts";
