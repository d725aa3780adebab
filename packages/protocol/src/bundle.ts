/**
 * A behaviour bundle: how an application talks to models, as one document. Its identity is the SHA-256 of its canonical JSON;
 * a version of it never changes.
 */

import { type Static, Type } from "typebox";

/** Bounds of one document. */
export const bundleLimits = {
  /** Of the canonical JSON of the whole document. */
  documentBytesMax: 262_144,
  targetCountMax: 16,
  toolCountMax: 128,
  /** Of the canonical JSON of one tool's parameters. */
  toolParametersBytesMax: 32_768,
  variableCountMax: 32,
  ruleCountMax: 64,
  promptLengthMax: 65_536,
  patternLengthMax: 1_000,
  expressionLengthMax: 4_096,
  deadlineMsMax: 3_600_000,
} as const;

/** Names of bundles and aliases: what stands in the `model` field of a request. */
export const bundleNamePattern = "^[a-z][a-z0-9._-]{0,63}$";
/** `sha256:` and 64 hexadecimal digits. */
export const bundleHashPattern = "^sha256:[0-9a-f]{64}$";

const text = (maxLength: number, description: string) =>
  Type.String({ minLength: 1, maxLength, description });
const closed = { additionalProperties: false } as const;

/** What a target can do. A fallback goes only to a target that says that it can do what the request needs. */
export const TargetSupport = Type.Object(
  {
    contextTokens: Type.Optional(Type.Integer({ minimum: 1, maximum: 100_000_000 })),
    tools: Type.Optional(Type.Boolean()),
    vision: Type.Optional(Type.Boolean()),
    jsonSchema: Type.Optional(Type.Boolean()),
    /** Names of safety policies under which the target stands, such as a moderation of its provider. */
    safety: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 64 }), { maxItems: 16 }),
    ),
  },
  closed,
);
export type TargetSupport = Static<typeof TargetSupport>;

export const BundleTarget = Type.Object(
  {
    model: text(256, "a model of the catalog, as `provider/name` or by its bare name"),
    /** Share among the targets of one order; 0 takes no traffic except as a fallback. Default 1. */
    weight: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000 })),
    /** Lower ones are tried first. Default 0. */
    order: Type.Optional(Type.Integer({ minimum: 0, maximum: 100 })),
    when: Type.Optional(
      text(
        bundleLimits.expressionLengthMax,
        "CEL over `request` and `key`; true makes it a candidate",
      ),
    ),
    supports: Type.Optional(TargetSupport),
  },
  closed,
);
export type BundleTarget = Static<typeof BundleTarget>;

/** Parameters of the model, by one name whatever the dialect calls them. */
export const ModelParameters = Type.Object(
  {
    temperature: Type.Optional(Type.Number({ minimum: 0, maximum: 2 })),
    topP: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
    maxTokens: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000_000 })),
    stop: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 256 }), { minItems: 1, maxItems: 4 }),
    ),
    seed: Type.Optional(
      Type.Integer({ minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER }),
    ),
    frequencyPenalty: Type.Optional(Type.Number({ minimum: -2, maximum: 2 })),
    presencePenalty: Type.Optional(Type.Number({ minimum: -2, maximum: 2 })),
    reasoningEffort: Type.Optional(
      Type.Union([
        Type.Literal("minimal"),
        Type.Literal("low"),
        Type.Literal("medium"),
        Type.Literal("high"),
      ]),
    ),
    parallelToolCalls: Type.Optional(Type.Boolean()),
  },
  closed,
);
export type ModelParameters = Static<typeof ModelParameters>;

/** Where the value of a variable comes from: a header of the request, or an entry of its `metadata`. */
export const VariableSource = Type.Union([
  Type.Object({ header: Type.String({ pattern: "^[a-z0-9-]{1,64}$" }) }, closed),
  Type.Object({ metadata: Type.String({ minLength: 1, maxLength: 64 }) }, closed),
]);
export type VariableSource = Static<typeof VariableSource>;

export const PromptVariable = Type.Object(
  {
    name: Type.String({ pattern: "^[a-z][A-Za-z0-9_]{0,63}$" }),
    from: VariableSource,
    /** Longest value, in characters. Default 256. */
    lengthMax: Type.Optional(Type.Integer({ minimum: 1, maximum: 8_192 })),
    /** Without it, a request that lacks the value is refused. */
    default: Type.Optional(Type.String({ maxLength: 8_192 })),
  },
  closed,
);
export type PromptVariable = Static<typeof PromptVariable>;

export const SystemPrompt = Type.Object(
  {
    text: text(bundleLimits.promptLengthMax, "the prompt, with variables as `{{ name }}`"),
    variables: Type.Optional(
      Type.Array(PromptVariable, { maxItems: bundleLimits.variableCountMax }),
    ),
  },
  closed,
);
export type SystemPrompt = Static<typeof SystemPrompt>;

export const BundleTool = Type.Object(
  {
    name: Type.String({ pattern: "^[A-Za-z0-9_-]{1,64}$" }),
    description: Type.Optional(Type.String({ maxLength: 8_192 })),
    /** A JSON schema. */
    parameters: Type.Record(Type.String({ maxLength: 64 }), Type.Unknown(), { maxProperties: 64 }),
    strict: Type.Optional(Type.Boolean()),
  },
  closed,
);
export type BundleTool = Static<typeof BundleTool>;

