import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { describe, expect, it } from "vitest";

import type { MetricSeries } from "../../model/evidence.ts";
import { isEvidenceContent } from "../../snapshot/check-content.ts";
import { readEvidence } from "../read-evidence.ts";

/** Data that lies beside a checkout of the repository; its tests say why they are skipped without it. */
const bench = fileURLToPath(
  new URL("../../../../../../shared/data/root-cause-bench/", import.meta.url),
);
const start = 1_700_000_000;
const micros = start * 1e6;

interface Read {
  readonly series: MetricSeries[];
  readonly format: string | undefined;
  readonly notes: readonly string[];
}

function read(text: string, name = "x.txt"): Read {
  const { evidence, unreadable } = readEvidence([{ name, bytes: new TextEncoder().encode(text) }]);
  expect(unreadable).toEqual([]);
  const [item] = evidence;
  expect(isEvidenceContent(item?.content)).toBe(true);
  if (item?.content.kind !== "metrics") throw new Error(`it is ${item?.content.kind}`);
  return { series: item.content.series, format: item.source.format, notes: item.source.notes };
}

function refuse(text: string, name = "x.txt"): string {
  const { evidence, unreadable } = readEvidence([{ name, bytes: new TextEncoder().encode(text) }]);
  expect(evidence).toEqual([]);
  return unreadable[0]?.message ?? "";
}

const json = (value: unknown): string => JSON.stringify(value);

describe("Prometheus' answers", () => {
  const answer = (resultType: string, result: unknown): string =>
    json({ status: "success", data: { resultType, result } });

  it("reads a range with its labels, and leaves out what is not finite", () => {
    const metric = { __name__: "requests_total", job: "web" };
    const values = [
      [start, "1"],
      [start + 0.5, "NaN"],
      [start + 1.5, "2.5"],
    ];
    const { series, format, notes } = read(answer("matrix", [{ metric, values }]));
    expect(format).toBe("prometheus-json");
    expect(series).toEqual([
      {
        name: "requests_total",
        labels: { job: "web" },
        type: "counter",
        timesMicros: [micros, micros + 1_500_000],
        values: [1, 2.5],
      },
    ]);
    expect(notes).toEqual(["1 values that are no finite numbers were left out."]);
  });

  it("reads a vector and a scalar, and calls what has no name as the file", () => {
    const vector = answer("vector", [{ metric: { pod: "a" }, value: [start, "3"] }]);
    expect(read(vector, "error-rate.json").series).toMatchObject([
      { name: "error-rate", labels: { pod: "a" }, type: "unknown", values: [3] },
    ]);
    expect(read(answer("scalar", [start, "4"])).series).toMatchObject([{ name: "x", values: [4] }]);
  });

  it("reads the bare list of an answer, and several answers", () => {
    const list = [{ metric: { __name__: "a" }, values: [[start, "1"]] }];
    expect(read(json(list)).series).toHaveLength(1);
    const answers = ["a", "b"].map((name) =>
      answer("vector", [{ metric: { __name__: name }, value: [start, "1"] }]),
    );
    expect(read(answers.join("\n")).series.map(({ name }) => name)).toEqual(["a", "b"]);
  });

  it("keeps the count and the sum of native histograms", () => {
    const histograms = [[start, { count: "7", sum: "1.5", buckets: [] }]];
    const { series } = read(answer("matrix", [{ metric: { __name__: "latency" }, histograms }]));
    expect(series.map(({ name, values }) => [name, ...values])).toEqual([
      ["latency_count", 7],
      ["latency_sum", 1.5],
    ]);
  });

  it("tells that a query failed", () => {
    expect(refuse(json({ status: "error", errorType: "bad_data", error: "no such metric" }))).toBe(
      "The query failed: no such metric.",
    );
  });
});

