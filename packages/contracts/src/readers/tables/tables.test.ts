import { expect, it } from "vitest";

import type { EvidenceContent } from "../../model/evidence.ts";
import { readEvidence } from "../read-evidence.ts";

function read(name: string, text: string): { format: string; content: EvidenceContent }[] {
  const { evidence, unreadable } = readEvidence([{ name, bytes: new TextEncoder().encode(text) }]);
  expect(unreadable).toEqual([]);
  return evidence.map(({ source, content }) => ({ format: source.format, content }));
}

it("reads spans as Jaeger's exports to tables have them, with lengths in microseconds", () => {
  const [trace] = read(
    "traces.csv",
    `time,traceID,spanID,serviceName,methodName,operationName,startTimeMillis,startTime,duration,statusCode,parentSpanID
21:00,aaaa000000000000bbbb000000000001,0000000000000a01,frontend,GET,GET /api,1705353846000,1705353846000000,5000,0.0,
21:00,aaaa000000000000bbbb000000000001,0000000000000a02,cart,Get,cart/Get,1705353846001,1705353846001000,3000,2.0,0000000000000a01
`,
  );
  expect(trace?.format).toBe("spans-csv");
  expect(trace?.content).toMatchObject({
    kind: "trace",
    spans: [
      { service: "frontend", name: "GET /api", durationNanos: 5e6, status: { code: "unset" } },
      {
        service: "cart",
        parentSpanId: "0000000000000a01",
        durationNanos: 3e6,
        status: { code: "error" },
      },
    ],
  });
});

it("takes the service from the pod, and the end where there is one", () => {
  const [trace] = read(
    "03_53_trace.csv",
    `TraceID,SpanID,ParentID,PodName,OperationName,StartTimeUnixNano,EndTimeUnixNano,Duration
0087f677c0a2cf3f80a551987167911b,ee744a66e6efcb2e,root,frontend-579b9bff58-t2dbm,Frontend/Recv.,1661140374351773094,1661140374362982609,11209
`,
  );
  expect(trace?.content).toMatchObject({
    spans: [
      {
        service: "frontend",
        durationNanos: 11_209_500,
        resource: { "k8s.pod.name": "frontend-579b9bff58-t2dbm" },
      },
    ],
  });
  expect(trace?.content).not.toHaveProperty("spans.0.parentSpanId");
});

it("reads lines of logs by their exact time, not by the one that is for people", () => {
  const [log] = read(
    "logs.csv",
    `time,timestamp,container_name,message,level,req_path,error
16:30,1705595459012034902,catalogue,healthy,INFO,,
16:31,1705595461012034000,carts-6999fd64d9-pjhhn,"deadline exceeded, after ""5s""",ERROR,/carts,
`,
  );
  expect(log?.format).toBe("logs-csv");
  expect(log?.content).toMatchObject({
    kind: "logs",
    lines: [
      { service: "catalogue", severity: "info", text: "healthy" },
      {
        timeMicros: 1_705_595_461_012_034,
        service: "carts",
        severity: "error",
        text: 'deadline exceeded, after "5s"',
      },
    ],
  });
});

it("reads calls from pairs and from a square table", () => {
  expect(
    read("dependency.csv", "Source,Target,Weight\ncheckout,email,1\nfront,checkout,1\n"),
  ).toEqual([
    {
      format: "calls-csv",
      content: {
        kind: "topology",
        calls: [
          { from: "checkout", to: "email" },
          { from: "front", to: "checkout" },
        ],
      },
    },
  ]);
  expect(read("graph.csv", ",a,b,c\na,0.0,1.0,0.0\nb,0.0,0.0,1.0\nc,0,0,0\n")).toEqual([
    {
      format: "call-matrix-csv",
      content: {
        kind: "topology",
        calls: [
          { from: "a", to: "b" },
          { from: "b", to: "c" },
        ],
      },
    },
  ]);
});

it("reads metrics under headers of several rows, and leaves out what is not there", () => {
  const [metrics] = read(
    "metrics.csv",
    `microservice,Site,Search_AWS::ECS::Fargate,Site
metric,latency,latency,requests
statistic,Average,p90,Sum
unix_timestamp,,,
1681857120.0,0.5,,120
1681857420.0,0.6,0.2,130
`,
  );
  expect(metrics?.content).toEqual({
    kind: "metrics",
    series: [
      {
        name: "latency",
        labels: { microservice: "Search_AWS::ECS::Fargate", statistic: "p90" },
        type: "unknown",
        timesMicros: [1_681_857_420e6],
        values: [0.2],
      },
      {
        name: "latency",
        labels: { microservice: "Site", statistic: "Average" },
        type: "unknown",
        timesMicros: [1_681_857_120e6, 1_681_857_420e6],
        values: [0.5, 0.6],
      },
      {
        name: "requests",
        labels: { microservice: "Site", statistic: "Sum" },
        type: "unknown",
        timesMicros: [1_681_857_120e6, 1_681_857_420e6],
        values: [120, 130],
      },
    ],
  });
});

it("reads metrics as lists of times and values under each name", () => {
  const [metrics] = read(
    "metrics.json",
    '{"cart_cpu": [[1700000000, 0.25], [1700000001, NaN], [1700000002, 0.5]], "cart_mem": []}',
  );
  expect(metrics).toMatchObject({
    format: "series-json",
    content: {
      series: [{ name: "cart_cpu", timesMicros: [1.7e15, 1.700000002e15], values: [0.25, 0.5] }],
    },
  });
});

it("makes no series of each row where a table has its times twice", () => {
  const [metrics] = read(
    "cart_metric.csv",
    `Time,TimeStamp,PodName,CpuUsage(m),MemoryUsage(Mi)
2022-08-22 03:51:19.607158889 +0000 UTC m=+0.113112869,1661140279,cart-5f6585d649-fnmft,1.76,201.2
2022-08-22 03:52:19.589328775 +0000 UTC m=+60.095282755,1661140339,cart-5f6585d649-fnmft,1.10,201.2
`,
  );
  expect(metrics?.content).toMatchObject({
    series: [
      { name: "CpuUsage(m)", labels: { PodName: "cart-5f6585d649-fnmft" }, values: [1.76, 1.1] },
      { name: "MemoryUsage(Mi)", values: [201.2, 201.2] },
    ],
  });
});

it("takes a file of one moment as that at which an incident began, and the target of a search as an alert", () => {
  expect(read("inject_time.txt", "1705595460\n")).toMatchObject([
    { format: "moment", content: { kind: "incident", beganMicros: 1_705_595_460e6 } },
  ]);
  expect(
    read(
      "target.json",
      '{"target": {"node": "Site", "metric": "latency", "agg": "Average", "timestamp": 1681857605}, "root_cause": {"node": "Table"}}',
    ),
  ).toMatchObject([
    {
      content: {
        kind: "incident",
        alerts: [{ service: "Site", metric: "latency Average", timeMicros: 1_681_857_605e6 }],
      },
    },
  ]);
});
