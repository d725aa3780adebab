/** The schema of `faultline.yaml`: every setting with its bounds, its default and what it does. */

import { type Static, Type } from "typebox";

import { tenantIdPattern } from "@faultline/protocol";

import { ComputeSettings } from "./compute-schema.ts";
import { BreakerSettings, ConcurrencySettings, RetrySettings } from "./dispatch-schema.ts";
import { LimitSettings } from "./limit-schema.ts";
import { ModelSettings } from "./price-schema.ts";
import { RegionSettings } from "./regions-schema.ts";
import { choice, closed, group, text, whole } from "./schema-fields.ts";
import { WebhookSettings } from "./webhook-schema.ts";

import { surfaceNames, tokenLimitFields } from "./config.ts";

/** How the simulated provider behaves when a request does not say otherwise. */
export const SimulationSettings = Type.Object(
  {
    seed: text({
      default: "faultline",
      description: "The same seed and request give the same text.",
      maxLength: 256,
    }),
    firstTokenMs: whole({
      minimum: 0,
      maximum: 600_000,
      default: 120,
      description: "Latency to the first token.",
    }),
    tokensPerSecond: Type.Optional(
      Type.Number({
        minimum: 0.1,
        maximum: 1_000_000,
        default: 80,
        description: "Pace of a streamed answer.",
      }),
    ),
    errorRatio: ratio("Share of requests answered with an error."),
    stallRatio: ratio("Share of streams that stop without ending."),
    cutRatio: ratio("Share of streams whose connection breaks."),
  },
  closed,
);

function ratio(description: string, fallback = 0) {
  return Type.Optional(Type.Number({ minimum: 0, maximum: 1, default: fallback, description }));
}

export const ProviderSettings = Type.Object(
  {
    name: Type.String({
      pattern: "^[a-z][a-z0-9-]{0,63}$",
      description: "How errors, spans and prices name it.",
    }),
    kind: Type.Union(
      [Type.Literal("openai"), Type.Literal("anthropic"), Type.Literal("simulated")],
      {
        description:
          "The wire format: `openai` (vLLM, Ollama, llama.cpp and Azure too) or `anthropic`; `simulated` is built in and no language model.",
      },
    ),
    baseUrl: text({
      description:
        "Where the API is: https://api.openai.com/v1 or https://api.anthropic.com/v1, for example.",
      maxLength: 2_048,
    }),
    surfaces: Type.Optional(
      Type.Array(Type.Union(surfaceNames.map((surface) => Type.Literal(surface))), {
        maxItems: surfaceNames.length,
        description:
          "What it serves itself; the rest is translated where that is possible. Default: of `openai` chat, completions and embeddings, and responses at api.openai.com; of `anthropic` messages and count-tokens.",
      }),
    ),
    pathTemplate: text({
      description:
        "Behind the base URL, with `{path}` and `{model}`; of Azure for example `/deployments/{model}{path}?api-version=2024-10-21`.",
      pattern: "^/.*\\{path\\}",
      maxLength: 512,
    }),
    keyHeader: text({
      description:
        "The header that carries the key. Default: `authorization` as bearer, of `anthropic` `x-api-key`; of Azure `api-key`.",
      pattern: "^[a-z][a-z0-9-]{0,63}$",
      maxLength: 64,
    }),
    tokenLimitField: Type.Optional(
      Type.Union(
        tokenLimitFields.map((field) => Type.Literal(field)),
        {
          description:
            "How it calls the limit of output tokens in chat completions. Default: `max_completion_tokens` at api.openai.com and at Azure, whose newest models know no other; else `max_tokens`, since many servers ignore what they do not know.",
        },
      ),
    ),
    apiKeyEnvironment: text({
      description:
        "The environment variable that holds the provider's key; the key itself never stands here.",
      pattern: "^[A-Za-z_][A-Za-z0-9_]*$",
      maxLength: 128,
    }),
    local: Type.Optional(
      Type.Boolean({ description: "Runs on own hardware: every model is priced 0." }),
    ),
    models: Type.Optional(
      Type.Array(ModelSettings, { maxItems: 500, description: "The models that it serves." }),
    ),
    simulation: Type.Optional(SimulationSettings),
  },
  closed,
);
export type ProviderSettings = Static<typeof ProviderSettings>;

export const TenantSettings = Type.Object(
  {
    id: Type.String({
      pattern: tenantIdPattern,
      description: "1 to 40 of a-z, 0-9 and hyphen, first a letter.",
    }),
    capture: choice(["metadata", "content"], {
      default: "metadata",
      description: "`content` puts prompts and answers into spans; `metadata` keeps them out.",
    }),
    captureRatio: ratio(
      "Share of traces whose content is captured, where `capture` is `content`.",
      1,
    ),
    weight: whole({
      minimum: 1,
      maximum: 1_000,
      default: 1,
      description: "Its share beside that of other tenants where calls have to wait.",
    }),
  },
  closed,
);
export type TenantSettings = Static<typeof TenantSettings>;

