/** What the gateway processes know: composed from the configuration, identity and bundles, versioned by the control process. */

import type { Bundles, Prices } from "#catalog/index.ts";
import type { GatewaySnapshot } from "#gateway/index.ts";
import type { Identity } from "#identity/index.ts";
import type { Lending } from "#ledger/index.ts";

import type { LiveConfig } from "./live-config.ts";

/** Makes snapshots whose versions grow. */
export function createSnapshots(
  live: LiveConfig,
  {
    identity,
    bundles,
    prices,
    lending,
  }: {
    readonly identity: Identity;
    readonly bundles: Bundles;
    readonly prices: Prices;
    readonly lending: Lending;
  },
): (signal: AbortSignal) => Promise<GatewaySnapshot> {
  let version = 0;
  return async (signal) => {
    version += 1;
    const taken = version;
    const { keys, tenants } = await identity.keySnapshot(signal);
    const bundleSnapshot = await bundles.snapshot(signal);
    const defaultPrices = await prices.defaults(signal);
    const payingTenants = await lending.payingTenants(signal);
    // Read at once, so that a snapshot has all of a change or nothing.
    const { config, catalog } = live;
    return {
      version: taken,
      settings: config.gateway,
      limits: config.limits,
      catalog: catalog.snapshot,
      bundles: bundleSnapshot,
      keys,
      tenants,
      payingTenants,
      defaultPrices,
    };
  };
}
