import { assert, constantFrom, integer, property, string, tuple } from "fast-check";
import { describe, expect, it } from "vitest";

import { checkSnapshot } from "../check.ts";
import {
  get,
  graphqlOrders,
  request,
  snapshotOfSpans,
  spansOf,
  type SpanTree,
  sql,
  times,
} from "../traces/trace-builder.ts";
import type { EvidenceContent, KubernetesObject } from "../model/evidence.ts";
import type { Finding } from "../model/finding.ts";
import type { Snapshot } from "../model/snapshot.ts";
import { createSnapshot } from "./create-snapshot.ts";
import { encodeSnapshotFile } from "./file.ts";
import { redactSnapshot } from "./redact.ts";

const source = { name: "/home/alice/dump.json", format: "test", notes: [] };
const of = (...contents: readonly EvidenceContent[]): Snapshot =>
  createSnapshot(contents.map((content) => ({ source, content })));
const cluster = (...objects: readonly KubernetesObject[]): Snapshot =>
  of({ kind: "kubernetes", objects: [...objects] });
const said = (text: string): Snapshot =>
  of({
    kind: "transcript",
    turns: [{ role: "user", text, calls: [], results: [], pointer: "/0" }],
  });
const traces = (...trees: readonly SpanTree[]): Snapshot =>
  snapshotOfSpans(...trees.map((tree, index) => spansOf(tree, index + 1)));

/** The verdicts without what names the evidence, whose ids change with its content. */
const verdicts = (snapshot: Snapshot): unknown[] =>
  checkSnapshot(snapshot).map(({ verdict, subject, measures, title }: Finding) => ({
    verdict,
    subject,
    measures,
    title,
  }));

describe("redactSnapshot", () => {
  it.each([
    ["api-key", "use sk-proj-4fTgH7yU8iO9pL0kJ2hG please", "sk-proj-4fTgH7yU8iO9pL0kJ2hG"],
    ["api-key", "AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE"],
    ["api-key", "ghp_16C7e42F292c6912E7710c838347Ae178B4a", "ghp_16C7e42F29"],
    ["bearer-token", "Authorization: Bearer abc.def-123456", "abc.def-123456"],
    ["bearer-token", "jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "eyJhbGciOiJIUzI1NiJ9"],
    ["email", "write to ann.lee+x@corp.example.org now", "ann.lee"],
    ["card-number", "paid with 4111 1111 1111 1111 today", "4111 1111"],
    ["url-credential", "postgres://app:hunter2@db:5432/x", "hunter2"],
    ["secret-field", "login with password=hunter2&x=1", "hunter2"],
    ["secret-field", 'it said {"api_key": "zxcvbnm"} there', "zxcvbnm"],
    [
      "private-key",
      "-----BEGIN RSA PRIVATE KEY-----\nMIIabc\n-----END RSA PRIVATE KEY-----",
      "MIIabc",
    ],
  ] as const)("takes out what looks like a secret: %s in %j", (kind, text, secret) => {
    const { snapshot, counts } = redactSnapshot(said(text));
    expect(JSON.stringify(snapshot)).not.toContain(secret);
    expect(counts[kind]).toBe(1);
  });

  it("gives one value one placeholder and another value another", () => {
    const { snapshot, counts } = redactSnapshot(said("a@x.org b@x.org a@x.org"));
    expect(JSON.stringify(snapshot)).toContain(
      "redacted-1@example.invalid redacted-2@example.invalid redacted-1@example.invalid",
    );
    expect(counts.email).toBe(3);
  });

  it("leaves numbers that are no cards, ids and times", () => {
    const text = "1700000000000000000 4111111111111112 00000000000000000000000000000001";
    expect(redactSnapshot(said(text)).redactedCount).toBe(0);
  });

  it("keeps the keys of a Kubernetes Secret and takes out every value, in applied copies too", () => {
    const secret = {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "db" },
      data: { user: "YWRtaW4=" },
    };
    const applied = { "kubectl.kubernetes.io/last-applied-configuration": JSON.stringify(secret) };
    const { snapshot, counts } = redactSnapshot(
      cluster({ ...secret, metadata: { name: "db", annotations: applied } }),
    );
    expect(JSON.stringify(snapshot)).not.toContain("YWRtaW4");
    expect(JSON.stringify(snapshot)).toContain('"user":"[redacted-kubernetes-secret-1]"');
    expect(counts["kubernetes-secret"]).toBe(2);
  });

  it("takes out environment values and arguments whose name says secret, and no others", () => {
    const { snapshot } = redactSnapshot(
      cluster({
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name: "web" },
        spec: {
          containers: [
            {
              env: [
                { name: "DB_PASSWORD", value: "hunter2" },
                { name: "LOG_LEVEL", value: "debug" },
                { name: "dbToken", valueFrom: { secretKeyRef: { name: "db", key: "token" } } },
              ],
              args: ["--api-key", "swordfish", "--token=tuna4fish"],
            },
          ],
        },
      }),
    );
    const text = JSON.stringify(snapshot);
    expect(text).not.toMatch(/hunter2|swordfish|tuna4fish/);
    expect(text).toMatch(/debug.*secretKeyRef":\{"name":"db","key":"token"\}/);
  });

  it("keeps the field names of a document store's query", () => {
    const statement = '{"find":"users","filter":{"email":"ann"}}';
    const tree = request("/u", [sql(statement, { attributes: { "db.system.name": "mongodb" } })]);
    const text = JSON.stringify(redactSnapshot(traces(tree)).snapshot.evidence);
    expect(text).toContain("filter");
    expect(text).not.toContain("ann");
  });

  it("leaves only the file's own name of a path", () => {
    expect(redactSnapshot(said("hello")).snapshot.evidence[0]?.source.name).toBe("dump.json");
  });

  it("changes nothing when it is done again", () => {
    const once = redactSnapshot(traces(graphqlOrders(9, "one-by-one"), literalOrders(9, "mysql")));
    const twice = redactSnapshot(once.snapshot);
    expect(twice.redactedCount).toBe(0);
    expect(encodeSnapshotFile(twice.snapshot)).toEqual(encodeSnapshotFile(once.snapshot));
  });
});