describe("metrics as text", () => {
  const text = String.raw`# HELP http_requests_total Requests.
# TYPE http_requests_total counter
http_requests_total{method="post",path="C:\\x \"y\"\n",} 1027 1700000000000
http_requests_total{method="get"} 3 1700000000000 # {trace_id="abc"} 0.5
# TYPE latency_seconds histogram
# UNIT latency_seconds seconds
latency_seconds_bucket{le="0.1"} 2
latency_seconds_bucket{le="+Inf"} 5
latency_seconds_sum 1.25e0
latency_seconds_count 5
# TYPE rpc summary
rpc{quantile="0.5"} 4.7
something_odd{problem="division by zero"} +Inf
{"my.metric", unit="x"} 1
`;

  it("reads types, units, escapes, times and components", () => {
    const { series, format, notes } = read(text);
    expect(format).toBe("metrics-text");
    const byName = (name: string): MetricSeries[] => series.filter((one) => one.name === name);
    expect(byName("http_requests_total")).toMatchObject([
      { labels: { method: "get" }, type: "counter", values: [3] },
      { labels: { method: "post", path: 'C:\\x "y"\n' }, timesMicros: [micros], values: [1_027] },
    ]);
    expect(byName("latency_seconds_bucket")).toMatchObject([
      { labels: { le: "+Inf" }, type: "counter", unit: "s", timesMicros: [], values: [5] },
      { labels: { le: "0.1" }, values: [2] },
    ]);
    expect(byName("rpc")).toMatchObject([{ labels: { quantile: "0.5" }, type: "gauge" }]);
    expect(byName("my.metric")).toMatchObject([{ labels: { unit: "x" }, type: "unknown" }]);
    expect(notes).toEqual(["1 values that are no finite numbers were left out."]);
  });

  it("reads the seconds of OpenMetrics", () => {
    const { series } = read(`# TYPE up gauge\nup 1 ${start}.5\nup 0 ${start + 10}\n# EOF\n`);
    expect(series).toEqual([
      {
        name: "up",
        labels: {},
        type: "gauge",
        timesMicros: [micros + 500_000, micros + 10e6],
        values: [1, 0],
      },
    ]);
  });

  it.each(["# Title\n\nfoo 1\n", "foo 1\n", "# HELP x y\nthis is prose\n"])(
    "is not %j",
    (other) => {
      expect(refuse(other)).toMatch(/no known format/);
    },
  );
});

describe("metrics as tables", () => {
  const expected = (name: string, values: number[], labels = {}): object => ({
    name,
    labels,
    timesMicros: values.map((_, index) => micros + index * 60e6),
    values,
  });
  const iso = ["2023-11-14T22:13:20Z", "2023-11-14T22:14:20Z"];

  it("reads a long table, whatever the order of its rows and columns", () => {
    const rows = [`${iso[0]},web,cpu,0.5`, `${iso[1]},web,cpu,0.75`, `${iso[0]},db,cpu,1`];
    const { series, format } = read(`timestamp,service,metric,value\n${rows.join("\n")}\n`);
    expect(format).toBe("metrics-csv");
    expect(series).toMatchObject([
      expected("cpu", [1], { service: "db" }),
      expected("cpu", [0.5, 0.75], { service: "web" }),
    ]);
    expect(
      read(`timestamp,service,metric,value\n${rows.toReversed().join("\n")}\n`).series,
    ).toEqual(series);
  });

  it.each([
    ["ISO times", iso],
    ["times with a blank", ["2023-11-14 22:13:20", "2023-11-14 22:14:20"]],
    ["seconds", [String(start), String(start + 60)]],
    ["fractions of seconds", [`${start}.0`, `${start + 60}.000`]],
    ["milliseconds", [`${start}000`, `${start + 60}000`]],
    ["microseconds", [`${start}000000`, `${start + 60}000000`]],
    ["nanoseconds", [`${start}000000000`, `${start + 60}000000000`]],
  ])("reads a wide table with %s", (_, times) => {
    const text = `time,web_cpu,web_mem,zone\n${times[0]},0.5,100,a\n${times[1]},,200,a\n`;
    expect(read(text).series).toMatchObject([
      expected("web_cpu", [0.5], { zone: "a" }),
      expected("web_mem", [100, 200], { zone: "a" }),
    ]);
  });

  it.each([";", "\t", "|"])("reads a table with %j between its cells, and quotes", (delimiter) => {
    const rows = [
      ["Time", '"web ""a"""', "b"],
      [iso[0], "1", '"2"'],
      [iso[1], "3", "4"],
    ];
    const text = rows.map((row) => row.join(delimiter)).join("\r\n");
    expect(read(text).series).toMatchObject([expected("b", [2, 4]), expected('web "a"', [1, 3])]);
  });

  it("reads a table without a header, and one whose times count from its beginning", () => {
    expect(read(`${start},1\n${start + 60},2\n`, "cpu.csv").series).toMatchObject([
      expected("column_1", [1, 2]),
    ]);
    const { series, notes } = read("time,cpu\n0,1\n60,2\n");
    expect(series).toMatchObject([{ timesMicros: [0, 60e6], values: [1, 2] }]);
    expect(notes.join()).toMatch(/seconds since 1970/);
  });

  it.each([
    ["a table without times", "name,age\nann,7\nbob,8\n"],
    ["a table of spans", `time,trace_id,span_id,ms\n${start},a,b,3\n${start},a,c,4\n`],
    ["prose with commas", "Well, then\nyes, no\n"],
  ])("leaves %s", (_, text) => {
    expect(refuse(text, "x.csv")).toMatch(/no known format/);
  });
});

