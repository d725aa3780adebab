/** Calls for each item of a list in another dress never pass for a batched access; what only repeats is no fault. */

import {
  array,
  assert,
  boolean,
  constantFrom,
  integer,
  oneof,
  property,
  record,
  tuple,
} from "fast-check";
import { describe, expect, it } from "vitest";

import type { Finding } from "../../model/finding.ts";
import type { Attributes } from "../../model/span.ts";
import { repeatedQuery } from "./repeated-query.ts";
import {
  get,
  request,
  resolver,
  snapshotOfSpans,
  spansOf,
  type SpanTree,
  sql,
  times,
} from "../../traces/trace-builder.ts";

const check = (...trees: readonly SpanTree[]): Finding[] =>
  repeatedQuery.check(snapshotOfSpans(...trees.map((tree, index) => spansOf(tree, index + 1))));
const verdicts = (...trees: readonly SpanTree[]): string[] =>
  check(...trees).map((finding) => finding.verdict);
const rows = (count: number): Attributes => ({ "db.response.returned_rows": count });
const list = (count = 10): SpanTree =>
  sql("SELECT id, customer_id FROM orders WHERE shop = $1", { attributes: rows(count) });
const one = (statement: string, more: Partial<SpanTree> = {}): SpanTree =>
  sql(statement, { ...more, attributes: { ...rows(1), ...more.attributes } });
const byKey = "SELECT * FROM customers WHERE id = $1";
const orders = (item: (index: number) => SpanTree, count = 10): SpanTree =>
  request("/orders", [list(count), ...times(count, item)]);

describe("one call for each item is violated", () => {
  it.each<[string, (index: number) => SpanTree]>([
    ["that fetches the first row", () => one(`${byKey} FETCH FIRST $2 ROWS ONLY`)],
    ["with the offset of a mapper", () => sql("SELECT * FROM r WHERE product_id = $1 OFFSET $2")],
    ["by a key that has no pages", () => sql(`${byKey} LIMIT $2 OFFSET $3`)],
    ["with an offset that stays", () => one(`${byKey} LIMIT 1 OFFSET 0`)],
    [
      "with the offset of another dialect",
      () =>
        one(
          "SELECT * FROM customers WHERE id = @p0 ORDER BY (SELECT 1) OFFSET 0 ROWS FETCH NEXT 1 ROWS ONLY",
        ),
    ],
    ["by a list of one", () => one("SELECT * FROM customers WHERE id = ANY($1)")],
    ["by an array function", () => one("SELECT * FROM p WHERE has(roles, $1) AND id = $2")],
    [
      "by a list of two",
      () => sql("SELECT * FROM customers WHERE id IN ($1, $2)", { attributes: rows(2) }),
    ],
    ["on the first page", (index) => get(`http://crm/customers/${index}/orders?page=1`)],
    ["at the first offset", (index) => get(`http://crm/customers/${index}/orders?offset=0`)],
    ["below a path named for batches", (index) => get(`http://crm/batch/customers/${index}`)],
    ["as slow as a timer", (index) => one(byKey, { at: 20_000 + index * 160_000 })],
  ])("%s", (_, item) => {
    expect(verdicts(orders(item))).toEqual(["violated"]);
  });

  it("by lists of two, half as many as the items", () => {
    const pair = (): SpanTree => sql("SELECT * FROM customers WHERE id IN ($1, $2)");
    expect(verdicts(request("/orders", [list(20), ...times(10, pair)]))).toEqual(["violated"]);
  });
});

