import { existsSync, readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

import { encodeOtlp } from "../../../test/otlp-protobuf.ts";
import { spanLimits } from "../../model/span.ts";
import { decodeOtlpLogs, decodeOtlpMetrics, decodeOtlpTraces } from "./otlp.ts";

const traceId = "5b8efff798038103d269b633813fc60c";
const spanId = "eee19b7ec3c1b174";
const span = {
  traceId,
  spanId,
  name: "GET /orders",
  startTimeUnixNano: "1763791200000000250",
  endTimeUnixNano: "1763791200001234567",
};

function request(...spans: object[]): object {
  return {
    resourceSpans: [
      {
        resource: { attributes: [{ key: "service.name", value: { stringValue: "orders" } }] },
        scopeSpans: [{ scope: { name: "lib", version: "1" }, spans }],
      },
    ],
  };
}

const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const read = (...spans: object[]) => decodeOtlpTraces(json(request(...spans)), "json");

describe("spans from OTLP", () => {
  it("gives a span with its service, exact duration and microseconds", () => {
    for (const result of [
      read(span),
      decodeOtlpTraces(encodeOtlp("TracesRequest", request(span)), "protobuf"),
    ]) {
      expect(result.spans).toEqual([
        {
          traceId,
          spanId,
          name: "GET /orders",
          kind: "unspecified",
          service: "orders",
          startMicros: 1_763_791_200_000_000.25,
          durationNanos: 1_234_317,
          status: { code: "unset" },
          attributes: {},
          resource: { "service.name": "orders" },
          scope: { name: "lib", version: "1" },
          events: [],
          links: [],
        },
      ]);
    }
  });

  it("takes ids in any case, enumerations by number or name, 64-bit values as text or number", () => {
    const { spans } = read({
      ...span,
      traceId: traceId.toUpperCase(),
      kind: "SPAN_KIND_SERVER",
      status: { code: "STATUS_CODE_ERROR", message: "boom" },
      attributes: [
        { key: "text", value: { intValue: "7" } },
        { key: "number", value: { intValue: 7 } },
        { key: "large", value: { intValue: "9007199254740993" } },
      ],
      anUnknownField: { deep: [1] },
    });
    expect(spans[0]).toMatchObject({
      traceId,
      kind: "server",
      status: { code: "error", message: "boom" },
      attributes: { text: 7, number: 7, large: "9007199254740993" },
    });
  });

  it("rejects spans that break a rule one by one, and keeps the rest", () => {
    const result = read(
      span,
      { ...span, traceId: "00000000000000000000000000000000" },
      { ...span, traceId: "abcd" },
      { ...span, spanId: "" },
      { ...span, parentSpanId: "zz" },
      { ...span, name: "" },
      { ...span, startTimeUnixNano: "0" },
    );
    expect(result.spans).toHaveLength(1);
    expect(result.rejected).toEqual({
      count: 6,
      reasons: [
        "A span has no name.",
        "A span has no start time.",
        "A span's id is not 8 bytes, or is all zero.",
        "A span's trace id is not 16 bytes, or is all zero. (2 times)",
        "The id of a span's parent is not 8 bytes.",
      ],
    });
  });

  it("treats an all-zero parent as none, and an end before the start as no duration", () => {
    const result = read({ ...span, parentSpanId: "0000000000000000", endTimeUnixNano: "5" });
    expect(result.spans[0]).not.toHaveProperty("parentSpanId");
    expect(result.spans[0]?.durationNanos).toBe(0);
    expect(result.notes).toEqual(["A span that ends before it starts got the duration 0."]);
  });

  it("cuts what is beyond the limits of a span, and says so", () => {
    const attributes = Array.from({ length: spanLimits.attributeCountMax + 2 }, (_, index) => ({
      key: `a${index}`,
      value: { stringValue: "x".repeat(index === 0 ? spanLimits.attributeTextLengthMax + 1 : 1) },
    }));
    const many = (length: number): object[] => Array.from({ length }, () => ({ traceId, spanId }));
    const large = {
      ...span,
      name: "n".repeat(spanLimits.nameLengthMax + 1),
      attributes,
      events: many(spanLimits.eventCountMax + 1),
      links: many(spanLimits.linkCountMax + 1),
    };
    for (const result of [
      read(large),
      decodeOtlpTraces(encodeOtlp("TracesRequest", request(large)), "protobuf"),
    ]) {
      const [only] = result.spans;
      expect(only?.name).toHaveLength(spanLimits.nameLengthMax);
      expect(Object.keys(only?.attributes ?? {})).toHaveLength(spanLimits.attributeCountMax);
      expect(only?.attributes["a0"]).toHaveLength(spanLimits.attributeTextLengthMax);
      expect(only?.events).toHaveLength(spanLimits.eventCountMax);
      expect(only?.links).toHaveLength(spanLimits.linkCountMax);
      expect(result.notes).toEqual([
        "Attributes beyond 256 of one record were dropped. (2 times)",
        "Events beyond 128 of one span were dropped.",
        "Links beyond 128 of one span were dropped.",
        "Text of an attribute was cut at 16384 characters.",
        "The name of a span was cut at 1024 characters.",
      ]);
    }
  });

  it("reads fields in the spelling of the schema, which JSON of protobuf may have as well", () => {
    const rich = {
      ...span,
      parentSpanId: "aaaaaaaaaaaaaaaa",
      attributes: [
        { key: "http_method", value: { stringValue: "GET" } },
        { key: "list", value: { arrayValue: { values: [{ intValue: "7" }] } } },
      ],
      events: [{ name: "retry", timeUnixNano: "1763791200000000500" }],
      status: { code: 2, message: "trace_id is missing" },
    };
    const camel = JSON.stringify(request(rich, span));
    const snake = camel.replaceAll(/"(\w+)":/g, (_match, name: string) => {
      const spelled = name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
      return `"${spelled}":`;
    });
    expect(snake).toContain('"resource_spans"');
    const mixed = camel.replace('"timeUnixNano"', '"time_unix_nano"');
    const expected = decodeOtlpTraces(text(camel), "json");
    expect(expected.spans).toHaveLength(2);
    for (const spelling of [snake, mixed]) {
      expect(decodeOtlpTraces(text(spelling), "json")).toEqual(expected);
    }
  });

  it("drops values nested beyond the limit instead of following them", () => {
    let value: object = { intValue: 1 };
    for (let depth = 0; depth < 20; depth += 1) value = { arrayValue: { values: [value] } };
    const nested = request({ ...span, attributes: [{ key: "deep", value }] });
    for (const result of [
      decodeOtlpTraces(json(nested), "json"),
      decodeOtlpTraces(encodeOtlp("TracesRequest", nested), "protobuf"),
    ]) {
      expect(result.notes).toEqual(["A value nested deeper than 16 levels was dropped."]);
    }
  });

  it("reads newline-delimited JSON, as the collector's file exporter writes it", () => {
    const second = { ...span, spanId: "eee19b7ec3c1b175" };
    const lines = `${JSON.stringify(request(span))}\n\n${JSON.stringify(request(second))}\n`;
    expect(decodeOtlpTraces(text(lines), "json").spans.map((item) => item.spanId)).toEqual([
      span.spanId,
      second.spanId,
    ]);
  });

  it("keeps the resource when it stands after the spans in protobuf", () => {
    const whole = encodeOtlp("TracesRequest", request(span));
    const resourceOnly = encodeOtlp("TracesRequest", {
      resourceSpans: [{ resource: resourceOf() }],
    });
    const spansOnly = encodeOtlp("TracesRequest", {
      resourceSpans: [{ scopeSpans: [{ spans: [span] }] }],
    });
    // Both bodies are one ResourceSpans: tag, length, fields. Their fields are joined the other way round.
    const fields = [...spansOnly.slice(2), ...resourceOnly.slice(2)];
    const joined = Uint8Array.from([whole[0] ?? 0, fields.length, ...fields]);
    expect(fields.length).toBeLessThan(128);
    expect(decodeOtlpTraces(joined, "protobuf").spans[0]?.service).toBe("orders");
  });

  function resourceOf(): object {
    return { attributes: [{ key: "service.name", value: { stringValue: "orders" } }] };
  }
});

describe("bodies that cannot be read", () => {
  it("names the pointer of a value that is not what OTLP has there", () => {
    const body = request(span, { ...span, attributes: [{ key: "a", value: { intValue: "x" } }] });
    expect(() => decodeOtlpTraces(json(body), "json")).toThrow(
      expect.objectContaining({
        name: "EvidenceError",
        where: "/resourceSpans/0/scopeSpans/0/spans/1/attributes/0/value/intValue",
        expected: "a whole number",
      }),
    );
  });

  it("names line and column of broken JSON", () => {
    expect(() => decodeOtlpTraces(text('{"resourceSpans":\n  [}'), "json")).toThrow(
      expect.objectContaining({ where: "line 2, column 4" }),
    );
    expect(() => decodeOtlpTraces(text('{"resourceSpans":['), "json")).toThrow(
      expect.objectContaining({ where: "line 1, column 19" }),
    );
    const torn = `${JSON.stringify(request(span))}\n{"resourceSpans"`;
    expect(() => decodeOtlpTraces(text(torn), "json")).toThrow(
      expect.objectContaining({ where: expect.stringMatching(/^line 2, /) }),
    );
  });

  it("names the byte of a broken protobuf body", () => {
    const whole = encodeOtlp("TracesRequest", request(span));
    expect(() => decodeOtlpTraces(whole.slice(0, -1), "protobuf")).toThrow(
      expect.objectContaining({
        name: "EvidenceError",
        where: expect.stringMatching(/^byte \d+$/),
      }),
    );
  });

  it("does not let a field of protobuf reach beyond its message", () => {
    // ResourceSpans of 2 bytes, which holds a ScopeSpans that claims 100.
    expect(() => decodeOtlpTraces(Uint8Array.of(10, 2, 18, 100, 0, 0, 0), "protobuf")).toThrow(
      expect.objectContaining({ name: "EvidenceError" }),
    );
  });
});

describe("logs and metrics from OTLP", () => {
  it("say when the request is of another kind", () => {
    const result = decodeOtlpLogs(json(request(span)), "json");
    expect(result.records).toEqual([]);
    expect(result.notes).toEqual([
      "The request has no resourceLogs, and its other fields mean nothing here.",
    ]);
  });

  it("cut the name of a metric at what OpenTelemetry allows, and say so", () => {
    const dataPoints = [{ timeUnixNano: "1000", asInt: "1" }];
    const metrics = [{ name: "m".repeat(300), gauge: { dataPoints } }];
    const body = { resourceMetrics: [{ scopeMetrics: [{ metrics }] }] };
    const result = decodeOtlpMetrics(json(body), "json");
    expect(result.points[0]?.name).toHaveLength(255);
    expect(result.notes).toEqual(["The name of a metric was cut at 255 characters."]);
  });

  it("takes the observed time of a log record that has no other", () => {
    const body = {
      resourceLogs: [
        {
          scopeLogs: [
            { logRecords: [{ observedTimeUnixNano: "2000", body: { stringValue: "x" } }, {}] },
          ],
        },
      ],
    };
    const result = decodeOtlpLogs(json(body), "json");
    expect(result.records).toMatchObject([
      { timeMicros: 2, observedMicros: 2, body: "x", service: "unknown_service" },
    ]);
    expect(result.rejected.count).toBe(1);
  });

  it("rejects data points without a finite value, and skips those without a recorded one", () => {
    const points = [
      { timeUnixNano: "1000", asDouble: 1.5 },
      { timeUnixNano: "1000", asDouble: "NaN" },
      { timeUnixNano: "1000", flags: 1 },
    ];
    const body = {
      resourceMetrics: [
        { scopeMetrics: [{ metrics: [{ name: "m", gauge: { dataPoints: points } }] }] },
      ],
    };
    const result = decodeOtlpMetrics(json(body), "json");
    expect(result.points).toMatchObject([{ name: "m", data: { kind: "gauge", value: 1.5 } }]);
    expect(result.rejected.count).toBe(1);
    expect(result.notes).toEqual(["A data point without a recorded value was skipped."]);
  });
});

// Public examples of the OpenTelemetry project, which not every checkout has beside it.
const examples = new URL(
  "../../../../../../shared/data/opentelemetry-proto/examples/",
  import.meta.url,
);

describe.skipIf(!existsSync(examples))(
  "the examples of opentelemetry-proto (skipped where they are not)",
  () => {
    const cases = [
      { file: "trace.json", kind: "TracesRequest", decode: decodeOtlpTraces, count: 1 },
      { file: "logs.json", kind: "LogsRequest", decode: decodeOtlpLogs, count: 1 },
      { file: "events.json", kind: "LogsRequest", decode: decodeOtlpLogs, count: 1 },
      { file: "metrics.json", kind: "MetricsRequest", decode: decodeOtlpMetrics, count: 4 },
    ] as const;

    it.each(cases)("reads $file, the same in both encodings", ({ file, kind, decode, count }) => {
      const bytes = new Uint8Array(readFileSync(new URL(file, examples)));
      const result = decode(bytes, "json");
      const [records] = Object.values(result).filter((value) => Array.isArray(value));
      expect(records).toHaveLength(count);
      expect(result.rejected.count).toBe(0);
      const parsed: unknown = JSON.parse(new TextDecoder().decode(bytes));
      expect(decode(encodeOtlp(kind, Object(parsed)), "protobuf")).toEqual(result);
    });
  },
);
