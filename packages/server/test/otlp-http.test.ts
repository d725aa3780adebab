import { gzipSync } from "node:zlib";

import { loadConfig } from "#config/index.ts";
import { PlatformError } from "@faultline/protocol";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { openTestControl, type TestControl } from "./control-fixture.ts";

const limits = {
  ...loadConfig({ environment: {}, workingFolder: "/" }).otlp,
  bodyBytesMax: 100_000,
  unpackedBytesMax: 200_000,
};

let control: TestControl;
beforeAll(async () => {
  control = await openTestControl({ config: { otlp: limits } });
});
afterAll(async () => {
  await control[Symbol.asyncDispose]();
});

interface Sending {
  readonly kind?: "traces" | "logs" | "metrics";
  readonly type?: string;
  readonly encoding?: string;
  readonly key?: string;
}

interface Answer {
  readonly status: number;
  readonly type: string | null;
  readonly headers: Headers;
  readonly bytes: Buffer;
}

async function send(
  body: Uint8Array<ArrayBuffer> | string,
  sending: Sending = {},
): Promise<Answer> {
  const {
    kind = "traces",
    type = "application/x-protobuf",
    key = control.keys.byRole.service,
  } = sending;
  const response = await control.fetch(`/v1/${kind}`, {
    method: "POST",
    body,
    headers: {
      "content-type": type,
      ...(key === "" ? {} : { authorization: `Bearer ${key}` }),
      ...(sending.encoding === undefined ? {} : { "content-encoding": sending.encoding }),
    },
  });
  const bytes = Buffer.from(await response.arrayBuffer());
  return {
    status: response.status,
    type: response.headers.get("content-type"),
    headers: response.headers,
    bytes,
  };
}

/** Reads google.rpc.Status as protobuf: field 1 is the code, field 2 the message. */
function readStatus(bytes: Buffer): { code: number; message: string } {
  expect(bytes[0]).toBe(0x08);
  expect(bytes[2]).toBe(0x12);
  const isLong = ((bytes[3] ?? 0) & 0x80) !== 0;
  return { code: bytes[1] ?? 0, message: bytes.subarray(isLong ? 5 : 4).toString() };
}

function traceRequest(spanIds: readonly string[]): string {
  const startNanos = BigInt(Date.now()) * 1_000_000n;
  const spans = spanIds.map((spanId) => ({
    traceId: "cccccccccccccccccccccccccccccccc",
    spanId,
    name: "work",
    startTimeUnixNano: String(startNanos),
    endTimeUnixNano: String(startNanos + 1_000n),
  }));
  return JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] });
}

describe("an export", () => {
  it("is taken as JSON, plain or gzipped, and answered in JSON", async () => {
    const json = { type: "application/json" };
    const plain = await send(traceRequest(["1111111111111111"]), json);
    expect({ ...plain, bytes: plain.bytes.toString() }).toMatchObject({
      status: 200,
      type: "application/json",
      bytes: "{}",
    });
    const packed = await send(new Uint8Array(gzipSync(traceRequest(["2222222222222222"]))), {
      ...json,
      encoding: "gzip",
    });
    expect(packed.status).toBe(200);
    const headers = { authorization: `Bearer ${control.keys.byRole.viewer}` };
    const trace = await control.fetch("/api/traces/cccccccccccccccccccccccccccccccc", { headers });
    expect(await trace.json()).toMatchObject({ summary: { spanCount: 2 } });
  });

  it.each(["traces", "logs", "metrics"] as const)(
    "of %s without records is a full success in protobuf",
    async (kind) => {
      const { status, type, bytes } = await send(new Uint8Array(), { kind });
      expect({ status, type, length: bytes.length }).toEqual({
        status: 200,
        type: "application/x-protobuf",
        length: 0,
      });
    },
  );

  it("of which a part cannot be taken is a partial success that counts it", async () => {
    const answer = await send(traceRequest(["3333333333333333", "not an id"]), {
      type: "application/json",
    });
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.bytes.toString())).toMatchObject({
      partialSuccess: { rejectedSpans: "1" },
    });
  });

  it("needs no space after the media type's parameters", async () => {
    expect((await send(traceRequest([]), { type: "application/json;charset=utf-8" })).status).toBe(
      200,
    );
  });
});

describe("an export that is refused", () => {
  it("as corrupt protobuf is answered with a protobuf status", async () => {
    const { status, type, bytes } = await send(new Uint8Array([0x0a, 0xff, 0xff, 0x01, 0x02]));
    expect({ status, type }).toEqual({ status: 400, type: "application/x-protobuf" });
    expect(readStatus(bytes)).toMatchObject({
      code: 3,
      message: expect.stringContaining("request_malformed"),
    });
  });

  it("as corrupt JSON is answered with a JSON status that says where", async () => {
    const { status, type, bytes } = await send('{"resourceSpans": [}', {
      type: "application/json",
    });
    expect({ status, type }).toEqual({ status: 400, type: "application/json" });
    expect(JSON.parse(bytes.toString())).toMatchObject({
      code: 3,
      message: expect.stringContaining("request_malformed"),
    });
  });

  it("without a key, or with a key that may only read, says so in OTLP", async () => {
    const missing = await send(new Uint8Array(), { key: "" });
    expect(missing.status).toBe(401);
    expect(missing.headers.get("www-authenticate")).toContain("Bearer");
    expect(readStatus(missing.bytes)).toMatchObject({
      code: 16,
      message: expect.stringContaining("key_missing"),
    });
    const reader = await send("{}", { type: "application/json", key: control.keys.byRole.viewer });
    expect(reader.status).toBe(403);
    expect(JSON.parse(reader.bytes.toString())).toMatchObject({
      code: 7,
      message: expect.stringContaining("telemetry:write"),
    });
  });

  it("in an encoding or a media type that is not read says so", async () => {
    expect(
      readStatus((await send(new Uint8Array(), { encoding: "zstd" })).bytes).message,
    ).toContain("media_type_unsupported");
    const text = await send("x", { type: "text/plain" });
    expect(text.status).toBe(415);
    expect(readStatus(text.bytes).code).toBe(12);
  });

  it("beyond the limit, before or after gzip, is too large", async () => {
    const large = await send(new Uint8Array(limits.bodyBytesMax + 1));
    expect(large.status).toBe(413);
    expect(readStatus(large.bytes)).toMatchObject({
      code: 8,
      message: expect.stringContaining("request_too_large"),
    });
    const bomb = await send(new Uint8Array(gzipSync(Buffer.alloc(1_000_000))), {
      encoding: "gzip",
    });
    expect(bomb.status).toBe(413);
    expect(readStatus(bomb.bytes).message).toContain("after gzip");
  });

  it("because the database is away may be sent again", async () => {
    await using away = await openTestControl({
      replace: ({ telemetry }) => ({
        telemetry: Object.assign(Object.create(telemetry) as typeof telemetry, {
          ingestOtlp: () =>
            Promise.reject(new PlatformError("database_unavailable", "It is away.")),
        }),
      }),
    });
    const response = await away.fetch("/v1/traces", {
      method: "POST",
      body: "{}",
      headers: {
        "content-type": "application/json",
        authorization: `Bearer ${away.keys.byRole.service}`,
      },
    });
    expect(response.status).toBe(503);
    expect(response.headers.get("retry-after")).toBe("1");
    expect(await response.json()).toMatchObject({ code: 14 });
  });

  it("leaves the server able to take the next one", async () => {
    expect(
      (await send(traceRequest(["4444444444444444"]), { type: "application/json" })).status,
    ).toBe(200);
  });
});
