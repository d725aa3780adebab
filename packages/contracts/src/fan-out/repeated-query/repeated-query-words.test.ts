/** What a finding says: at which boundary it lies, and of a list only where one was seen. */

import { describe, expect, it } from "vitest";

import { checkSnapshot } from "../../check.ts";
import { repeatedQuery } from "./repeated-query.ts";
import {
  get,
  request,
  snapshotOfSpans,
  spansOf,
  type SpanTree,
  sql,
  times,
} from "../../traces/trace-builder.ts";

const check = (...trees: readonly SpanTree[]) =>
  checkSnapshot(snapshotOfSpans(...trees.map((tree, index) => spansOf(tree, index + 1))), [
    repeatedQuery,
  ]);
const customer = (): SpanTree => sql("SELECT * FROM customers WHERE id = $1");
const rpc = (): SpanTree => ({
  name: "Catalog/GetProduct",
  kind: "client",
  attributes: { "rpc.system": "grpc", "rpc.service": "Catalog", "rpc.method": "GetProduct" },
});

describe("the boundary of a repeated call", () => {
  it("is that which the calls cross, for each finding", () => {
    const findings = check(
      request(
        "/a",
        times(7, (index) => get(`http://users/users/${index}`)),
      ),
      request("/b", times(7, rpc)),
      request("/c", times(7, customer)),
    );
    expect(findings.map(({ subject, boundary }) => [subject.name, boundary])).toEqual([
      ["orders GET /c", "resolver-database"],
      ["orders GET /a", "service-service"],
      ["orders GET /b", "service-service"],
    ]);
  });

  it("is that of the batch when the list is loaded at once", () => {
    const list = sql("SELECT * FROM orders", { attributes: { "db.response.returned_rows": 10 } });
    const batches: [SpanTree, string][] = [
      [get("http://users/users?id=1,2,3,4,5,6,7,8,9,10"), "service-service"],
      [sql("SELECT * FROM customers WHERE id = ANY($1)"), "resolver-database"],
    ];
    for (const [batch, boundary] of batches) {
      expect(check(request("/orders", [list, batch]))).toMatchObject([
        { verdict: "holds", boundary },
      ]);
    }
  });
});

describe("the same call again and again", () => {
  const settings = (key = "tax"): SpanTree => sql(`SELECT * FROM settings WHERE key = '${key}'`);

  it("is said to have the same values, and is to be loaded once", () => {
    const [finding] = check(
      request(
        "/x",
        times(8, () => settings()),
      ),
    );
    expect(finding?.title).toBe(
      "orders GET /x ran the same statement 8 times with the same values in one request: select * from settings where key = ?",
    );
    const { title, expected, actual, fixes, nextChecks } = finding ?? {};
    expect(JSON.stringify({ title, expected, actual, fixes, nextChecks })).not.toMatch(
      /\blists?\b|\bitems?\b|batch|ANY\(/i,
    );
    expect(fixes?.[0]?.description).toContain("Load it once per request");
    expect(finding?.measures).toMatchObject({ basis: "repetition", hasSameValues: true });
  });

  it("knows values by the parameters", () => {
    const bound = sql("SELECT * FROM settings WHERE key = $1", {
      attributes: { "db.query.parameter.0": "tax" },
    });
    expect(
      check(
        request(
          "/x",
          times(6, () => bound),
        ),
      )[0]?.title,
    ).toContain("the same statement");
  });

  it("tells no one to load what is written", () => {
    const write = sql("INSERT INTO log (text) VALUES ('seen')");
    expect(
      check(
        request(
          "/x",
          times(6, () => write),
        ),
      )[0]?.fixes[0]?.description,
    ).toContain("Write it once per request");
  });

  it.each<[string, (index: number) => SpanTree]>([
    ["other values", (index) => settings(`key-${index}`)],
    ["values that are not recorded", customer],
    ["values that a sanitiser hides", () => settings("?")],
    ["calls that show no value", rpc],
  ])("is not claimed of %s", (_, make) => {
    const [finding] = check(request("/x", times(8, make)));
    expect(finding?.verdict).toBe("violated");
    expect(finding?.title).not.toContain("same values");
    expect(finding?.fixes[0]?.description).toContain("batched");
  });
});

describe("calls of services that load what belongs to one item", () => {
  it("say how many statements they cost behind them, and blame the caller", () => {
    const served = (index: number): SpanTree =>
      get(`http://users/users/${index + 100}`, {
        children: [
          request(
            "/users/{id}",
            [sql("SELECT * FROM users WHERE id = $1"), sql("SELECT 2 FROM a")],
            "users",
          ),
        ],
      });
    const findings = check(request("/orders", times(7, served)));
    expect(findings).toMatchObject([
      {
        verdict: "violated",
        subject: { name: "orders GET /orders" },
        measures: { countMax: 7, downstreamStatementCount: 14 },
      },
    ]);
    expect(findings[0]?.actual).toContain("the loop is in the caller");
  });
});

describe("updates with the same values again and again", () => {
  it("are inconclusive where nothing shows a list: each may be meant", () => {
    const count = sql("UPDATE counters SET n = n + 1 WHERE name = 'seen'");
    const [finding] = check(
      request(
        "/x",
        times(8, () => count),
      ),
    );
    expect(finding).toMatchObject({ verdict: "inconclusive" });
    expect(finding?.missing).toHaveLength(1);
  });
});
