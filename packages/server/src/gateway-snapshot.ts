/** What the gateway processes know: composed from the configuration, identity and bundles, versioned by the control process. */

import { type Bundles, loadCatalog } from "#catalog/index.ts";
import type { Config } from "#config/index.ts";
import type { GatewaySnapshot } from "#gateway/index.ts";
import type { Identity } from "#identity/index.ts";

/** Makes snapshots whose versions grow. */
export function createSnapshots(
  config: Config,
  { identity, bundles }: { readonly identity: Identity; readonly bundles: Bundles },
): (signal: AbortSignal) => Promise<GatewaySnapshot> {
  const catalog = loadCatalog(config.providers).snapshot;
  let version = 0;
  return async (signal) => {
    version += 1;
    const taken = version;
    const { keys, tenants } = await identity.keySnapshot(signal);
    return {
      version: taken,
      settings: config.gateway,
      limits: config.limits,
      catalog,
      bundles: await bundles.snapshot(signal),
      keys,
      tenants,
    };
  };
}