describe("OTLP metrics", () => {
  const request = (metric: object): string =>
    json({
      resourceMetrics: [
        {
          resource: { attributes: [{ key: "service.name", value: { stringValue: "web" } }] },
          scopeMetrics: [{ metrics: [metric] }],
        },
      ],
    });
  const at = (second: number, fields: object): object => ({
    timeUnixNano: `${start + second}000000000`,
    ...fields,
  });

  it("adds up deltas, in the order of time", () => {
    const sum = {
      name: "requests",
      unit: "1",
      sum: {
        aggregationTemporality: 1,
        isMonotonic: true,
        dataPoints: [at(60, { asInt: "3" }), at(0, { asInt: "2" })],
      },
    };
    const { series, notes } = read(request(sum));
    expect(series).toEqual([
      {
        name: "requests",
        labels: { "service.name": "web" },
        unit: "1",
        type: "counter",
        timesMicros: [micros, micros + 60e6],
        values: [2, 5],
      },
    ]);
    expect(notes).toEqual(["What was sent as deltas was added up from the first value on."]);
  });

  it("reads a histogram as counts of all that lies below each bound", () => {
    const histogram = {
      name: "latency",
      unit: "s",
      histogram: {
        aggregationTemporality: 2,
        dataPoints: [
          at(0, { count: "6", sum: 9, explicitBounds: [1, 2], bucketCounts: ["1", "2", "3"] }),
        ],
      },
    };
    const { series } = read(request(histogram));
    expect(series.map(({ name, labels, values }) => [name, labels["le"], ...values])).toEqual([
      ["latency_bucket", "+Inf", 6],
      ["latency_bucket", "1", 1],
      ["latency_bucket", "2", 3],
      ["latency_count", undefined, 6],
      ["latency_sum", undefined, 9],
    ]);
  });
});

describe.skipIf(!existsSync(bench))(
  "metrics of recorded incidents (skipped where ../shared/data is absent)",
  () => {
    it.each([
      "checkout-latency-n-plus-one",
      "dns-resolver-degradation",
      "inventory-connection-pool-exhaustion",
      "payment-nil-deref-panic",
      "recommendation-memory-leak",
      "traffic-surge-flash-sale",
    ])("are read to the last row: %s", (incident) => {
      const text = readFileSync(`${bench}${incident}/metrics.csv`, "utf8");
      const { series, notes } = read(text, "metrics.csv");
      const rowCount = text.trimEnd().split("\n").length - 1;
      expect(series.reduce((sum, { values }) => sum + values.length, 0)).toBe(rowCount);
      expect(notes).toEqual([]);
    });
  },
);
