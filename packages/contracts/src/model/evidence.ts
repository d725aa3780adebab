/** Evidence: an immutable record of what was seen, addressed by the SHA-256 of its canonical content. */

import { type Static, Type } from "typebox";

import { BundleContent } from "./bundle.ts";
import { ChangesContent } from "./changes.ts";
import { EvaluationContent } from "./evaluation.ts";
import { GoroutinesContent } from "./goroutines.ts";
import { IncidentContent } from "./incident.ts";
import { LedgerContent } from "./ledger.ts";
import { ModelReleaseContent } from "./model-release.ts";
import { OperatorsContent } from "./operators.ts";
import { OutputsContent } from "./outputs.ts";
import { ProfileContent } from "./profile.ts";
import { ResourcesContent } from "./resources.ts";
import { Attributes, Span } from "./span.ts";
import { TopologyContent } from "./topology.ts";
import { TrainingContent } from "./training.ts";

/** `sha256:` and 64 hexadecimal digits over the canonical JSON of the evidence's content. */
export const EvidenceId = Type.String({ pattern: "^sha256:[0-9a-f]{64}$" });
export type EvidenceId = Static<typeof EvidenceId>;

/** Where evidence came from: a file, standard input, a store. For people; contracts do not read it. */
export const EvidenceSource = Type.Object(
  {
    name: Type.String({ maxLength: 4_096 }),
    /** The recognised format, for example `otlp-json` or `kubernetes-yaml`. */
    format: Type.String({ maxLength: 64 }),
    /** What a reader cut, skipped or could not understand, one sentence each. */
    notes: Type.Array(Type.String(), { maxItems: 100 }),
  },
  { additionalProperties: false },
);
export type EvidenceSource = Static<typeof EvidenceSource>;

/** An object as the Kubernetes API gives it; contracts narrow what they read. */
export const KubernetesObject = Type.Object(
  {
    apiVersion: Type.String(),
    kind: Type.String(),
    metadata: Type.Object({
      name: Type.String(),
      namespace: Type.Optional(Type.String()),
    }),
  },
  { additionalProperties: true },
);
export type KubernetesObject = Static<typeof KubernetesObject> & {
  metadata: { [field: string]: unknown };
  [field: string]: unknown;
};

/** A tool as it was advertised to the model for one turn. */
export const ToolDefinition = Type.Object(
  {
    name: Type.String(),
    description: Type.Optional(Type.String()),
    /** JSON Schema 2020-12 of the arguments; absent when the transcript does not carry it. */
    inputSchema: Type.Optional(Type.Unknown()),
    /** What its server says that it does, by the names of the Model Context Protocol. */
    annotations: Type.Optional(
      Type.Object(
        {
          readOnlyHint: Type.Optional(Type.Boolean()),
          destructiveHint: Type.Optional(Type.Boolean()),
          idempotentHint: Type.Optional(Type.Boolean()),
          openWorldHint: Type.Optional(Type.Boolean()),
        },
        { additionalProperties: false },
      ),
    ),
    /** A person has to agree to each call before it is made. */
    requiresApproval: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false },
);
export type ToolDefinition = Static<typeof ToolDefinition>;

export const ToolCall = Type.Object(
  {
    /** The provider's call id; absent where the format has none. */
    callId: Type.Optional(Type.String()),
    name: Type.String(),
    /** The arguments as the model emitted them: text where the format carries text, else a value. */
    arguments: Type.Unknown(),
    /** The arguments that the tool was run with, where the source records them beside the emitted ones. */
    executedArguments: Type.Optional(Type.Unknown()),
    /** What policy or a person said to this call; `asked` until somebody answers. */
    approval: Type.Optional(
      Type.Union([Type.Literal("asked"), Type.Literal("granted"), Type.Literal("denied")]),
    ),
    /** Where in the source this stands, as a JSON pointer. */
    pointer: Type.String(),
  },
  { additionalProperties: false },
);
export type ToolCall = Static<typeof ToolCall>;

export const ToolResult = Type.Object(
  {
    callId: Type.Optional(Type.String()),
    name: Type.Optional(Type.String()),
    content: Type.Unknown(),
    isError: Type.Boolean(),
    /** The call was refused by policy or by a person and not run. */
    isDenied: Type.Optional(Type.Boolean()),
    pointer: Type.String(),
  },
  { additionalProperties: false },
);
export type ToolResult = Static<typeof ToolResult>;