describe("calls about as many as the items are inconclusive", () => {
  it.each<[string, (index: number) => SpanTree, RegExp]>([
    [
      "to another address each",
      (index) => one(byKey, { attributes: { "server.address": `10.0.0.${index}` } }),
      /many machines/,
    ],
    [
      "as single reads of a cache",
      (index) => sql(`GET customer:${index}`, { attributes: { "db.system.name": "redis" } }),
      /cache/,
    ],
    ["that all fail", () => sql(byKey, { status: "error" }), /retries/],
    [
      "a second and more apart",
      (index) => one(byKey, { at: index * 1_300_000 + 20_000 }),
      /polling/,
    ],
    [
      "with an offset that is not recorded",
      () => sql("SELECT * FROM customers WHERE region = $1 LIMIT $2 OFFSET $3"),
      /pages/,
    ],
    [
      "as batches of a width that is not recorded",
      () => sql("SELECT * FROM customers WHERE id = ANY($1)"),
      /batches/,
    ],
    [
      "as batches for each item",
      () => sql(`SELECT * FROM tags WHERE id IN (${times(9, (at) => `$${at + 1}`).join(", ")})`),
      /batches/,
    ],
    [
      "in tables of their own",
      (index) => sql(`SELECT * FROM customers_${index} WHERE id = $1`),
      /another length/,
    ],
  ])("%s", (_, item, missing) => {
    const findings = check(orders(item));
    expect(findings.map((finding) => finding.verdict)).toEqual(["inconclusive"]);
    expect(findings[0]?.missing.join()).toMatch(missing);
  });

  it("even beside a batch", () => {
    const batch = sql("SELECT * FROM items WHERE order_id = ANY($1)", { attributes: rows(30) });
    const read = (index: number): SpanTree =>
      sql(`GET customer:${index}`, { attributes: { "db.system.name": "redis" } });
    expect(verdicts(request("/orders", [list(), batch, ...times(10, read)]))).toEqual([
      "inconclusive",
    ]);
  });

  it("even of many shapes together", () => {
    const batch = sql("SELECT * FROM items WHERE order_id = ANY($1)", { attributes: rows(30) });
    const read = (index: number): SpanTree =>
      sql(`GET ${"abcdefghij".charAt(index)}:1`, { attributes: { "db.system.name": "redis" } });
    const [finding] = check(request("/orders", [list(), batch, ...times(10, read)]));
    expect(finding?.verdict).toBe("inconclusive");
    expect(finding?.title).toContain("about as many as items");
  });

  it("although another list was twice as long another time", () => {
    const other = (count: number): SpanTree =>
      sql("SELECT * FROM settings", { attributes: rows(count) });
    const read = (index: number): SpanTree =>
      one(byKey, { attributes: { "server.address": `10.0.0.${index}` } });
    const trees = [100, 200].map((count) =>
      request("/orders", [list(), other(count), ...times(10, read)]),
    );
    expect(verdicts(...trees)).toEqual(["inconclusive"]);
  });

  it("even of any place, beside a batch as long as the list", () => {
    const batch = sql(
      `SELECT * FROM items WHERE id IN (${times(10, (at) => `$${at + 1}`).join()})`,
    );
    const look = (index: number): SpanTree =>
      index % 2 === 0
        ? one(`SELECT * FROM t_${"abcdefghij".charAt(index)} WHERE id = $1`)
        : get(`http://crm/${"abcdefghij".charAt(index)}/customers/${index}`);
    expect(verdicts(request("/orders", [list(), batch, ...times(10, look)]))).toEqual([
      "inconclusive",
    ]);
    // A handler that asks a few other things besides is no loop.
    expect(verdicts(request("/orders", [list(), batch, ...times(6, look)]))).toEqual(["holds"]);
  });

  it("when most items of a resolver's list make a call, of whatever shape", () => {
    const batch = sql("SELECT * FROM shops WHERE id IN ($1, $2, $3)");
    const item = (index: number): SpanTree =>
      resolver(`orders.${index}.customer`, [
        index === 0 ? batch : one(`SELECT * FROM t_${"abcdefghij".charAt(index)} WHERE id = $1`),
      ]);
    const findings = check(request("/graphql", [resolver("orders", times(6, item))]));
    expect(findings.map(({ verdict }) => verdict)).toEqual(["inconclusive"]);
  });

  it("when a resolver's loop moved to the handler", () => {
    const item = (index: number): SpanTree => resolver(`orders.${index}.customer`);
    const findings = check(
      request("/graphql", [
        list(),
        sql("SELECT * FROM shops WHERE id IN ($1, $2)"),
        ...times(10, (index) => one(`${byKey} LIMIT ${index + 1} OFFSET $2`)),
        ...times(10, item),
      ]),
    );
    expect(findings.filter(({ verdict }) => verdict === "holds")).toEqual([]);
  });
});

describe("a list holds", () => {
  const doubled = (rest: () => SpanTree[]): SpanTree[] => [
    request("/orders", [list(10), ...rest()]),
    request("/orders", [list(20), ...rest()]),
  ];

  it.each<[string, readonly SpanTree[]]>([
    ["one batch", [request("/orders", [list(), sql("SELECT * FROM c WHERE id IN ($1, $2, $3)")])]],
    [
      "a batch of shared keys",
      [
        request("/orders", [
          list(),
          sql("SELECT * FROM c WHERE id = ANY($1)", { attributes: rows(3) }),
        ]),
      ],
    ],
    [
      "a join",
      [
        request("/orders", [
          sql("SELECT * FROM orders o JOIN customers c ON c.id = o.customer_id", {
            attributes: rows(10),
          }),
        ]),
      ],
    ],
    [
      "a second result as long",
      [
        request("/orders", [
          list(),
          sql("SELECT * FROM customers WHERE shop = $1", { attributes: rows(12) }),
        ]),
      ],
    ],
    ["as many calls for a list twice as long", doubled(() => [sql(byKey)])],
  ])("by %s", (_, trees) => {
    expect(verdicts(...trees)).toEqual(["holds"]);
  });

  it("only by evidence: a list alone shows nothing", () => {
    for (const rest of [
      [],
      [sql("SELECT * FROM c WHERE id = ANY($1)", { attributes: rows(1) })],
      [sql("SELECT * FROM c WHERE id IN ($1, $2)", { status: "error" })],
      [sql("SELECT * FROM users WHERE id = $1")],
    ]) {
      const [finding, ...others] = check(request("/orders", [list(), ...rest]));
      expect(others).toEqual([]);
      expect(finding?.verdict).toBe("inconclusive");
      expect(finding?.missing.join()).toContain("a call for many items");
    }
  });
});

