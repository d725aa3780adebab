import * as fc from "fast-check";
import { Value } from "typebox/value";
import { expect, it } from "vitest";

import type { EvidenceContent } from "../model/evidence.ts";
import { Finding } from "../model/finding.ts";
import type { AttributeValue, Span } from "../model/span.ts";
import { createSnapshot } from "../snapshot/create-snapshot.ts";
import { fanOutContracts } from "./contracts.ts";

const names = [
  "db.system",
  "db.system.name",
  "db.statement",
  "db.query.text",
  "db.operation.name",
  "db.collection.name",
  "db.response.returned_rows",
  "db.query.parameter.0",
  "db.shard.id",
  "sql.query",
  "http.request.method",
  "http.method",
  "url.full",
  "http.url",
  "url.path",
  "http.response.body.size",
  "http.response.status_code",
  "rpc.system",
  "rpc.service",
  "rpc.method",
  "grpc.method",
  "graphql.field.path",
  "graphql.operation.name",
  "sentry.op",
  "sentry.description",
  "span.type",
  "span.kind",
  "resource.name",
  "component",
  "cache.hit",
  "cache.key",
  "cache.result",
  "messaging.system",
  "messaging.destination.name",
  "messaging.message.body.size",
  "messaging.destination.partition.id",
  "server.address",
  "gen_ai.operation.name",
  "gen_ai.tool.name",
  "gen_ai.tool.call.arguments",
  "gen_ai.tool.definitions",
  "gen_ai.request.model",
  "gen_ai.usage.input_tokens",
  "pool.wait_ms",
  "db.client.connection.pool.name",
  "exception.message",
  "error",
  "__proto__x",
  "",
] as const;
const texts = [
  "SELECT * FROM users WHERE id = 7",
  "SELECT * FROM users WHERE id IN (?)",
  "select count(*) from a",
  "BEGIN",
  "COMMIT",
  "GET key:1",
  "SET key:1 x",
  "INSERT INTO a VALUES (1), (2)",
  '{"find": "a"}',
  "GET",
  "POST",
  "http://users/users/7?page=2",
  "/a/b?ids=1,2,3",
  "redis",
  "postgresql",
  "mongodb",
  "grpc",
  "kafka",
  "shop.A/Get",
  "orders.0.customer",
  "db.sql.query",
  "http.client",
  "gen_ai.execute_tool",
  "execute_tool",
  "chat",
  "embeddings",
  "invoke_agent",
  '{"id": 7}',
  "[1, 2",
  "true",
  "false",
  "miss",
  "pool exhausted",
  "client",
  "shard-3",
  "%",
  "SELECT '",
  "\u0000",
  "💥",
  "SELECT * FROM a WHERE b = 'x' LIMIT 5",
  "pg-pool.connect",
  "connect",
] as const;

const scalar: fc.Arbitrary<AttributeValue> = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...texts) },
  fc.integer({ min: -5, max: 3_000_000 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.boolean(),
  fc.constant(null),
  fc.array(fc.constantFrom(...texts), { maxLength: 3 }),
  fc.string({ unit: "binary", maxLength: 30 }),
);
const span = (count: number): fc.Arbitrary<Span> =>
  fc
    .record({
      trace: fc.integer({ min: 1, max: 2 }),
      id: fc.integer({ min: 1, max: count }),
      parent: fc.option(fc.integer({ min: 1, max: count + 3 }), { nil: undefined }),
      name: fc.constantFrom(...texts, "pool.acquire", "graphql.resolve a.0.b", "cache.get"),
      kind: fc.constantFrom<Span["kind"]>(
        "server",
        "client",
        "internal",
        "consumer",
        "producer",
        "unspecified",
      ),
      service: fc.constantFrom("a", "b"),
      start: fc.integer({ min: 0, max: 40 }),
      length: fc.integer({ min: 0, max: 3_000 }),
      code: fc.constantFrom<Span["status"]["code"]>("unset", "unset", "error"),
      attributes: fc.dictionary(fc.constantFrom(...names), scalar, { maxKeys: 6 }),
    })
    .map(({ trace, id, parent, start, length, code, ...rest }) => ({
      name: rest.name,
      kind: rest.kind,
      service: rest.service,
      attributes: rest.attributes,
      traceId: trace.toString(16).padStart(32, "0"),
      spanId: id.toString(16).padStart(16, "0"),
      ...(parent === undefined ? {} : { parentSpanId: parent.toString(16).padStart(16, "0") }),
      startMicros: start * 100_000,
      durationNanos: length * 1_000_000,
      status: { code },
      resource: {},
      scope: { name: "fuzz" },
      events: [{ name: rest.name, timeMicros: 1, attributes: rest.attributes }],
      links: [],
    }));

const contents = fc.array(span(60), { maxLength: 80 }).map((spans): EvidenceContent[] =>
  ["1", "2"].map((trace) => ({
    kind: "trace",
    traceId: trace.padStart(32, "0"),
    spans: spans.filter(({ traceId }) => traceId === trace.padStart(32, "0")),
  })),
);

it("finds something that fits its schema, or nothing, in whatever spans there are", () => {
  fc.assert(
    fc.property(contents, (parts) => {
      const snapshot = createSnapshot(
        parts.map((content) => ({ source: { name: "f", format: "f", notes: [] }, content })),
      );
      for (const contract of fanOutContracts) {
        // The smallest thresholds let the most come through.
        const eager = contract.with(
          Object.fromEntries(
            contract.options
              .filter(({ default: value }) => typeof value === "number")
              .map(({ name }) => [name, name.endsWith("Max") ? 2 : 0]),
          ),
        );
        for (const finding of [...contract.check(snapshot), ...eager.check(snapshot)]) {
          expect([contract.id, ...Value.Errors(Finding, finding)]).toEqual([contract.id]);
          expect(finding.missing.length > 0).toBe(finding.verdict === "inconclusive");
          expect(finding.evidence.length).toBeGreaterThan(0);
          expect(finding.contract).toBe(contract.id);
        }
      }
    }),
    { numRuns: 150 },
  );
});