/** One message of a transcript. `tools` is the set advertised when this turn was made, when known. */
export const TranscriptTurn = Type.Object(
  {
    role: Type.Union([
      Type.Literal("system"),
      Type.Literal("user"),
      Type.Literal("assistant"),
      Type.Literal("tool"),
    ]),
    text: Type.Optional(Type.String()),
    /** What the model was told beside the messages, on the first turn that it concerns. */
    instructions: Type.Optional(Type.String()),
    calls: Type.Array(ToolCall),
    results: Type.Array(ToolResult),
    tools: Type.Optional(Type.Array(ToolDefinition)),
    /** `tools` lacks some that were advertised: those of a provider or a server that lists them elsewhere. */
    areToolsPartial: Type.Optional(Type.Boolean()),
    /** The tools that this turn might call, where a policy or the request's tool choice says so. */
    allowedTools: Type.Optional(Type.Array(Type.String())),
    /** It holds what text cannot carry, such as an image, or goes on from what is stored elsewhere. */
    isPartlyRead: Type.Optional(Type.Boolean()),
    /** When it was said, in microseconds since 1970; absent where the source does not say. */
    timeMicros: Type.Optional(Type.Number({ minimum: 0 })),
    pointer: Type.String(),
  },
  { additionalProperties: false },
);
export type TranscriptTurn = Static<typeof TranscriptTurn>;

export const TraceContent = Type.Object(
  { kind: Type.Literal("trace"), traceId: Type.String(), spans: Type.Array(Span) },
  { additionalProperties: false },
);
export const KubernetesContent = Type.Object(
  {
    kind: Type.Literal("kubernetes"),
    objects: Type.Array(Type.Unsafe<KubernetesObject>(KubernetesObject)),
  },
  { additionalProperties: false },
);
export const TranscriptContent = Type.Object(
  { kind: Type.Literal("transcript"), turns: Type.Array(TranscriptTurn) },
  { additionalProperties: false },
);

/** How often an operation of the subject was seen: from when to when, in microseconds since 1970. */
export const OperationSeen = Type.Object(
  {
    name: Type.String(),
    traceCountSeen: Type.Integer({ minimum: 1 }),
    firstStartMicros: Type.Number(),
    lastStartMicros: Type.Number(),
  },
  { additionalProperties: false },
);
export type OperationSeen = Static<typeof OperationSeen>;

/** How the traces of a snapshot were chosen from what was there: the denominator of every claim about them. */
export const TracePopulationContent = Type.Object(
  {
    kind: Type.Literal("trace-population"),
    service: Type.String(),
    operation: Type.Optional(Type.String()),
    fromMicros: Type.Number(),
    toMicros: Type.Number(),
    /** Traces of the subject in the window, and how many of them the snapshot holds. */
    traceCountSeen: Type.Integer({ minimum: 0 }),
    traceCountKept: Type.Integer({ minimum: 0 }),
    /** Of the traces that were looked at, how many began with each operation; absent when nobody counted. */
    operations: Type.Optional(Type.Array(OperationSeen, { maxItems: 1_000 })),
    /** The share of requests that was recorded at all, when a sampler says so; absent when unknown. */
    samplingRatio: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
    /** Which traces were chosen because they are slow or failed, and which as a baseline. */
    slowTraceIds: Type.Array(Type.String()),
    baselineTraceIds: Type.Array(Type.String()),
  },
  { additionalProperties: false },
);

/** One metric of one thing over time. */
export const MetricSeries = Type.Object(
  {
    name: Type.String({ maxLength: 1_024 }),
    /** What tells it from other series of that name. */
    labels: Type.Record(Type.String(), Type.String()),
    /** In UCUM notation; absent when the source names none. */
    unit: Type.Optional(Type.String({ maxLength: 64 })),
    /** A counter only grows until its process starts anew. */
    type: Type.Union([Type.Literal("gauge"), Type.Literal("counter"), Type.Literal("unknown")]),
    /** Microseconds since 1970, ascending. A scrape without a time has none, and one value. */
    timesMicros: Type.Array(Type.Number({ minimum: 0 })),
    /** One for each time. What is not a finite number was left out with its time. */
    values: Type.Array(Type.Number()),
  },
  { additionalProperties: false },
);
export type MetricSeries = Static<typeof MetricSeries>;

