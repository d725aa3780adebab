/** Turns the `providers:` section into typed providers, or refuses it with the line at fault. */

import { PlatformError } from "@faultline/protocol";

import type { ConfigSchema } from "./check-value.ts";
import type { ModelConfig, ProviderConfig, SimulationConfig } from "./config.ts";
import { type ProviderSettings, SimulationSettings } from "./file-schema.ts";
import { freeOfCharge, readPrices } from "./read-prices.ts";

/** The environment as the process was given it. */
export type Environment = Readonly<Record<string, string | undefined>>;

// Every setting of the simulation has a default in its schema.
const simulationDefaults = Object.fromEntries(
  Object.entries(SimulationSettings.properties).map(([name, schema]: [string, ConfigSchema]) => [
    name,
    schema.default,
  ]),
) as unknown as SimulationConfig;

/** What runs when the file names no provider. */
export const defaultProviders: readonly ProviderConfig[] = [
  {
    kind: "simulated",
    name: "simulated",
    simulation: simulationDefaults,
    models: [{ name: "simulated", upstreamName: "simulated", price: freeOfCharge }],
  },
];

/** Reads all providers. `originOf` gives the line of a path below `providers`. Throws `configuration_invalid`. */
export function readProviders(
  settings: readonly ProviderSettings[],
  environment: Environment,
  originOf: (path: readonly (string | number)[]) => string,
): ProviderConfig[] {
  const seen = new Map<string, number>();
  return settings.map((provider, index) => {
    const where = (...path: (string | number)[]): string => originOf(["providers", index, ...path]);
    const earlier = seen.get(provider.name);
    if (earlier !== undefined) {
      throw refuse(
        where("name"),
        `Two providers are named \`${provider.name}\`.`,
        "Give each provider a name of its own.",
      );
    }
    seen.set(provider.name, index);
    return provider.kind === "simulated"
      ? readSimulated(provider, where)
      : readRemote(provider, provider.kind, { environment, where });
  });
}

type Where = (...path: (string | number)[]) => string;

function readRemote(
  provider: ProviderSettings,
  kind: "openai" | "anthropic",
  { environment, where }: { readonly environment: Environment; readonly where: Where },
): ProviderConfig {
  if (provider.baseUrl === undefined) {
    throw refuse(
      where(),
      `Provider \`${provider.name}\` needs \`baseUrl\`.`,
      "For example https://api.openai.com/v1.",
    );
  }
  if (provider.simulation !== undefined) {
    throw refuse(
      where("simulation"),
      "`simulation` is for providers of kind `simulated`.",
      "Remove it.",
    );
  }
  const { apiKeyEnvironment } = provider;
  const apiKey = apiKeyEnvironment === undefined ? undefined : environment[apiKeyEnvironment];
  if (apiKeyEnvironment !== undefined && (apiKey === undefined || apiKey === "")) {
    throw refuse(
      where("apiKeyEnvironment"),
      `Provider \`${provider.name}\` takes its key from ${apiKeyEnvironment}, which is not set.`,
      `Set ${apiKeyEnvironment} in the environment of Faultline, or remove the provider.`,
    );
  }
  const { surfaces, pathTemplate, keyHeader, tokenLimitField } = provider;
  return {
    kind,
    name: provider.name,
    baseUrl: readBaseUrl(provider.baseUrl, where("baseUrl")),
    apiKeyEnvironment,
    apiKey,
    ...(surfaces === undefined ? {} : { surfaces }),
    ...(pathTemplate === undefined ? {} : { pathTemplate }),
    ...(keyHeader === undefined ? {} : { keyHeader }),
    ...(tokenLimitField === undefined ? {} : { tokenLimitField }),
    models: readModels(provider, where),
  };
}

function readSimulated(provider: ProviderSettings, where: Where): ProviderConfig {
  const foreign = (
    [
      "baseUrl",
      "apiKeyEnvironment",
      "surfaces",
      "pathTemplate",
      "keyHeader",
      "tokenLimitField",
    ] as const
  ).filter((name) => provider[name] !== undefined);
  if (foreign.length > 0) {
    throw refuse(
      where(),
      `A simulated provider has no ${foreign.map((name) => `\`${name}\``).join(" and no ")}.`,
      "Remove them.",
    );
  }
  const models = readModels({ ...provider, local: true }, where);
  return {
    kind: "simulated",
    name: provider.name,
    simulation: { ...simulationDefaults, ...provider.simulation },
    models:
      models.length > 0
        ? models
        : [{ name: provider.name, upstreamName: provider.name, price: freeOfCharge }],
  };
}

function readBaseUrl(text: string, where: string): string {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) {
    throw refuse(
      where,
      `\`${text}\` is not an http or https URL.`,
      "For example https://api.openai.com/v1.",
    );
  }
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    throw refuse(
      where,
      "`baseUrl` carries a credential, a query or a fragment.",
      "Name the key's variable with `apiKeyEnvironment`.",
    );
  }
  return url.href.replace(/\/+$/, "");
}

function readModels(provider: ProviderSettings, where: Where): ModelConfig[] {
  const seen = new Set<string>();
  return (provider.models ?? []).map((model, index) => {
    if (seen.has(model.name)) {
      throw refuse(
        where("models", index, "name"),
        `Provider \`${provider.name}\` lists \`${model.name}\` twice.`,
        "Remove one.",
      );
    }
    seen.add(model.name);
    return {
      name: model.name,
      upstreamName: model.upstreamName ?? model.name,
      ...readPrices(model, provider.local === true || model.local === true, (...path) =>
        where("models", index, ...path),
      ),
    };
  });
}

function refuse(where: string, message: string, hint: string): PlatformError {
  return new PlatformError("configuration_invalid", `${where}: ${message}`, { where, hint });
}
