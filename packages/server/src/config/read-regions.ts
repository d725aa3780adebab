/** The section `regions` of the configuration. */

import { PlatformError, type TenantId } from "@faultline/protocol";

import type { ConfigPath } from "./check-value.ts";
import type { ConfigFile } from "./file-schema.ts";
import type { Environment } from "./providers.ts";
import type { RegionsConfig } from "./regions-config.ts";

const keyLengthMin = 32;

interface RegionSources {
  readonly number: (name: string) => number;
  readonly optional: (name: string) => string | undefined;
  readonly file: ConfigFile["regions"];
  readonly environment: Environment;
  readonly originOf: (at: ConfigPath) => string;
}

/**
 * `undefined` where this region has no name. Throws `configuration_invalid` for a key that is not set or short, a peer or tenant
 * that stands twice, and a home that is neither this region nor a peer with a URL.
 */
export function readRegions(sources: RegionSources): RegionsConfig | undefined {
  const { number, optional, file, originOf } = sources;
  const name = optional("regions.name");
  const { tenants = [] } = file ?? {};
  if (name === undefined) {
    if (tenants.length === 0) return undefined;
    throw refuse(
      originOf(["regions"]),
      "Accounts are shared, and this region has no name.",
      "Set `regions.name`.",
    );
  }
  const peers = readPeers(sources, name);
  const homes = new Map<TenantId, string>();
  tenants.forEach(({ id, home }, index) => {
    const where = originOf(["regions", "tenants", index]);
    // The schema of the file holds the pattern that makes a text a tenant id.
    const tenantId = id as TenantId;
    if (homes.has(tenantId))
      throw refuse(where, `Tenant \`${id}\` stands twice.`, "Leave one of the two out.");
    const isReachable = peers.some((peer) => peer.name === home && peer.url !== undefined);
    if (home !== name && !isReachable)
      throw refuse(
        where,
        `The home \`${home}\` of tenant \`${id}\` is neither this region nor a peer with a URL.`,
        "Name it under `regions.peers`, with its `url`.",
      );
    homes.set(tenantId, home);
  });
  return {
    name,
    peers,
    homes,
    keepMicros: BigInt(number("regions.keepMicros")),
    intervalMs: number("regions.intervalMs"),
  };
}

function readPeers(
  { file, environment, originOf }: RegionSources,
  own: string,
): RegionsConfig["peers"] {
  const seen = new Set([own]);
  return (file?.peers ?? []).map(({ name, url, keyEnvironment }, index) => {
    const where = (field: string): string => originOf(["regions", "peers", index, field]);
    if (seen.has(name))
      throw refuse(
        where("name"),
        `Two regions are named \`${name}\`.`,
        "Give each a name of its own.",
      );
    seen.add(name);
    const key = environment[keyEnvironment] ?? "";
    if (key.length < keyLengthMin)
      throw refuse(
        where("keyEnvironment"),
        `The key of region \`${name}\` is taken from ${keyEnvironment}, which has ${key.length} characters.`,
        `Set ${keyEnvironment} to ${keyLengthMin} random characters or more, the same in both regions.`,
      );
    const isUrl = url === undefined || /^https?:\/\/[^/]+$/.test(url.replace(/\/$/, ""));
    if (!isUrl)
      throw refuse(
        where("url"),
        `\`${url}\` is no address.`,
        "For example https://eu.example.org.",
      );
    return { name, url: url?.replace(/\/$/, ""), key };
  });
}

function refuse(where: string, message: string, hint: string): PlatformError {
  return new PlatformError("configuration_invalid", `${where}: ${message}`, { where, hint });
}