export const MetricsContent = Type.Object(
  { kind: Type.Literal("metrics"), series: Type.Array(MetricSeries) },
  { additionalProperties: false },
);

export const LogSeverity = Type.Union([
  Type.Literal("trace"),
  Type.Literal("debug"),
  Type.Literal("info"),
  Type.Literal("warn"),
  Type.Literal("error"),
  Type.Literal("fatal"),
]);
export type LogSeverity = Static<typeof LogSeverity>;

/** One entry of a log: a line, or several that belong together, as a stack trace does. */
export const LogLine = Type.Object(
  {
    /** Microseconds since 1970; absent where the line does not say. */
    timeMicros: Type.Optional(Type.Number({ minimum: 0 })),
    severity: Type.Optional(LogSeverity),
    text: Type.String({ maxLength: 16_384 }),
    service: Type.Optional(Type.String({ maxLength: 256 })),
    traceId: Type.Optional(Type.String({ pattern: "^[0-9a-f]{32}$" })),
    spanId: Type.Optional(Type.String({ pattern: "^[0-9a-f]{16}$" })),
    attributes: Type.Optional(Attributes),
  },
  { additionalProperties: false },
);
export type LogLine = Static<typeof LogLine>;

/** A log in its own order. */
export const LogsContent = Type.Object(
  {
    kind: Type.Literal("logs"),
    /** The container that wrote it, where the source says so. */
    about: Type.Optional(
      Type.Object(
        {
          namespace: Type.Optional(Type.String({ maxLength: 256 })),
          pod: Type.String({ maxLength: 256 }),
          container: Type.Optional(Type.String({ maxLength: 256 })),
          /** Written by the container that ran before the present one, as `kubectl logs --previous` shows it. */
          isPrevious: Type.Boolean(),
        },
        { additionalProperties: false },
      ),
    ),
    lines: Type.Array(LogLine),
  },
  { additionalProperties: false },
);

/** What a process found around it: versions, flags, locale and the like, by name. */
export const EnvironmentContent = Type.Object(
  {
    kind: Type.Literal("environment"),
    /** Which environment: `production`, `ci`, a host. */
    name: Type.String({ maxLength: 256 }),
    facts: Type.Record(Type.String(), Type.String({ maxLength: 4_096 })),
  },
  { additionalProperties: false },
);

export const EvidenceContent = Type.Union([
  TraceContent,
  KubernetesContent,
  TranscriptContent,
  TracePopulationContent,
  MetricsContent,
  LogsContent,
  EnvironmentContent,
  GoroutinesContent,
  ProfileContent,
  ResourcesContent,
  ChangesContent,
  IncidentContent,
  TrainingContent,
  OperatorsContent,
  OutputsContent,
  ModelReleaseContent,
  BundleContent,
  TopologyContent,
  LedgerContent,
  EvaluationContent,
]);
export type EvidenceContent = Static<typeof EvidenceContent>;
export type EvidenceKind = EvidenceContent["kind"];
export type TraceContent = Static<typeof TraceContent>;
export type KubernetesContent = Static<typeof KubernetesContent>;
export type TranscriptContent = Static<typeof TranscriptContent>;
export type TracePopulationContent = Static<typeof TracePopulationContent>;
export type MetricsContent = Static<typeof MetricsContent>;
export type LogsContent = Static<typeof LogsContent>;
export type EnvironmentContent = Static<typeof EnvironmentContent>;

export const Evidence = Type.Object(
  { id: EvidenceId, source: EvidenceSource, content: EvidenceContent },
  { additionalProperties: false },
);
export type Evidence = Static<typeof Evidence>;

/** A pointer into one piece of evidence, with the words that matter quoted from it. */
export const EvidenceReference = Type.Object(
  {
    evidenceId: EvidenceId,
    /** A span id, an object as `Kind/namespace/name`, or a JSON pointer. */
    locator: Type.Optional(Type.String({ maxLength: 1_024 })),
    quote: Type.Optional(Type.String({ maxLength: 2_048 })),
  },
  { additionalProperties: false },
);
export type EvidenceReference = Static<typeof EvidenceReference>;
