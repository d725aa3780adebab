import { gzipSync } from "node:zlib";

import type { TenantScope } from "#storage/index.ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { decodeAnswer, encodeOtlp } from "../../contracts/test/otlp-protobuf.ts";
import { openTestControl, type TestControl } from "./control-fixture.ts";

let control: TestControl;
beforeAll(async () => {
  control = await openTestControl({
    config: { otlp: { bodyBytesMax: 200_000, unpackedBytesMax: 400_000, recordCountMax: 500 } },
  });
});
afterAll(async () => {
  await control[Symbol.asyncDispose]();
});

const kinds = { traces: "TracesRequest", logs: "LogsRequest", metrics: "MetricsRequest" } as const;
type Kind = keyof typeof kinds;
const encodings = {
  json: {
    type: "application/json",
    encode: (_kind: Kind, body: object) => Buffer.from(JSON.stringify(body)),
  },
  protobuf: {
    type: "application/x-protobuf",
    encode: (kind: Kind, body: object) => Buffer.from(encodeOtlp(kinds[kind], body)),
  },
} as const;

/** One record of the kind, a second old. */
function bodyOf(kind: Kind, traceId: string): object {
  const start = BigInt(Date.now() - 1_000) * 1_000_000n;
  const resource = { attributes: [{ key: "service.name", value: { stringValue: "orders" } }] };
  const span = {
    traceId,
    spanId: "00000000000000a1",
    name: "GET /orders",
    kind: 2,
    startTimeUnixNano: String(start),
    endTimeUnixNano: String(start + 5_000_000n),
  };
  const record = { timeUnixNano: String(start), traceId, body: { stringValue: "hello" } };
  const gauge = { dataPoints: [{ timeUnixNano: String(start), asDouble: 1 }] };
  return {
    traces: { resourceSpans: [{ resource, scopeSpans: [{ spans: [span] }] }] },
    logs: { resourceLogs: [{ resource, scopeLogs: [{ logRecords: [record] }] }] },
    metrics: {
      resourceMetrics: [{ resource, scopeMetrics: [{ metrics: [{ name: traceId, gauge }] }] }],
    },
  }[kind];
}

async function send(
  kind: Kind,
  body: Uint8Array,
  headers: Record<string, string>,
): Promise<{
  status: number;
  type: string | null;
  retryAfter: string | null;
  bytes: Uint8Array;
  text: string;
}> {
  const response = await control.fetch(`/v1/${kind}`, {
    method: "POST",
    headers: { authorization: `Bearer ${control.keys.byRole.service}`, ...headers },
    body: new Uint8Array(body),
  });
  const bytes = new Uint8Array(await response.arrayBuffer());
  return {
    status: response.status,
    type: response.headers.get("content-type"),
    retryAfter: response.headers.get("retry-after"),
    bytes,
    text: new TextDecoder().decode(bytes),
  };
}

const scope = (): TenantScope => ({
  tenantId: control.database.tenantId,
  signal: new AbortController().signal,
});

/** How many records of this trace are stored: spans, log lines, or points of the metric named after it. */
async function countStored(kind: Kind, traceId: string): Promise<number> {
  const { telemetry } = control.services;
  const window = { fromMicros: 0, toMicros: Date.now() * 1_000 };
  switch (kind) {
    case "traces":
      return (await telemetry.readTrace(scope(), traceId))?.spans.length ?? 0;
    case "logs": {
      const records = await telemetry.readLogs(scope(), window);
      return records.filter((record) => record.traceId === traceId).length;
    }
    case "metrics": {
      const points = await telemetry.readMetricPoints(scope(), window);
      return points.filter((point) => point.name === traceId).length;
    }
  }
}

const combinations = (["traces", "logs", "metrics"] as const)
  .flatMap((kind) =>
    (["json", "protobuf"] as const).flatMap((encoding) =>
      [false, true].map((packed) => ({ kind, encoding, packed })),
    ),
  )
  .map((one, number) => ({ ...one, number }));

describe("OTLP over HTTP", () => {
  it.each(combinations)(
    "stores $kind in $encoding, gzip: $packed",
    async ({ kind, encoding, packed, number }) => {
      const traceId = (0xa0 + number).toString(16).padStart(32, "0");
      const plain = encodings[encoding].encode(kind, bodyOf(kind, traceId));
      const answer = await send(kind, packed ? gzipSync(plain) : plain, {
        "content-type": encodings[encoding].type,
        ...(packed ? { "content-encoding": "gzip" } : {}),
      });
      expect(answer).toMatchObject({ status: 200, text: encoding === "json" ? "{}" : "" });
      expect(answer.type).toContain(encodings[encoding].type);
      // What was answered with success can be read at once.
      expect(await countStored(kind, traceId)).toBe(1);
    },
  );

  it.each(["json", "protobuf"] as const)(
    "says in %s what of a request it did not take",
    async (encoding) => {
      const traceId = (encoding === "json" ? "1" : "2").repeat(32);
      const good = bodyOf("traces", traceId);
      const bad = bodyOf("traces", "00".repeat(16));
      const both = {
        ...good,
        resourceSpans: [good, bad].flatMap((body) => Object.values(body).flat()),
      };
      const { type, encode } = encodings[encoding];
      const answer = await send("traces", encode("traces", both), { "content-type": type });
      expect(answer.status).toBe(200);
      const reason = "A span's trace id is not 16 bytes, or is all zero.";
      if (encoding === "json") {
        expect(JSON.parse(answer.text)).toEqual({
          partialSuccess: { rejectedSpans: "1", errorMessage: reason },
        });
      } else {
        expect(decodeAnswer("ExportResponse", answer.bytes)).toEqual({
          partialSuccess: { rejected: 1, errorMessage: reason },
        });
      }
      expect(await countStored("traces", traceId)).toBe(1);
    },
  );

  it("refuses a corrupt body with the place, and goes on", async () => {
    const whole = encodings.protobuf.encode("traces", bodyOf("traces", "3".repeat(32)));
    const cut = await send("traces", whole.subarray(0, -3), {
      "content-type": "application/x-protobuf",
    });
    expect(cut.status).toBe(400);
    expect(decodeAnswer("RpcStatus", cut.bytes)).toMatchObject({
      code: 3,
      message: expect.stringMatching(/^request_malformed: .*\(at byte \d+\)/),
    });
    const text = await send("traces", Buffer.from('{"resourceSpans": 7}'), {
      "content-type": "application/json",
    });
    expect(text.status).toBe(400);
    expect(JSON.parse(text.text)).toMatchObject({
      message: "request_malformed: Expected an array, found a number. (at /resourceSpans)",
    });
    const fine = await send("traces", whole, { "content-type": "application/x-protobuf" });
    expect(fine.status).toBe(200);
  });

  it("refuses a small body that unpacks to a large one, and too many records", async () => {
    const bomb = gzipSync(Buffer.alloc(5_000_000, " "));
    const packed = { "content-type": "application/json", "content-encoding": "gzip" };
    expect((await send("traces", bomb, packed)).status).toBe(413);
    const one = bodyOf("traces", "4".repeat(32));
    const many = {
      resourceSpans: Array.from({ length: 501 }, () => Object.values(one).flat()).flat(),
    };
    const large = gzipSync(encodings.json.encode("traces", many));
    const answer = await send("traces", large, packed);
    expect(answer.status).toBe(413);
    expect(answer.text).toContain("The request has 501 records, the limit is 500.");
    expect(await countStored("traces", "4".repeat(32))).toBe(0);
  });
});
