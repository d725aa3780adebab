import { describe, expect, it } from "vitest";

import type { Span } from "../../model/span.ts";
import { repeatedQuery } from "./repeated-query.ts";
import {
  get,
  graphqlOrders,
  request,
  resolver,
  snapshotOfSpans,
  spansOf,
  type SpanTree,
  sql,
  times,
} from "../../traces/trace-builder.ts";

const checkSpans = (...traces: readonly Span[][]) =>
  repeatedQuery.check(snapshotOfSpans(...traces));
const check = (...trees: readonly SpanTree[]) =>
  checkSpans(...trees.map((tree, index) => spansOf(tree, index + 1)));
const verdicts = (...trees: readonly SpanTree[]) =>
  check(...trees).map((finding) => finding.verdict);
const customer = (more: Partial<SpanTree> = {}): SpanTree =>
  sql("SELECT * FROM customers WHERE id = $1", more);
const pause = 150_000;

describe("fan-out/repeated-query says nothing about", () => {
  it.each<[string, SpanTree]>([
    [
      "a fixed small number of statements",
      request(
        "/x",
        times(4, () => customer()),
      ),
    ],
    [
      "one statement each of many",
      request(
        "/x",
        times(9, (index) => sql(`SELECT * FROM t${"abcdefghi".charAt(index)} WHERE id = $1`)),
      ),
    ],
    [
      "batched loads in chunks",
      request(
        "/x",
        times(6, () => sql("SELECT * FROM t WHERE id IN ($1, $2)")),
      ),
    ],
    [
      "one statement from five different functions",
      request(
        "/x",
        ["auth", "audit", "load", "render", "log"].map((name) => ({
          name,
          children: [customer()],
        })),
      ),
    ],
    [
      "retries of a failed statement",
      request(
        "/x",
        times(8, () => customer({ status: "error" })),
      ),
    ],
    [
      "retries of a failed request",
      request(
        "/x",
        times(8, () =>
          get("http://u/users/7", { attributes: { "http.response.status_code": 503 } }),
        ),
      ),
    ],
    [
      "attempts that say they are resent",
      request(
        "/x",
        times(8, (index) =>
          get("http://u/users/7", { attributes: { "http.request.resend_count": index } }),
        ),
      ),
    ],
    [
      "pages by number",
      request(
        "/x",
        times(8, (page) => get(`http://u/users?page=${page}`)),
      ),
    ],
    [
      "pages by cursor",
      request(
        "/x",
        times(8, (page) => get(`http://u/users?limit=50&after=c${page}`)),
      ),
    ],
    [
      "files that are fetched one by one",
      request(
        "/zip",
        times(9, (index) => get(`http://store/photos/${index}00.jpg?size=small`)),
      ),
    ],
    [
      "data of pages that a browser fetches ahead",
      request(
        "/x",
        times(9, (index) => get(`http://app/_next/data/LjdprRSkUtLP0bMUoWLur/items/${index}.json`)),
      ),
    ],
    [
      "objects that are fetched one by one",
      request(
        "/x",
        times(9, () => ({
          name: "S3.GetObject",
          kind: "client",
          attributes: { "rpc.system": "aws-api", "rpc.service": "S3", "rpc.method": "GetObject" },
        })),
      ),
    ],
    [
      "pages by offset",
      request(
        "/x",
        times(8, () => sql("SELECT * FROM t ORDER BY id LIMIT $1 OFFSET $2")),
      ),
    ],
    [
      "pages by key",
      request(
        "/x",
        times(8, () => sql("SELECT * FROM t WHERE id > $1 ORDER BY id LIMIT 100")),
      ),
    ],
    [
      "polling like a timer",
      request(
        "/x",
        times(8, (index) => get("http://jobs/jobs/7", { at: 100 + index * pause })),
      ),
    ],
    [
      "a session that asks now and then",
      request(
        "/ws",
        times(8, (index) => customer({ at: 100 + index * index * 2_000_000 + index * 2_000_000 })),
      ),
    ],
    [
      "the same question to every shard",
      request(
        "/x",
        times(6, (index) =>
          sql("SELECT count(*) FROM t WHERE a = $1", {
            at: 50,
            attributes: { "server.address": `shard-${index}` },
          }),
        ),
      ),
    ],
    [
      "reads of a cache in memory",
      request(
        "/x",
        times(9, (index) =>
          sql(`GET user:${index}`, { attributes: { "db.system.name": "redis" } }),
        ),
      ),
    ],
    ["a warm-up", { name: "cache.warmUp", children: times(9, () => customer()) }],
    [
      "transactions and pings",
      request(
        "/x",
        times(9, (index) => sql(["BEGIN", "COMMIT", "SELECT 1"][index % 3] ?? "")),
      ),
    ],
    [
      "turns of a language model",
      request(
        "/agent",
        times(6, () => ({
          name: "chat gpt",
          kind: "client",
          attributes: { "gen_ai.request.model": "m", "gen_ai.operation.name": "chat" },
          children: [{ ...get("https://llm/v1/models/abc123def456"), kind: "client" }],
        })),
      ),
    ],
    [
      "tool runs that each ask once",
      request(
        "/agent",
        times(6, () => ({
          name: "execute_tool lookup",
          attributes: { "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "lookup" },
          children: [customer()],
        })),
      ),
    ],
    [
      "messages that are each handled once",
      {
        name: "poll",
        children: times(9, () => ({
          name: "orders process",
          kind: "consumer",
          children: [customer()],
        })),
      },
    ],
  ])("%s", (_, tree) => {
    expect(check(tree)).toEqual([]);
  });

  it("a number of calls that stays while the list doubles", () => {
    const list = (rows: number): SpanTree =>
      sql("SELECT * FROM orders", { attributes: { "db.response.returned_rows": rows } });
    const fixed = (rows: number): SpanTree =>
      request("/x", [list(rows), ...times(6, () => customer())]);
    expect(verdicts(fixed(20), fixed(80))).toEqual(["holds"]);
  });
});

describe("fan-out/repeated-query is inconclusive", () => {
  const onlyInconclusive = (tree: SpanTree, missing: RegExp): void => {
    const findings = check(tree);
    expect(findings.map((finding) => finding.verdict)).toEqual(["inconclusive"]);
    expect(findings[0]?.missing.join()).toMatch(missing);
  };

  it("when the parent of the calls is missing", () => {
    const spans = spansOf(
      request(
        "/orders",
        times(9, () => customer()),
      ),
    );
    const [finding, ...others] = checkSpans(spans.slice(1));
    expect(others).toEqual([]);
    expect(finding?.verdict).toBe("inconclusive");
    expect(finding?.missing[0]).toContain("which handler or resolver");
  });

  it("when the spans above the resolvers are missing", () => {
    const spans = spansOf(graphqlOrders(9, "one-by-one"));
    const cut = spans.filter(
      (span) => span.name.startsWith("graphql.resolve orders.") || span.kind === "client",
    );
    expect(checkSpans(cut).map((finding) => finding.verdict)).toEqual(["inconclusive"]);
  });

  it("when the statements are cut", () => {
    onlyInconclusive(
      request(
        "/x",
        times(6, () => sql("SELECT a FROM t WHERE b = $1 AND...")),
      ),
      /whole text/,
    );
  });

  it("when a sanitiser hides how long a list is", () => {
    onlyInconclusive(
      request(
        "/x",
        times(6, () => sql("SELECT a FROM t WHERE b IN (?)")),
      ),
      /how many values/,
    );
  });

  it("when requests that write show no list", () => {
    const post = (index: number): SpanTree =>
      get(`http://mail/send/${index}`, { attributes: { "http.request.method": "POST" } });
    onlyInconclusive(request("/x", times(6, post)), /list of another length/);
  });

  it("when requests to GraphQL do not show their documents", () => {
    onlyInconclusive(
      request(
        "/x",
        times(9, (index) => get(`http://api/graphql?query=${"abcdefghi".charAt(index)}`)),
      ),
      /documents/,
    );
    const query = (index: number): SpanTree =>
      get("http://api/resource", { attributes: { "http.query": `graphql=${index}&v=1` } });
    onlyInconclusive(request("/x", times(9, query)), /documents/);
  });

  it("about no request to GraphQL that names its operation", () => {
    const operations = (nameOf: (index: number) => string): SpanTree =>
      request(
        "/x",
        times(9, (index) =>
          get("http://api/graphql?query=q", {
            attributes: { "graphql.operation.name": nameOf(index) },
          }),
        ),
      );
    expect(check(operations((index) => "abcdefghi".charAt(index)))).toEqual([]);
    const [finding] = check(operations(() => "Customer"));
    expect(finding?.missing.join()).not.toMatch(/documents/);
  });

  it("when each call may ask for another feature flag", () => {
    const flag: SpanTree = {
      name: "flagd.evaluation.v1.Service/ResolveBoolean",
      kind: "client",
      attributes: {
        "rpc.system": "grpc",
        "rpc.service": "flagd.evaluation.v1.Service",
        "rpc.method": "ResolveBoolean",
      },
    };
    onlyInconclusive(
      request(
        "/x",
        times(9, () => flag),
      ),
      /list of another length/,
    );
  });

  it("when batches repeat, and says no wrong number of them", () => {
    const wide = sql(`SELECT a FROM t WHERE b IN (${times(100, () => "?").join(", ")})`);
    const tree = request(
      "/x",
      times(10, () => wide),
    );
    onlyInconclusive(tree, /list behind these calls/);
    expect(check(tree)[0]?.title).not.toContain("about as many");
  });

  it("when each call takes one thing from a queue", () => {
    const take = sql("SELECT * FROM jobs WHERE state = $1 LIMIT 1 FOR UPDATE SKIP LOCKED");
    onlyInconclusive(
      request(
        "/x",
        times(9, () => take),
      ),
      /a list behind the calls/,
    );
  });

  it("when lists are too short", () => {
    onlyInconclusive(graphqlOrders(1, "one-by-one"), /at least 5 items/);
  });

  it("when a batch does not say how many it asks for", () => {
    onlyInconclusive(
      request("/x", [sql("SELECT a FROM t WHERE b = ANY($1)")]),
      /length of the list/,
    );
  });

  it("when a long list needed one call by key: its items may share the key", () => {
    const first = resolver("orders.0.customer", [customer()]);
    const rest = times(19, (index) => resolver(`orders.${index + 1}.customer`));
    onlyInconclusive(request("/graphql", [first, ...rest]), /different keys/);
  });

  it("and never holds when the spans of the database are off", () => {
    const spans = spansOf(graphqlOrders(20, "one-by-one")).filter((span) => span.kind !== "client");
    expect(checkSpans(spans).filter((finding) => finding.verdict === "holds")).toEqual([]);
  });
});

describe("fan-out/repeated-query on broken traces", () => {
  it("ends for a span that is its own ancestor", () => {
    const spans = spansOf(
      request(
        "/x",
        times(6, () => customer()),
      ),
    );
    const [root, ...rest] = spans;
    const circular =
      root === undefined ? [] : [{ ...root, parentSpanId: rest[0]?.spanId ?? "" }, ...rest];
    expect(() => checkSpans(circular)).not.toThrow();
  });

  it("ends for a chain of ten thousand spans", () => {
    const spans = spansOf(request("/x", [customer()]));
    const template = spans[1];
    if (template === undefined) throw new Error("the trace has a statement");
    const chain = times(10_000, (index): Span => ({
      ...template,
      spanId: (index + 10).toString(16).padStart(16, "0"),
      parentSpanId: (index === 0 ? 1 : index + 9).toString(16).padStart(16, "0"),
      attributes: {},
    }));
    expect(checkSpans([...spans, ...chain])).toEqual([]);
  });
});
