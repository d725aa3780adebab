/** The one typed, defaulted configuration of a running platform. */

import type { PriorityClass, TenantId } from "@faultline/protocol";

import type { ComputeConfig } from "./compute-config.ts";
import type { RegionsConfig } from "./regions-config.ts";
import type { LimitsConfig } from "./limits-config.ts";
import type { DispatchConfig } from "./dispatch-config.ts";

/** Where a value came from. */
export type SettingOrigin =
  | { readonly kind: "default" }
  | { readonly kind: "file"; readonly where: string }
  | { readonly kind: "environment"; readonly name: string }
  | { readonly kind: "flag"; readonly name: string };

/** One setting as `faultline doctor` shows it. */
export interface SettingReport {
  readonly name: string;
  /** Secrets are shown as `set`. */
  readonly value: string;
  readonly origin: SettingOrigin;
}

/** US dollars × 10⁻⁶ per million tokens. */
export interface ConfiguredPrice {
  readonly inputMicrosPerMillionTokens: bigint;
  readonly outputMicrosPerMillionTokens: bigint;
  readonly cachedInputMicrosPerMillionTokens: bigint;
  /** For output that the model thinks and does not say; absent: as other output. */
  readonly reasoningMicrosPerMillionTokens?: bigint;
  /** What calls of a priority cost, in percent of the price; a class that is absent costs 100. */
  readonly priorityPercents?: Readonly<Partial<Record<PriorityClass, number>>>;
}

/** A price that takes the place of the one before it at a moment, in milliseconds since the Unix epoch. */
export type PriceChange = ConfiguredPrice & { readonly validFromMs: number };

export interface ModelConfig {
  /** What callers send. */
  readonly name: string;
  /** What the provider knows. */
  readonly upstreamName: string;
  /** Absent when the file gives none: then the built-in price table decides. */
  readonly price: ConfiguredPrice | undefined;
  /** What follows it, in no order. */
  readonly priceChanges?: readonly PriceChange[];
}

/** How a simulated provider behaves when a request does not say otherwise. */
export interface SimulationConfig {
  readonly seed: string;
  readonly firstTokenMs: number;
  readonly tokensPerSecond: number;
  readonly errorRatio: number;
  readonly stallRatio: number;
  readonly cutRatio: number;
}

/** What may be asked of a model: OpenAI's surfaces, and Anthropic's from `messages` on. */
export const surfaceNames = [
  "chat",
  "responses",
  "completions",
  "embeddings",
  "messages",
  "count-tokens",
] as const;
export type SurfaceName = (typeof surfaceNames)[number];

/** The two names that servers of chat completions have for the limit of output tokens. */
export const tokenLimitFields = ["max_tokens", "max_completion_tokens"] as const;
export type TokenLimitField = (typeof tokenLimitFields)[number];

export type ProviderConfig =
  | {
      /** The wire format that it speaks. */
      readonly kind: "openai" | "anthropic";
      readonly name: string;
      /** Without a slash at the end. */
      readonly baseUrl: string;
      readonly apiKeyEnvironment: string | undefined;
      /** The value of that variable. Never logged, never in a span. */
      readonly apiKey: string | undefined;
      /** What it serves itself; what is asked in another surface is translated. Absent: what its kind serves. */
      readonly surfaces?: readonly SurfaceName[];
      /** Behind the base URL, with `{model}` and `{path}`; absent: the path alone. */
      readonly pathTemplate?: string;
      /** In lower case; absent: that of its kind. */
      readonly keyHeader?: string;
      /** How it calls the limit of tokens of a chat completion; absent: as its host does. */
      readonly tokenLimitField?: TokenLimitField;
      readonly models: readonly ModelConfig[];
    }
  | {
      readonly kind: "simulated";
      readonly name: string;
      readonly simulation: SimulationConfig;
      readonly models: readonly ModelConfig[];
    };

export interface TenantConfig {
  readonly id: TenantId;
  readonly capture: "metadata" | "content";
}

export interface Config {
  /** Absolute. */
  readonly dataFolder: string;
  readonly host: string;
  readonly port: number;
  readonly publicUrl: URL | undefined;
  readonly workerCount: number;
  readonly databaseUrl: string | undefined;
  readonly log: {
    readonly level: "debug" | "info" | "warn" | "error";
    readonly format: "auto" | "json" | "pretty";
  };
  readonly store: { readonly retentionDays: number; readonly sizeBytesMax: number };
  readonly otlp: {
    readonly bodyBytesMax: number;
    readonly unpackedBytesMax: number;
    readonly recordCountMax: number;
  };
  readonly gateway: {
    readonly bodyBytesMax: number;
    readonly headerBytesMax: number;
    readonly depthMax: number;
    readonly messageCountMax: number;
    readonly toolCountMax: number;
    readonly imageCountMax: number;
    /** Proxies before the gateway that write `x-forwarded-for`. */
    readonly proxyCount: number;
    readonly concurrencyMax: number;
    readonly queueMs: number;
    readonly connectMs: number;
    readonly firstTokenMs: number;
    readonly stallMs: number;
    readonly totalMs: number;
    readonly dispatch: DispatchConfig;
    readonly streamRetentionMs: number;
    readonly streamBytesMax: number;
    readonly idempotencyMs: number;
    readonly idempotencyBytesMax: number;
    readonly cacheMs: number;
    readonly cacheBytesMax: number;
    readonly captureRatios: Readonly<Record<string, number>>;
  };
  readonly limits: LimitsConfig;
  readonly compute: ComputeConfig;
  /** Absent where accounts are in one region alone. */
  readonly regions: RegionsConfig | undefined;
  readonly ledger: {
    /** Whether scheduled reconciliation makes the entries that it proposes. */
    readonly appliesProposals: boolean;
  };
  readonly webhooks: {
    /** Whether they may lead to addresses that are not of the internet, and go without TLS. */
    readonly allowsPrivate: boolean;
    /** The first seals secrets, the others open what they sealed; none: secrets are kept as they are. */
    readonly secretKeys: readonly { readonly id: string; readonly key: Buffer }[];
  };
  readonly providers: readonly ProviderConfig[];
  /** Tenants that differ from the defaults. */
  readonly tenants: readonly TenantConfig[];
  /** The file that was read, absolute; absent when the defaults stand alone. */
  readonly file: string | undefined;
  readonly settings: readonly SettingReport[];
}