export const ConfigFile = Type.Object(
  {
    dataFolder: text({
      default: ".faultline",
      description: "Where records, blobs and the lock live.",
    }),
    host: text({ default: "127.0.0.1", description: "The address to listen on.", maxLength: 255 }),
    port: whole({
      minimum: 1,
      maximum: 65_535,
      default: 4_600,
      description: "The one port of the platform.",
    }),
    publicUrl: text({
      description: "The URL under which browsers reach the platform when a proxy stands before it.",
      maxLength: 2_048,
    }),
    workers: whole({
      minimum: 1,
      maximum: 256,
      description: "Gateway processes; default: cores − 1, at least 1.",
    }),
    databaseUrl: text({ description: "A PostgreSQL ≥ 15 to use instead of the embedded one." }),
    log: group({
      level: choice(["debug", "info", "warn", "error"], {
        default: "info",
        description: "The least severe line that is written.",
      }),
      format: choice(["auto", "json", "pretty"], {
        default: "auto",
        description: "`auto` is pretty on a terminal, else JSON lines.",
      }),
    }),
    store: group({
      retentionDays: whole({
        minimum: 1,
        maximum: 3_650,
        default: 14,
        description: "Telemetry older than this is dropped.",
      }),
      sizeMegabytesMax: whole({
        minimum: 64,
        maximum: 100_000_000,
        default: 10_240,
        description: "The size cap of telemetry; the oldest day goes first.",
      }),
    }),
    otlp: group({
      bodyMegabytesMax: whole({
        minimum: 1,
        maximum: 256,
        default: 16,
        description: "The body of one export as sent.",
      }),
      unpackedMegabytesMax: whole({
        minimum: 1,
        maximum: 1_024,
        default: 64,
        description: "The body of one export after gzip.",
      }),
      recordCountMax: whole({
        minimum: 1,
        maximum: 1_000_000,
        default: 50_000,
        description: "Spans, log records or points in one export.",
      }),
    }),
    gateway: group({
      bodyMegabytesMax: whole({
        minimum: 1,
        maximum: 256,
        default: 32,
        description: "The body of one model call.",
      }),
      headerKilobytesMax: whole({
        minimum: 8,
        maximum: 1_024,
        default: 32,
        description: "All header lines of one request; taken over when the process starts.",
      }),
      depthMax: whole({
        minimum: 8,
        maximum: 1_000,
        default: 128,
        description: "How deep values may be nested in the body of a model call.",
      }),
      messageCountMax: whole({
        minimum: 1,
        maximum: 1_000_000,
        default: 10_000,
        description: "Messages in one model call.",
      }),
      toolCountMax: whole({
        minimum: 0,
        maximum: 100_000,
        default: 1_024,
        description: "Tools in one model call.",
      }),
      imageCountMax: whole({
        minimum: 0,
        maximum: 100_000,
        default: 1_000,
        description: "Images in one model call.",
      }),
      proxyCount: whole({
        minimum: 0,
        maximum: 10,
        default: 0,
        description:
          "Proxies before the gateway that add to x-forwarded-for; with 0 the header is not read.",
      }),
      concurrencyMax: whole({
        minimum: 1,
        maximum: 100_000,
        default: 1_024,
        description: "Model calls at once in one gateway process.",
      }),
      queueMs: whole({
        minimum: 1,
        maximum: 600_000,
        default: 10_000,
        description: "Deadline for a free place.",
      }),
      connectMs: whole({
        minimum: 1,
        maximum: 600_000,
        default: 5_000,
        description: "Deadline for a connection to the provider.",
      }),
      firstTokenMs: whole({
        minimum: 1,
        maximum: 3_600_000,
        default: 120_000,
        description: "Deadline for the provider's first byte of content.",
      }),
      stallMs: whole({
        minimum: 1,
        maximum: 3_600_000,
        default: 60_000,
        description: "Longest silence within a stream.",
      }),
      totalMs: whole({
        minimum: 1,
        maximum: 86_400_000,
        default: 900_000,
        description: "Deadline for a whole model call.",
      }),
      streamRetentionMinutes: whole({
        minimum: 1,
        maximum: 43_200,
        default: 60,
        description: "How long a durable stream can be read after its end.",
      }),
      streamMegabytesMax: whole({
        minimum: 64,
        maximum: 1_048_576,
        default: 256,
        description: "Disk for the durable streams of one gateway process.",
      }),
      idempotencyHours: whole({
        minimum: 1,
        maximum: 720,
        default: 24,
        description: "How long an Idempotency-Key stands for the call that it was sent with.",
      }),
      idempotencyMegabytesMax: whole({
        minimum: 64,
        maximum: 1_048_576,
        default: 256,
        description:
          "Disk for the replies of calls with an Idempotency-Key, in one of its 8 parts.",
      }),
      cacheSeconds: whole({
        minimum: 1,
        maximum: 86_400,
        default: 300,
        description: "Age up to which a cached reply answers a call that names no age.",
      }),
      cacheMegabytesMax: whole({
        minimum: 0,
        maximum: 65_536,
        default: 64,
        description: "Memory for cached replies in one gateway process.",
      }),
      retries: RetrySettings,
      breaker: BreakerSettings,
      concurrency: ConcurrencySettings,
    }),
    limits: LimitSettings,
    compute: ComputeSettings,
    regions: RegionSettings,
    ledger: group({
      reconciliation: choice(["propose", "apply"], {
        default: "propose",
        description:
          "Whether the hourly comparison of the books only proposes entries that would settle what differs, or makes them too.",
      }),
    }),
    webhooks: WebhookSettings,
    providers: Type.Optional(
      Type.Array(ProviderSettings, { maxItems: 100, description: "Where models are served." }),
    ),
    tenants: Type.Optional(
      Type.Array(TenantSettings, {
        maxItems: 10_000,
        description: "What differs from the defaults for a tenant.",
      }),
    ),
  },
  { ...closed, $id: "faultline-config", title: "faultline.yaml" },
);
export type ConfigFile = Static<typeof ConfigFile>;
