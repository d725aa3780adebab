/** The section `compute` of the configuration. */

import { PlatformError, type TenantId } from "@faultline/protocol";

import type { ConfigPath } from "./check-value.ts";
import type { ComputeConfig } from "./compute-config.ts";
import type { ConfigFile } from "./file-schema.ts";
import { readValidFrom } from "./read-prices.ts";

const msPerSecond = 1_000;
const msPerMinute = 60_000;

interface ComputeSources {
  readonly number: (name: string) => number;
  readonly text: (name: string) => string;
  readonly file: ConfigFile["compute"];
  readonly originOf: (at: ConfigPath) => string;
}

/** Throws `configuration_invalid` when a node, a price of a kind, or a quota of a tenant for a kind stands twice. */
export function readCompute({ number, text, file, originOf }: ComputeSources): ComputeConfig {
  const { nodes = [], quotas = [], prices = [] } = file ?? {};
  const refuseAt = (list: string) => (index: number) => originOf(["compute", list, index]);
  refuseTwice(
    nodes.map(({ id }) => id),
    refuseAt("nodes"),
  );
  refuseTwice(
    quotas.map(({ tenant, deviceKind }) => `${tenant}, ${deviceKind}`),
    refuseAt("quotas"),
  );
  refuseTwice(
    prices.map(({ deviceKind }) => deviceKind),
    refuseAt("prices"),
  );
  return {
    ageingMs: number("compute.ageingMinutes") * msPerMinute,
    backFill: text("compute.backFill") === "on",
    headDelayMsMax: number("compute.headDelaySecondsMax") * msPerSecond,
    startMsMax: number("compute.startSecondsMax") * msPerSecond,
    intervalMs: number("compute.intervalSeconds") * msPerSecond,
    silenceMsMax: number("compute.silenceSecondsMax") * msPerSecond,
    nodes: nodes.map((node) => ({
      ...node,
      cpuCores: node.cpuCores ?? 0,
      memoryGigabytes: node.memoryGigabytes ?? 0,
    })),
    quotas: quotas.map(({ tenant, deviceKind, deviceCountMax }) => ({
      // The schema of the file holds the pattern that makes a text a tenant id.
      tenantId: tenant as TenantId,
      deviceKind,
      deviceCountMax,
    })),
    prices: prices.map(({ priceChanges = [], priorityPercent = 0, ...price }, index) => ({
      ...price,
      priorityPercent,
      changes: readChanges(priceChanges, (at) =>
        originOf(["compute", "prices", index, "priceChanges", at]),
      ),
    })),
  };
}

type PriceChanges = NonNullable<
  NonNullable<NonNullable<ConfigFile["compute"]>["prices"]>[number]["priceChanges"]
>;

function readChanges(changes: PriceChanges, whereOf: (index: number) => string) {
  const read = changes.map(({ validFrom, priorityPercent = 0, ...price }, index) => ({
    ...price,
    priorityPercent,
    validFromMs: readValidFrom(validFrom, whereOf(index)),
  }));
  refuseTwice(
    read.map(({ validFromMs }) => new Date(validFromMs).toISOString()),
    whereOf,
  );
  return read;
}

function refuseTwice(names: readonly string[], whereOf: (index: number) => string): void {
  const seen = new Set<string>();
  names.forEach((name, index) => {
    if (seen.has(name)) {
      const where = whereOf(index);
      throw new PlatformError("configuration_invalid", `${where}: \`${name}\` stands twice.`, {
        where,
        hint: "Leave one of the two out.",
      });
    }
    seen.add(name);
  });
}
