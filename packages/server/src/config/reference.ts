/** The generated reference of the settings, as text. */

import type { ConfigSchema } from "./check-value.ts";
import {
  ComputeNodeSettings,
  ComputePriceSettings,
  ComputeQuotaSettings,
} from "./compute-schema.ts";
import { RegionPeerSettings, RegionTenantSettings } from "./regions-schema.ts";
import { ConfigFile, ProviderSettings, SimulationSettings, TenantSettings } from "./file-schema.ts";
import { ModelSettings, PriceChangeSettings, PriorityPercentSettings } from "./price-schema.ts";
import { NamedLimitSettings, TenantLimitSettings } from "./limit-schema.ts";
import { scalarSettings } from "./settings.ts";
import { WebhookKeySettings } from "./webhook-schema.ts";

/** The page that lists every setting with its flag, its environment name, its bounds and its default. */
export function settingsReference(): string {
  const scalars = scalarSettings.map(({ name, schema, flag, environmentName }) => {
    const flagText = flag === undefined ? "" : `\`--${flag}\``;
    return `| \`${name}\` | ${flagText} | \`${environmentName}\` | ${boundsOf(schema)} | ${defaultOf(schema)} | ${schema.description ?? ""} |`;
  });
  return `# Settings

Flags win over the environment, the environment over \`faultline.yaml\`, and the file over the defaults. The file is
\`faultline.yaml\` of the working folder, or the one that \`--config\` or \`FAULTLINE_CONFIG\` names. A name that is not known and
a value that does not fit are refused at the start, with file and line. \`faultline doctor\` shows every value and where it
came from. \`faultline.schema.json\` beside this page describes the file for editors.

This page is generated from \`packages/server/src/config/file-schema.ts\` by \`node packages/server/src/http/generate-openapi.ts\`.

| in the file | flag | environment | values | default | meaning |
| --- | --- | --- | --- | --- | --- |
${scalars.join("\n")}

${listSection("providers", "Where models are served. Without this section, the provider `simulated` alone.", ProviderSettings)}
${listSection("providers[].models", "The models of one provider.", ModelSettings)}
${listSection("providers[].models[].priorityPercents", "What calls cost, in percent of the price, by the priority of their key.", PriorityPercentSettings)}
${listSection("providers[].models[].priceChanges", "Prices that follow, each from a moment on; `priorityPercents` as above. A call costs what was valid when it was admitted.", PriceChangeSettings)}
${listSection("providers[].simulation", "For providers of kind `simulated`: what a request does not ask for itself.", SimulationSettings)}
${listSection("tenants", "Tenants that differ from the defaults; those that do not exist are created.", TenantSettings)}
${listSection("limits.models", "Limits of each model, as `provider/model`. The first entry that fits counts.", NamedLimitSettings)}
${listSection("limits.providers", "Limits of each provider. The first entry that fits counts.", NamedLimitSettings)}
${listSection("limits.tenants", "Tenants whose limits differ from `limits.tenant`; `user` in an entry, with the same fields, holds those of each of their users.", TenantLimitSettings)}
${listSection("compute.nodes", "The machines that jobs run on, each with devices of one kind.", ComputeNodeSettings)}
${listSection("compute.quotas", "What tenants may hold at once. What is not named is not limited.", ComputeQuotaSettings)}
${listSection("regions.peers", "Other regions that accounts are shared with.", RegionPeerSettings)}
${listSection("regions.tenants", "Tenants whose accounts are shared, and where each is at home.", RegionTenantSettings)}
${listSection("webhooks.secretKeys", "Keys that the secrets of webhooks are sealed with in the database: the first seals, the others open what they sealed. Without any, secrets are kept as they are.", WebhookKeySettings)}
${listSection("compute.prices", "What kinds of devices cost. Jobs on a kind without a price are refused.", ComputePriceSettings)}`;
}

/** The JSON Schema of `faultline.yaml`. */
export function settingsSchema(): string {
  const schema = { $schema: "https://json-schema.org/draft/2020-12/schema", ...ConfigFile };
  return `${JSON.stringify(schema, undefined, 2)}\n`;
}

function listSection(name: string, meaning: string, schema: ConfigSchema): string {
  const rows = Object.entries(schema.properties ?? {})
    .filter(([, property]) => property.type !== "object" && property.type !== "array")
    .map(([field, property]) => {
      const needed = schema.required?.includes(field) === true ? "needed" : defaultOf(property);
      return `| \`${field}\` | ${boundsOf(property)} | ${needed} | ${property.description ?? ""} |`;
    });
  return `## \`${name}\`

${meaning}

| field | values | default | meaning |
| --- | --- | --- | --- |
${rows.join("\n")}
`;
}

function boundsOf(schema: ConfigSchema): string {
  if (schema.anyOf !== undefined)
    return schema.anyOf.map((choice) => `\`${choice.const}\``).join(", ");
  if (schema.type === "integer" || schema.type === "number")
    return `${schema.minimum} to ${schema.maximum}`;
  return schema.type === "boolean" ? "`true`, `false`" : "text";
}

function defaultOf(schema: ConfigSchema): string {
  return typeof schema.default === "string" || typeof schema.default === "number"
    ? `\`${schema.default}\``
    : "";
}
