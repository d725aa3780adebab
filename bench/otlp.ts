/** How many spans of OTLP per second are decoded, and how many become durable in a real PostgreSQL. */

import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { decodeOtlpTraces, type OtlpEncoding } from "@faultline/contracts";
import { parseTenantId, type TenantId } from "@faultline/protocol";
import { createLogger } from "@faultline/server/create-logger.ts";
import { assert, systemClock } from "@faultline/server/kernel/index.ts";
import { openPostgres, openStore } from "@faultline/server/storage/index.ts";
import { Telemetry } from "@faultline/server/telemetry/index.ts";

import { encodeOtlp } from "../packages/contracts/test/otlp-protobuf.ts";
import type { BenchOptions, BenchResult } from "./bench.ts";

/** As many as the SDKs of OpenTelemetry export at once by default. */
const spansPerRequest = 512;
const requestCountSmall = 40;
const requestCountLarge = 600;
const senderCount = 16;
const spansPerTrace = 16;
const decodeRounds = 5;

interface Request {
  readonly encoding: OtlpEncoding;
  readonly bytes: Uint8Array;
}

/** Decodes request bodies without a store, then stores others like them through the face that HTTP uses. */
export async function run({ small }: BenchOptions): Promise<BenchResult> {
  const requestCount = small ? requestCountSmall : requestCountLarge;
  const bodies = {
    protobuf: makeRequests("protobuf", requestCount, "a"),
    json: makeRequests("json", requestCount, "b"),
  };
  await using stack = new AsyncDisposableStack();
  const dataFolder = await mkdtemp(path.join(tmpdir(), "faultline-bench-"));
  stack.defer(() => rm(dataFolder, { recursive: true, force: true }));
  const signal = new AbortController().signal;
  const parts = {
    clock: systemClock,
    logger: createLogger({ level: "error", format: "json" }),
    signal,
  };
  const postgres = stack.use(await openPostgres({ dataFolder, ...parts }));
  const store = stack.use(await openStore({ postgres, ...parts }));
  const telemetry = stack.use(
    await Telemetry.open({
      ...parts,
      store,
      limits: {
        store: { retentionDays: 7, sizeBytesMax: 100 * 1024 ** 3 },
        otlp: { unpackedBytesMax: 64 * 1024 ** 2, recordCountMax: 50_000 },
      },
    }),
  );
  const tenantId = parseTenantId("default");
  assert(tenantId !== undefined, "a literal tenant id is well formed");

  const spanCount = requestCount * spansPerRequest;
  const rate = (seconds: number): number => Math.round(spanCount / seconds);
  const figures = [
    { name: "decoded from protobuf", value: rate(decode(bodies.protobuf)), unit: "spans/s" },
    { name: "decoded from JSON", value: rate(decode(bodies.json)), unit: "spans/s" },
  ];
  for (const encoding of ["protobuf", "json"] as const) {
    const seconds = await ingest(telemetry, tenantId, bodies[encoding]);
    figures.push({ name: `stored from ${encoding}`, value: rate(seconds), unit: "spans/s" });
  }
  const { commitCount } = telemetry.counts;
  figures.push({
    name: "spans per commit",
    value: Math.round((2 * spanCount) / commitCount),
    unit: "spans",
  });
  figures.push({ name: "spans of each kind", value: spanCount, unit: "spans" });
  const { services } = await telemetry.listServices({ tenantId, signal });
  return {
    name: "otlp",
    figures,
    resultHash: createHash("sha256").update(JSON.stringify(services)).digest("hex").slice(0, 16),
  };
}

/** Seconds of the fastest round. */
function decode(requests: readonly Request[]): number {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < decodeRounds; round += 1) {
    const startMs = systemClock.monotonicMs();
    let spanCount = 0;
    for (const request of requests) {
      spanCount += decodeOtlpTraces(request.bytes, request.encoding).spans.length;
    }
    assert(spanCount === requests.length * spansPerRequest, "every span is decoded");
    best = Math.min(best, (systemClock.monotonicMs() - startMs) / 1_000);
  }
  return best;
}

/** Several senders at once, each of which waits for its answer before it sends again. */
async function ingest(
  telemetry: Telemetry,
  tenantId: TenantId,
  requests: readonly Request[],
): Promise<number> {
  const queue = [...requests];
  const signal = new AbortController().signal;
  const startMs = systemClock.monotonicMs();
  await Promise.all(
    Array.from({ length: senderCount }, async () => {
      for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
        const result = await telemetry.ingestOtlp({ kind: "traces", tenantId, signal, ...next });
        assert(result.rejectedCount === 0, "every span is taken");
      }
    }),
  );
  return (systemClock.monotonicMs() - startMs) / 1_000;
}

function makeRequests(encoding: OtlpEncoding, count: number, mark: string): Request[] {
  const startNanos = BigInt(systemClock.nowMs() - 60_000) * 1_000_000n;
  return Array.from({ length: count }, (_, index) => {
    const spans = Array.from({ length: spansPerRequest }, (_, at) =>
      spanOf({ mark, number: index * spansPerRequest + at, startNanos }),
    );
    const body = {
      resourceSpans: [
        {
          resource: {
            attributes: attributesOf({
              "service.name": `service-${index % 4}`,
              "host.name": "bench",
            }),
          },
          scopeSpans: [{ scope: { name: "bench", version: "1" }, spans }],
        },
      ],
    };
    const bytes =
      encoding === "json"
        ? new TextEncoder().encode(JSON.stringify(body))
        : encodeOtlp("TracesRequest", body);
    return { encoding, bytes };
  });
}

/** A span as instrumentation of HTTP and databases sends it: one request, and its calls. */
function spanOf({
  mark,
  number,
  startNanos,
}: {
  mark: string;
  number: number;
  startNanos: bigint;
}): object {
  const at = number % spansPerTrace;
  const isRoot = at === 0;
  const idOf = (value: number, length: number): string =>
    mark + value.toString(16).padStart(length - 1, "0");
  const start = startNanos + BigInt(number) * 1_000n;
  return {
    traceId: idOf(Math.floor(number / spansPerTrace), 32),
    spanId: idOf(number, 16),
    ...(isRoot ? {} : { parentSpanId: idOf(number - at, 16) }),
    name: isRoot ? "GET /orders" : "SELECT shop.orders",
    kind: isRoot ? 2 : 3,
    startTimeUnixNano: String(start),
    endTimeUnixNano: String(start + 1_234_567n),
    attributes: isRoot
      ? attributesOf({
          "http.request.method": "GET",
          "http.route": "/orders",
          "http.response.status_code": 200,
          "url.path": `/orders?page=${number}`,
          "server.address": "orders.internal",
          "user_agent.original": "bench/1.0 (like a browser)",
        })
      : attributesOf({
          "db.system.name": "postgresql",
          "db.namespace": "shop",
          "db.operation.name": "SELECT",
          "db.query.text":
            "SELECT id, name, price FROM orders WHERE customer_id = $1 ORDER BY created_at LIMIT 20",
          "server.address": "db.internal",
          "server.port": 5_432,
          "db.response.returned_rows": number % 20,
        }),
    status: { code: number % 97 === 0 ? 2 : 0 },
  };
}

function attributesOf(values: Record<string, string | number>): object[] {
  return Object.entries(values).map(([key, value]) => ({
    key,
    value: typeof value === "number" ? { intValue: String(value) } : { stringValue: value },
  }));
}
