/** Providers that the environment suggests but the configuration does not name: noticed at start and offered. */

import { parseForeignJson } from "@faultline/contracts/json";

import type { Config } from "./config.ts";
import type { Environment } from "./providers.ts";

export interface ProviderOffer {
  /** What was noticed, one sentence. */
  readonly noticed: string;
  /** Lines for `providers:` of `faultline.yaml`. */
  readonly yaml: string;
}

/** Where a local Ollama listens unless told otherwise. */
export const ollamaAddress = "http://127.0.0.1:11434";
const ollamaProbeMsMax = 300;
const ollamaModelCountMax = 20;
const ollamaReplyBytesMax = 1_048_576;

const wellKnown = [
  {
    variable: "OPENAI_API_KEY",
    yaml: `  - name: openai
    kind: openai
    baseUrl: https://api.openai.com/v1
    apiKeyEnvironment: OPENAI_API_KEY
    models: [{ name: gpt-5-mini }]`,
  },
  {
    variable: "ANTHROPIC_API_KEY",
    yaml: `  - name: anthropic
    kind: anthropic
    baseUrl: https://api.anthropic.com/v1
    apiKeyEnvironment: ANTHROPIC_API_KEY
    models: [{ name: claude-sonnet-4-5 }]`,
  },
] as const;

/** Nothing is enabled by it: a key in the environment is no consent to spend. */
export async function noticeProviders(
  config: Pick<Config, "providers">,
  signal: AbortSignal,
  sources: { environment?: Environment; ollamaAddress?: string } = {},
): Promise<ProviderOffer[]> {
  const environment = sources.environment ?? process.env;
  const used = new Set(
    config.providers.flatMap((provider) =>
      provider.kind === "simulated" ? [] : [provider.apiKeyEnvironment],
    ),
  );
  const offers: ProviderOffer[] = wellKnown
    .filter(({ variable }) => (environment[variable] ?? "") !== "" && !used.has(variable))
    .map(({ variable, yaml }) => ({ noticed: `${variable} is set.`, yaml }));

  const address = sources.ollamaAddress ?? ollamaAddress;
  const named = config.providers.some(
    (provider) => provider.kind === "openai" && provider.baseUrl.startsWith(address),
  );
  const models = named ? undefined : await listOllamaModels(address, signal);
  if (models !== undefined) offers.push(offerOllama(address, models));
  return offers;
}

function offerOllama(address: string, models: readonly string[]): ProviderOffer {
  const list = models.map((name) => `{ name: ${JSON.stringify(name)} }`).join(", ");
  return {
    noticed: `Ollama answers at ${address}.`,
    yaml: `  - name: ollama
    kind: openai
    baseUrl: ${address}/v1
    local: true # priced 0
    models: [${list}]`,
  };
}

/** The names of the models, or `undefined` when no Ollama answers in time. */
async function listOllamaModels(
  address: string,
  signal: AbortSignal,
): Promise<string[] | undefined> {
  try {
    const response = await fetch(`${address}/api/tags`, {
      signal: AbortSignal.any([signal, AbortSignal.timeout(ollamaProbeMsMax)]),
    });
    const text = await response.text();
    if (!response.ok || text.length > ollamaReplyBytesMax) return undefined;
    const reply: unknown = parseForeignJson(text);
    if (
      typeof reply !== "object" ||
      reply === null ||
      !("models" in reply) ||
      !Array.isArray(reply.models)
    )
      return undefined;
    return reply.models
      .flatMap((model: unknown) =>
        typeof model === "object" &&
        model !== null &&
        "name" in model &&
        typeof model.name === "string"
          ? [model.name]
          : [],
      )
      .slice(0, ollamaModelCountMax);
  } catch {
    // No answer, or none of Ollama's: there is nothing to offer.
    return undefined;
  }
}
