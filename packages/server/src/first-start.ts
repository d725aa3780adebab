/** What the first start on a data folder leaves behind: the tenant `default` and an admin key. */

import type { Config } from "#config/index.ts";
import type { Identity } from "#identity/index.ts";
import { assert } from "#kernel/index.ts";
import { parseTenantId, type TenantId } from "@faultline/protocol";

/** The tenant of everybody who names none. */
const defaultTenantId: TenantId = readDefaultTenantId();

/** Creates the tenants that the configuration names, `default` always among them. */
export async function putTenants(
  config: Config,
  identity: Identity,
  signal: AbortSignal,
): Promise<void> {
  await identity.putTenant(defaultTenantId, { signal });
  for (const { id, capture } of config.tenants) await identity.putTenant(id, { capture, signal });
  for (const id of config.regions?.homes.keys() ?? []) {
    if (!config.tenants.some((tenant) => tenant.id === id))
      await identity.putTenant(id, { signal });
  }
}

/** An admin key for `default` when it never had a key, or when a new one is asked for. Its text is nowhere else. */
export async function makeAdminKey(
  identity: Identity,
  options: { isForced: boolean; signal: AbortSignal },
): Promise<string | undefined> {
  const scope = { tenantId: defaultTenantId, signal: options.signal };
  const keys = await identity.listKeys(scope);
  const isFirst = keys.length === 0;
  if (!isFirst && !options.isForced) return undefined;
  const { secret } = await identity.createKey(scope, {
    name: isFirst ? "first admin" : "new admin",
    role: "admin",
  });
  return secret;
}

function readDefaultTenantId(): TenantId {
  const tenantId = parseTenantId("default");
  assert(tenantId !== undefined, "`default` is a tenant id");
  return tenantId;
}
