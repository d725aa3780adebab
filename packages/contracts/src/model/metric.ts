/** A data point of a metric, as OpenTelemetry defines it, in the form that the readers and the store share. */

import { type Static, Type } from "typebox";

import { Attributes, InstrumentationScope } from "./span.ts";

export const Temporality = Type.Union([
  Type.Literal("unspecified"),
  Type.Literal("delta"),
  Type.Literal("cumulative"),
]);
export type Temporality = Static<typeof Temporality>;

const Buckets = Type.Object(
  { offset: Type.Integer(), counts: Type.Array(Type.Number()) },
  { additionalProperties: false },
);

/** Fields of both kinds of histogram. `sum`, `min` and `max` are absent when the sender gave none. */
const distribution = {
  temporality: Temporality,
  count: Type.Number({ minimum: 0 }),
  sum: Type.Optional(Type.Number()),
  min: Type.Optional(Type.Number()),
  max: Type.Optional(Type.Number()),
};

/** What was measured. Integers beyond 2^53 are rounded to the nearest double. */
export const MetricData = Type.Union([
  Type.Object(
    { kind: Type.Literal("gauge"), value: Type.Number() },
    { additionalProperties: false },
  ),
  Type.Object(
    {
      kind: Type.Literal("sum"),
      value: Type.Number(),
      temporality: Temporality,
      isMonotonic: Type.Boolean(),
    },
    { additionalProperties: false },
  ),
  Type.Object(
    {
      kind: Type.Literal("histogram"),
      ...distribution,
      /** Upper bounds, inclusive; `counts` has one more entry, or none when the sender gave no buckets. */
      bounds: Type.Array(Type.Number()),
      counts: Type.Array(Type.Number()),
    },
    { additionalProperties: false },
  ),
  Type.Object(
    {
      kind: Type.Literal("exponential-histogram"),
      ...distribution,
      /** Bucket `i` of `positive` ends at `2 ** (2 ** -scale * (offset + i + 1))`. */
      scale: Type.Integer(),
      zeroCount: Type.Number(),
      zeroThreshold: Type.Number(),
      positive: Buckets,
      negative: Buckets,
    },
    { additionalProperties: false },
  ),
  Type.Object(
    {
      kind: Type.Literal("summary"),
      count: Type.Number({ minimum: 0 }),
      sum: Type.Number(),
      quantiles: Type.Array(
        Type.Object(
          { quantile: Type.Number(), value: Type.Number() },
          { additionalProperties: false },
        ),
      ),
    },
    { additionalProperties: false },
  ),
]);
export type MetricData = Static<typeof MetricData>;

export const MetricPoint = Type.Object(
  {
    name: Type.String(),
    /** In UCUM notation; empty when the sender gave none. */
    unit: Type.String(),
    description: Type.String(),
    /** The moment of the measurement, in microseconds since the Unix epoch. */
    timeMicros: Type.Number({ minimum: 0 }),
    /** Where the measured interval begins, for sums and histograms. */
    startMicros: Type.Optional(Type.Number({ minimum: 0 })),
    data: MetricData,
    /** Resource attribute `service.name`, or `unknown_service`. */
    service: Type.String({ maxLength: 256 }),
    attributes: Attributes,
    resource: Attributes,
    scope: InstrumentationScope,
  },
  { additionalProperties: false },
);
export type MetricPoint = Static<typeof MetricPoint>;
