/** The section `limits` of the configuration. */

import { PlatformError, type TenantId } from "@faultline/protocol";

import type { ConfigPath } from "./check-value.ts";
import type { ConfigFile } from "./file-schema.ts";
import type { LayerSettings } from "./limit-schema.ts";
import type { LayerLimits, LimitsConfig, NamedLimits } from "./limits-config.ts";

const msPerSecond = 1_000;

interface LimitSources {
  /** The value of a scalar setting, from whichever source won. */
  readonly valueOf: (name: string) => unknown;
  readonly file: ConfigFile["limits"];
  readonly originOf: (at: ConfigPath) => string;
}

/** Throws `configuration_invalid` when a name stands twice. */
export function readLimits({ valueOf, file, originOf }: LimitSources): LimitsConfig {
  const number = (name: string): number | undefined => {
    const value = valueOf(name);
    return typeof value === "number" ? value : undefined;
  };
  const layer = (name: string): LayerLimits => ({
    requestsPerMinute: number(`limits.${name}.requestsPerMinute`),
    tokensPerMinute: number(`limits.${name}.tokensPerMinute`),
    concurrencyMax: number(`limits.${name}.concurrencyMax`),
  });
  const { models = [], providers = [], tenants = [] } = file ?? {};
  refuseTwice(models, (index) => originOf(["limits", "models", index]));
  refuseTwice(providers, (index) => originOf(["limits", "providers", index]));
  refuseTwice(
    tenants.map(({ id }) => ({ name: id })),
    (index) => originOf(["limits", "tenants", index]),
  );
  return {
    key: layer("key"),
    user: layer("user"),
    tenant: layer("tenant"),
    clientAddress: layer("clientAddress"),
    models: models.map((entry) => toNamed(entry)),
    providers: providers.map((entry) => toNamed(entry)),
    tenants: tenants.map((entry) => ({
      // The schema of the file holds the pattern that makes a text a tenant id.
      id: entry.id as TenantId,
      limits: toLayer(entry),
      user: toLayer(entry.user ?? {}),
    })),
    failedKeys: {
      // Both have defaults.
      countMax: number("limits.failedKeys.countMax") ?? 0,
      windowMs: (number("limits.failedKeys.windowSeconds") ?? 0) * msPerSecond,
    },
  };
}

function toNamed(entry: LayerSettings & { readonly name: string }): NamedLimits {
  return { name: entry.name, limits: toLayer(entry) };
}

function toLayer(entry: LayerSettings): LayerLimits {
  return {
    requestsPerMinute: entry.requestsPerMinute,
    tokensPerMinute: entry.tokensPerMinute,
    concurrencyMax: entry.concurrencyMax,
  };
}

function refuseTwice(
  entries: readonly { readonly name: string }[],
  whereOf: (index: number) => string,
): void {
  const seen = new Set<string>();
  entries.forEach(({ name }, index) => {
    if (seen.has(name)) {
      const where = whereOf(index);
      throw new PlatformError("configuration_invalid", `${where}: \`${name}\` stands twice.`, {
        where,
        hint: "Merge the two.",
      });
    }
    seen.add(name);
  });
}