describe("repetition without a list is not violated", () => {
  const backOff = [0, 50, 150, 350, 750, 1_550, 3_150];
  it.each<[string, (index: number) => SpanTree]>([
    [
      "of one address with growing pauses",
      (index) =>
        get("http://jobs/jobs/42", {
          at: 100 + (backOff[index] ?? 0) * 1_000,
          attributes: { "http.response.status_code": index === 6 ? 200 : 202 },
        }),
    ],
    [
      "of one address at short intervals",
      (index) => get("http://jobs/jobs/42", { at: index * 80_000 }),
    ],
    ["of one file, in ranges", () => get("http://files/big.bin")],
    [
      "by continuation token",
      (index) => get(`http://s3/bucket?list-type=2&continuation-token=t${index}`),
    ],
    [
      "by key within one owner",
      () => sql("SELECT * FROM e WHERE tenant_id = $1 AND id > $2 ORDER BY id LIMIT $3"),
    ],
    ["of an attempt at a lock", () => sql("SELECT pg_try_advisory_lock($1)")],
    ["of a sequence", () => sql("SELECT nextval('order_id_seq')")],
    [
      "of a statement that waits for a change",
      (index) => sql("SELECT state FROM jobs WHERE id = 42", { at: 100 + index * index * 30_000 }),
    ],
    [
      "of reads of a cache of another name",
      () => sql("GET ?", { attributes: { "db.system.name": "keydb" } }),
    ],
  ])("%s", (_, make) => {
    expect(verdicts(request("/x", times(7, make)))).not.toContain("violated");
    expect(verdicts(request("/x", times(7, make)))).not.toContain("holds");
  });
});

describe("on generated lists", () => {
  const statement = constantFrom(
    byKey,
    `${byKey} LIMIT 1`,
    `${byKey} LIMIT 1 OFFSET 0`,
    `${byKey} LIMIT $2 OFFSET $3`,
    `${byKey} FETCH FIRST 1 ROWS ONLY`,
    "SELECT * FROM customers WHERE id = ANY($1)",
    "SELECT * FROM customers WHERE id IN ($1, $2)",
    "SELECT * FROM customers WHERE id > $1 ORDER BY id LIMIT 1",
  );
  const dress = record({
    statement,
    rowCount: constantFrom(undefined, 0, 1, 2),
    hasPeer: boolean(),
    pauseMicros: oneof(integer({ min: 1, max: 1_000 }), constantFrom(160_000, 1_300_000)),
    hasFailed: boolean(),
  });
  type Dress = typeof dress extends { generate: (...rest: never[]) => { value: infer T } }
    ? T
    : never;
  const treeOf = (dresses: readonly Dress[], hasResolvers: boolean): SpanTree => {
    let at = 5_000;
    const items = dresses.map((item, index) => {
      at += item.pauseMicros + 1_000;
      const call = sql(item.statement, {
        at: hasResolvers ? 1 : at,
        status: item.hasFailed ? "error" : "unset",
        attributes: {
          ...(item.rowCount === undefined ? {} : rows(item.rowCount)),
          ...(item.hasPeer ? { "server.address": `10.0.0.${index}` } : {}),
        },
      });
      return hasResolvers ? { ...resolver(`orders.${index}.customer`, [call]), at } : call;
    });
    return request("/orders", [list(dresses.length), ...items]);
  };

  it("never holds while each item has a call, whatever it looks like", () => {
    assert(
      property(
        array(dress, { minLength: 1, maxLength: 30 }),
        boolean(),
        (dresses, hasResolvers) => {
          expect(verdicts(treeOf(dresses, hasResolvers))).not.toContain("holds");
        },
      ),
      { numRuns: 400 },
    );
  });

  it("never holds while each item has a call of one look", () => {
    assert(
      property(tuple(dress, integer({ min: 1, max: 30 })), boolean(), ([item, count], graphql) => {
        const dresses = times(count, () => item);
        expect(verdicts(treeOf(dresses, graphql))).not.toContain("holds");
      }),
      { numRuns: 400 },
    );
  });
});
