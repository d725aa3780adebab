/** A span of a distributed trace, as OpenTelemetry defines it, in the form that contracts and the store share. */

import { type Static, Type } from "typebox";

/** Limits of one span; what lies beyond is cut by the readers, which say so. */
export const spanLimits = {
  nameLengthMax: 1_024,
  attributeCountMax: 256,
  attributeTextLengthMax: 16_384,
  eventCountMax: 128,
  linkCountMax: 128,
} as const;

/** An attribute's value. 64-bit integers beyond 2^53 are kept as decimal text, bytes as base64 text. */
export const AttributeValue = Type.Cyclic(
  {
    Value: Type.Union([
      Type.String(),
      Type.Number(),
      Type.Boolean(),
      Type.Null(),
      Type.Array(Type.Ref("Value")),
      Type.Record(Type.String(), Type.Ref("Value")),
    ]),
  },
  "Value",
);
export type AttributeValue =
  | string
  | number
  | boolean
  | null
  | AttributeValue[]
  | { [name: string]: AttributeValue };

export type Attributes = Record<string, AttributeValue>;
export const Attributes = Type.Unsafe<Attributes>(Type.Record(Type.String(), AttributeValue));

/** In the order of OTLP's numbers, which the store keeps. */
export const SpanKind = Type.Union([
  Type.Literal("unspecified"),
  Type.Literal("internal"),
  Type.Literal("server"),
  Type.Literal("client"),
  Type.Literal("producer"),
  Type.Literal("consumer"),
]);
export type SpanKind = Static<typeof SpanKind>;
/** The kind at OTLP's number for it. */
export const spanKinds: readonly SpanKind[] = SpanKind.anyOf.map((kind) => kind.const);

export const SpanStatus = Type.Object(
  {
    /** In the order of OTLP's numbers, which the store keeps. */
    code: Type.Union([Type.Literal("unset"), Type.Literal("ok"), Type.Literal("error")]),
    message: Type.Optional(Type.String({ maxLength: 4_096 })),
  },
  { additionalProperties: false },
);
export type SpanStatus = Static<typeof SpanStatus>;
/** The status code at OTLP's number for it. */
export const spanStatusCodes: readonly SpanStatus["code"][] = SpanStatus.properties.code.anyOf.map(
  (code) => code.const,
);

export const SpanEvent = Type.Object(
  { name: Type.String(), timeMicros: Type.Number(), attributes: Attributes },
  { additionalProperties: false },
);
export type SpanEvent = Static<typeof SpanEvent>;

export const SpanLink = Type.Object(
  {
    traceId: Type.String({ pattern: "^[0-9a-f]{32}$" }),
    spanId: Type.String({ pattern: "^[0-9a-f]{16}$" }),
    attributes: Attributes,
  },
  { additionalProperties: false },
);
export type SpanLink = Static<typeof SpanLink>;

/** The library that recorded something. */
export const InstrumentationScope = Type.Object(
  { name: Type.String(), version: Type.Optional(Type.String()) },
  { additionalProperties: false },
);

export const Span = Type.Object(
  {
    /** 32 lower-case hexadecimal digits. */
    traceId: Type.String({ pattern: "^[0-9a-f]{32}$" }),
    /** 16 lower-case hexadecimal digits. */
    spanId: Type.String({ pattern: "^[0-9a-f]{16}$" }),
    parentSpanId: Type.Optional(Type.String({ pattern: "^[0-9a-f]{16}$" })),
    name: Type.String({ maxLength: spanLimits.nameLengthMax }),
    kind: SpanKind,
    /** Resource attribute `service.name`, or `unknown_service`. */
    service: Type.String({ maxLength: 256 }),
    /** Microseconds since the Unix epoch; a double resolves them to a quarter of a microsecond. */
    startMicros: Type.Number({ minimum: 0 }),
    /** Exact length in nanoseconds; 0 when the end lies before the start. */
    durationNanos: Type.Number({ minimum: 0 }),
    status: SpanStatus,
    attributes: Attributes,
    resource: Attributes,
    scope: InstrumentationScope,
    events: Type.Array(SpanEvent),
    links: Type.Array(SpanLink),
  },
  { additionalProperties: false },
);
export type Span = Static<typeof Span>;