/** A handler that asks for each item with a literal, and for each user of another service. */
function literalOrders(length: number, system: string): SpanTree {
  const statement = (index: number): string =>
    system === "mysql"
      ? `SELECT * FROM c WHERE mail = "u${index}@x.org"`
      : `SELECT * FROM c WHERE id = ${index}`;
  return request("/orders", [
    ...times(length, (index) =>
      sql(statement(index), { attributes: { "db.system.name": system } }),
    ),
    ...times(length, (index) => get(`http://u:pw@users/users/u${index}@x.org?token=abc${index}`)),
  ]);
}

describe("redaction and verdicts", () => {
  it.each([
    ["a GraphQL list that is loaded one by one", graphqlOrders(12, "one-by-one")],
    ["a GraphQL list that is loaded at once", graphqlOrders(12, "batched")],
    ["statements with literals", literalOrders(8, "postgresql")],
    ["statements with text in double quotes", literalOrders(8, "mysql")],
    [
      "a list of literals",
      request("/x", [sql(`SELECT * FROM c WHERE id IN (${times(9, String).join(",")})`)]),
    ],
    [
      "cut statements",
      request(
        "/x",
        times(6, (i) => sql(`SELECT * FROM c WHERE m = 'a${i}...`)),
      ),
    ],
    [
      "one statement again and again",
      request("/x", [
        ...times(8, (i) => sql(`SELECT /* request ${i} */ a FROM c WHERE m = 'a@x.org' AND n = 7`)),
        ...times(8, () =>
          sql("SELECT b FROM c WHERE m = $1", {
            attributes: { "db.query.parameter.0": "a@x.org" },
          }),
        ),
        ...times(8, () => sql("SELECT d FROM c WHERE m = '***'")),
      ]),
    ],
    [
      "retries",
      request(
        "/x",
        times(6, () => sql("SELECT * FROM c WHERE id = 7", { status: "error" })),
      ),
    ],
    [
      "failing calls",
      request(
        "/x",
        times(6, (i) => sql(`SELECT 1 FROM c WHERE id = ${i}`, { status: "error" })),
      ),
    ],
  ])("are the same before and after for %s", (_, tree) => {
    const snapshot = traces(tree);
    expect(verdicts(redactSnapshot(snapshot).snapshot)).toEqual(verdicts(snapshot));
  });

  it("are the same for generated statements", () => {
    const literal = constantFrom(
      "5",
      "'a'",
      "'it''s'",
      "x'ff'",
      "-3.5e2",
      "'u@x.org'",
      "$1",
      "NULL",
      "'?'",
    );
    assert(
      property(
        tuple(literal, literal, integer({ min: 1, max: 9 }), string({ maxLength: 12 })),
        (drawn) => {
          const [one, other, count, text] = drawn;
          const comment = text.replaceAll("*/", "");
          const statement = (index: number): string =>
            `SELECT /* ${comment} */ a FROM t WHERE b = ${index % 2 === 0 ? one : other} AND c IN (${one}, ${other})`;
          const snapshot = traces(
            request(
              "/x",
              times(count, (index) => sql(statement(index))),
            ),
          );
          expect(verdicts(redactSnapshot(snapshot).snapshot)).toEqual(verdicts(snapshot));
        },
      ),
      { numRuns: 200 },
    );
  });
});