/** Kept with the version for the time at which retrieval runs; nothing reads it yet. */
export const RetrievalSettings = Type.Object(
  {
    collections: Type.Array(Type.String({ minLength: 1, maxLength: 128 }), {
      minItems: 1,
      maxItems: 16,
    }),
    topK: Type.Optional(Type.Integer({ minimum: 1, maximum: 200 })),
    scoreMin: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
  },
  closed,
);
export type RetrievalSettings = Static<typeof RetrievalSettings>;

const secretKinds = [
  "api-key",
  "bearer-token",
  "private-key",
  "password-field",
  "url-password",
] as const;
const personalKinds = ["email", "phone", "payment-card", "iban", "us-ssn"] as const;
export type SecretKind = (typeof secretKinds)[number];
export type PersonalKind = (typeof personalKinds)[number];
const oneOf = <const K extends string>(kinds: readonly K[]) =>
  Type.Unsafe<K>(Type.Union(kinds.map((kind) => Type.Literal(kind))));

/** What a rule looks for. */
export const RuleMatch = Type.Union([
  Type.Object(
    {
      kind: Type.Literal("pattern"),
      pattern: text(bundleLimits.patternLengthMax, "a regular expression in the syntax of RE2"),
    },
    closed,
  ),
  Type.Object(
    {
      kind: Type.Literal("secrets"),
      kinds: Type.Optional(Type.Array(oneOf(secretKinds), { minItems: 1, maxItems: 8 })),
    },
    closed,
  ),
  Type.Object(
    {
      kind: Type.Literal("personal-data"),
      kinds: Type.Optional(Type.Array(oneOf(personalKinds), { minItems: 1, maxItems: 8 })),
    },
    closed,
  ),
  /** Links to hosts that are not allowed; `*.example.org` allows the hosts below it. */
  Type.Object(
    {
      kind: Type.Literal("links"),
      allowedHosts: Type.Array(Type.String({ pattern: "^(?:\\*\\.)?[a-z0-9.-]{1,253}$" }), {
        maxItems: 64,
      }),
    },
    closed,
  ),
]);
export type RuleMatch = Static<typeof RuleMatch>;

export const SafetyRule = Type.Object(
  {
    id: Type.String({ pattern: "^[a-z][a-z0-9-]{0,63}$" }),
    match: RuleMatch,
    action: Type.Union([Type.Literal("refuse"), Type.Literal("redact")]),
    /** Matches that are allowed: a text as it stands, whatever the case of its letters. */
    allow: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 256 }), { maxItems: 64 }),
    ),
    /** Stands for what was taken out. Default `[redacted]`. */
    replacement: Type.Optional(Type.String({ maxLength: 64 })),
  },
  closed,
);
export type SafetyRule = Static<typeof SafetyRule>;

export const SafetyPolicy = Type.Object(
  {
    /** On what the caller sends. */
    input: Type.Optional(Type.Array(SafetyRule, { maxItems: bundleLimits.ruleCountMax })),
    /** On what the model says. */
    output: Type.Optional(Type.Array(SafetyRule, { maxItems: bundleLimits.ruleCountMax })),
    tools: Type.Optional(
      Type.Object(
        {
          /** The only tools that the model may call. */
          allowed: Type.Optional(
            Type.Array(Type.String({ minLength: 1, maxLength: 64 }), {
              maxItems: bundleLimits.toolCountMax,
            }),
          ),
          /** Calls of tools in one answer. */
          callCountMax: Type.Optional(Type.Integer({ minimum: 0, maximum: 128 })),
        },
        closed,
      ),
    ),
  },
  closed,
);
export type SafetyPolicy = Static<typeof SafetyPolicy>;

const milliseconds = Type.Integer({ minimum: 1, maximum: bundleLimits.deadlineMsMax });

/** Deadlines in milliseconds. They shorten what the configuration allows, and never lengthen it. */
export const BundleDeadlines = Type.Object(
  {
    queueMs: Type.Optional(milliseconds),
    connectMs: Type.Optional(milliseconds),
    firstTokenMs: Type.Optional(milliseconds),
    interTokenMs: Type.Optional(milliseconds),
    totalMs: Type.Optional(milliseconds),
  },
  closed,
);
export type BundleDeadlines = Static<typeof BundleDeadlines>;

export const BundleStream = Type.Object(
  {
    /** Streams outlive their connection and can be resumed. */
    durable: Type.Optional(Type.Boolean()),
    cache: Type.Optional(
      Type.Object({ ttlSeconds: Type.Integer({ minimum: 1, maximum: 2_592_000 }) }, closed),
    ),
  },
  closed,
);
export type BundleStream = Static<typeof BundleStream>;

export const BundleDocument = Type.Object(
  {
    description: Type.Optional(Type.String({ maxLength: 2_000 })),
    targets: Type.Array(BundleTarget, { minItems: 1, maxItems: bundleLimits.targetCountMax }),
    parameters: Type.Optional(
      Type.Object(
        {
          /** Count where the caller sent none. */
          defaults: Type.Optional(ModelParameters),
          /** Count whatever the caller sent. */
          forced: Type.Optional(ModelParameters),
        },
        closed,
      ),
    ),
    systemPrompt: Type.Optional(SystemPrompt),
    tools: Type.Optional(Type.Array(BundleTool, { maxItems: bundleLimits.toolCountMax })),
    retrieval: Type.Optional(RetrievalSettings),
    safety: Type.Optional(SafetyPolicy),
    deadlines: Type.Optional(BundleDeadlines),
    stream: Type.Optional(BundleStream),
  },
  closed,
);
export type BundleDocument = Static<typeof BundleDocument>;
