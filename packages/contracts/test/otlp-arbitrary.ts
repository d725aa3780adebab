/** Random OTLP requests in the form of OTLP's JSON. */

import * as fc from "fast-check";

const key = fc.oneof(
  fc.constantFrom("service.name", "db.system", "http.route", "__proto__", "constructor", ""),
  fc.string({ unit: "binary", maxLength: 60 }),
);

const anyValue = fc.letrec<{ value: object }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    fc.record({ stringValue: fc.string({ unit: "binary", maxLength: 80 }) }),
    fc.record({ boolValue: fc.boolean() }),
    fc.record({ intValue: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String) }),
    fc.record({ intValue: fc.integer() }),
    fc.record({ doubleValue: fc.double({ noNaN: true, noDefaultInfinity: true }) }),
    fc.record({ doubleValue: fc.constantFrom("NaN", "Infinity", "-Infinity") }),
    fc.record({
      bytesValue: fc
        .uint8Array({ maxLength: 20 })
        .map((bytes) => Buffer.from(bytes).toString("base64")),
    }),
    fc.record({ arrayValue: fc.record({ values: fc.array(tie("value"), { maxLength: 4 }) }) }),
    fc.record({
      kvlistValue: fc.record({
        values: fc.array(fc.record({ key, value: tie("value") }), { maxLength: 4 }),
      }),
    }),
    fc.constant({}),
  ),
})).value;

const attributes = fc.array(fc.record({ key, value: anyValue }), { maxLength: 6 });
const nanos = fc.bigInt({ min: 0n, max: 2n ** 63n }).map(String);
const hex = (length: number): fc.Arbitrary<string> =>
  fc
    .uint8Array({ minLength: length, maxLength: length })
    .map((id) => Buffer.from(id).toString("hex"));
const traceId = fc.oneof(
  { weight: 9, arbitrary: hex(16) },
  fc.constantFrom("", "00".repeat(16), "abcd"),
);
const spanId = fc.oneof(
  { weight: 9, arbitrary: hex(8) },
  fc.constantFrom("", "00".repeat(8), "abcd"),
);
const resource = fc.record({ attributes });
const scope = fc.record({ name: fc.string(), version: fc.string() });

const span = fc.record(
  {
    traceId,
    spanId,
    parentSpanId: spanId,
    name: fc.string({ unit: "binary" }),
    kind: fc.nat(6),
    startTimeUnixNano: nanos,
    endTimeUnixNano: nanos,
    attributes,
    droppedAttributesCount: fc.nat(2),
    events: fc.array(fc.record({ timeUnixNano: nanos, name: fc.string(), attributes }), {
      maxLength: 3,
    }),
    links: fc.array(fc.record({ traceId, spanId, attributes }), { maxLength: 3 }),
    status: fc.record({ code: fc.nat(3), message: fc.string() }),
  },
  { requiredKeys: ["traceId", "spanId", "name"] },
);

/** A request of spans, some of them invalid. */
export const tracesRequest = fc.record({
  resourceSpans: fc.array(
    fc.record({
      resource,
      scopeSpans: fc.array(fc.record({ scope, spans: fc.array(span, { maxLength: 4 }) }), {
        maxLength: 2,
      }),
    }),
    { maxLength: 3 },
  ),
});

const logRecord = fc.record(
  {
    timeUnixNano: nanos,
    observedTimeUnixNano: nanos,
    severityNumber: fc.integer({ min: -1, max: 30 }),
    severityText: fc.string(),
    eventName: fc.string(),
    body: anyValue,
    attributes,
    traceId,
    spanId,
  },
  { requiredKeys: [] },
);

export const logsRequest = fc.record({
  resourceLogs: fc.array(
    fc.record({
      resource,
      scopeLogs: fc.array(fc.record({ scope, logRecords: fc.array(logRecord, { maxLength: 4 }) }), {
        maxLength: 2,
      }),
    }),
    { maxLength: 2 },
  ),
});

const double = fc.double({ noNaN: true, noDefaultInfinity: true });
const whole = fc.bigInt({ min: 0n, max: 2n ** 53n }).map(String);
const point = { startTimeUnixNano: nanos, timeUnixNano: nanos, attributes, flags: fc.nat(3) };
const numberPoint = fc.oneof(
  fc.record({ ...point, asDouble: double }),
  fc.record({ ...point, asInt: fc.bigInt({ min: -(2n ** 53n), max: 2n ** 53n }).map(String) }),
);
const buckets = fc.record({
  offset: fc.integer(),
  bucketCounts: fc.array(whole, { maxLength: 5 }),
});
const temporality = { aggregationTemporality: fc.nat(3) };
const metric = fc.oneof(
  fc.record({ gauge: fc.record({ dataPoints: fc.array(numberPoint) }) }),
  fc.record({
    sum: fc.record({
      dataPoints: fc.array(numberPoint),
      ...temporality,
      isMonotonic: fc.boolean(),
    }),
  }),
  fc.record({
    histogram: fc.record({
      ...temporality,
      dataPoints: fc.array(
        fc.record(
          {
            ...point,
            count: whole,
            sum: double,
            min: double,
            max: double,
            bucketCounts: fc.array(whole, { maxLength: 5 }),
            explicitBounds: fc.array(double, { maxLength: 4 }),
          },
          { requiredKeys: ["timeUnixNano"] },
        ),
      ),
    }),
  }),
  fc.record({
    exponentialHistogram: fc.record({
      ...temporality,
      dataPoints: fc.array(
        fc.record(
          {
            ...point,
            count: whole,
            sum: double,
            scale: fc.integer({ min: -10, max: 20 }),
            zeroCount: whole,
            positive: buckets,
            negative: buckets,
            min: double,
            max: double,
            zeroThreshold: double,
          },
          { requiredKeys: ["timeUnixNano"] },
        ),
      ),
    }),
  }),
  fc.record({
    summary: fc.record({
      dataPoints: fc.array(
        fc.record({
          ...point,
          count: whole,
          sum: double,
          quantileValues: fc.array(fc.record({ quantile: double, value: double }), {
            maxLength: 4,
          }),
        }),
      ),
    }),
  }),
);

export const metricsRequest = fc.record({
  resourceMetrics: fc.array(
    fc.record({
      resource,
      scopeMetrics: fc.array(
        fc.record({
          scope,
          metrics: fc.array(
            fc
              .tuple(fc.record({ name: fc.string(), unit: fc.string() }), metric)
              .map(([head, data]) => ({ ...head, ...data })),
            { maxLength: 3 },
          ),
        }),
        { maxLength: 2 },
      ),
    }),
    { maxLength: 2 },
  ),
});
