import { assert, property, string } from "fast-check";
import { describe, expect, it } from "vitest";

import { sqlShape } from "./sql-fingerprint.ts";
import { sqlTokens } from "./sql-tokens.ts";

describe("sqlShape", () => {
  it.each([
    [
      "SELECT * FROM a WHERE id IN (1, 2,3) AND x='it''s' -- why\n",
      "select * from a where id in (?) and x = ?",
    ],
    ['/* app:x */ SELECT "A"."b" FROM "A" LIMIT $2', "select a.b from a limit ?"],
    ["SELECT x::text[], '5'::numeric(10,2) FROM t", "select x, ? from t"],
    ["INSERT INTO t (a,b) VALUES (1,2),(3,4),(5,6)", "insert into t(a, b) values (?)"],
    ["insert into t (a,b) values ($1,$2)", "insert into t(a, b) values (?)"],
    ["SELECT * FROM t WHERE a IN (-1, -2)", "select * from t where a in (?)"],
    ["SELECT * FROM t WHERE a = -1", "select * from t where a = ?"],
    ["SELECT a - 1 FROM t", "select a - ? from t"],
    ["SELECT * FROM t WHERE (a,b) IN ((1,2),(3,4))", "select * from t where (a, b) in ((?))"],
    [
      "select `a`.`b` from [dbo].[t] where c=@p0 and d=:name and e=%s and f=%(x)s # tail",
      "select a.b from dbo.t where c = ? and d = ? and e = ? and f = ?",
    ],
    ["SELECT $$a'b$$, $t$x'$t$, E'a\\'b', 0xFF, 1.5e-3", "select ?, ?, ?, ?, ?"],
    ["SELECT json->'a'->>'b', data#>>'{a,b}' FROM t", "select json -> ? ->> ?, data #>> ? from t"],
    ["SELECT * FROM customers WHERE id = 5...", "select * from customers where id = ?"],
    ["select 'open", "select ?"],
    ["", ""],
  ])("reduces %j", (statement, fingerprint) => {
    expect(sqlShape(statement).fingerprint).toBe(fingerprint);
  });

  it.each([
    ["SELECT * FROM t WHERE a IN (1,2,3)", { listValueCount: 3, isListHidden: false }],
    ["SELECT * FROM t WHERE a = ANY(ARRAY[1,2,3])", { listValueCount: 3 }],
    ["SELECT * FROM t WHERE a IN ($1)", { listValueCount: 1, isListHidden: false }],
    ["SELECT * FROM t WHERE a IN (?)", { listValueCount: 1, isListHidden: true }],
    ["SELECT * FROM t WHERE a = ANY($1::uuid[])", { takesArray: true }],
    ["SELECT * FROM unnest($1::int[]) u JOIN t USING (id)", { takesArray: true }],
    ["SELECT * FROM t WHERE a = $1 …", { truncated: true }],
    ["WITH x AS (SELECT 1) DELETE FROM t USING x", { verb: "delete" }],
    ["with x as (select 1) select * from x", { verb: "select" }],
    ["(SELECT 1) UNION (SELECT 2)", { verb: "select" }],
  ])("tells lists and verbs of %j", (statement, shape) => {
    expect(sqlShape(statement)).toMatchObject(shape);
  });

  it("takes double quotes as text where the database does", () => {
    expect(sqlShape('SELECT * FROM t WHERE a = "x"', "text").fingerprint).toBe(
      "select * from t where a = ?",
    );
  });

  it("counts the values of a list in a query that is a document", () => {
    const shape = sqlShape('{"find":"u","filter":{"_id":{"$in":["a","b","c"]}}}', "text");
    expect(shape).toMatchObject({ listValueCount: 3 });
    expect(sqlShape('{"find":"u","filter":{"_id":{"$in":["a","b"]}}}', "text").fingerprint).toBe(
      shape.fingerprint,
    );
  });

  it("ends for any text, and its tokens lie in order within it", () => {
    assert(
      property(string({ maxLength: 300, unit: "binary" }), (text) => {
        expect(typeof sqlShape(text).fingerprint).toBe("string");
        let end = 0;
        for (const token of sqlTokens(text)) {
          expect(token.start).toBeGreaterThanOrEqual(end);
          expect(token.end).toBeGreaterThan(token.start);
          end = token.end;
        }
        expect(end).toBeLessThanOrEqual(text.length);
      }),
      { numRuns: 2_000 },
    );
  });

  it("takes time in proportion to the text", () => {
    for (const piece of ["(", "'", "/*", "?,", "((?),", "- ", "$a$", "[a", "::"]) {
      expect(typeof sqlShape(piece.repeat(8_000)).fingerprint).toBe("string");
    }
  });
});
