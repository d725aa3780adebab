/** Loops as tracers other than OpenTelemetry record them: exactly the repeated spans are named, and nothing else. */

import { describe, expect, it } from "vitest";

import type { Attributes } from "../model/span.ts";
import {
  request,
  snapshotOfSpans,
  spansOf,
  type SpanTree,
  times,
} from "../traces/trace-builder.ts";
import { fanOutContracts } from "./contracts.ts";

const sentry = (op: string, description: string, more: Partial<SpanTree> = {}): SpanTree => ({
  name: description,
  ...more,
  attributes: { "sentry.op": op, ...more.attributes },
});
const datadog = (type: string, resource: string): SpanTree => ({
  name: `${type}.query`,
  kind: "client",
  attributes: { "span.type": type, "resource.name": resource },
});
const prisma = (statement: string): SpanTree => ({
  name: "prisma:client:operation",
  attributes: { model: "Review", method: "findMany" },
  children: [
    { name: "prisma:client:serialize" },
    {
      name: "prisma:engine:query",
      children: [
        { name: "prisma:engine:connection", attributes: { "db.system": "postgresql" } },
        {
          name: "prisma:engine:db_query",
          kind: "client",
          attributes: { "db.system": "postgresql", "db.statement": statement },
        },
        { name: "prisma:engine:serialize" },
      ],
    },
  ],
});
const grpc = (attributes: Attributes): SpanTree => ({
  name: "/shop.Catalog/GetItem",
  kind: "client",
  attributes,
});

describe("a loop is found, with exactly its calls, as it is recorded by", () => {
  const byId = "SELECT `author`.`id` FROM `author` WHERE `author`.`id` = %s LIMIT 21";
  const recorded: Readonly<Record<string, { before: SpanTree[]; item: SpanTree }>> = {
    "Sentry's SDK for Django": {
      before: [
        sentry("db", "connect", { children: [sentry("db", "SELECT VERSION(), @@sql_mode")] }),
        sentry("db", "SELECT `book`.`id` FROM `book` LIMIT 10"),
      ],
      item: sentry("db", byId),
    },
    "Sentry's SDK for Rails": {
      before: [sentry("db.sql.active_record", 'SELECT "books".* FROM "books"')],
      item: sentry(
        "db.sql.active_record",
        'SELECT "authors".* FROM "authors" WHERE "authors"."id" = $1 LIMIT $2',
      ),
    },
    "Sentry's SDK for requests": {
      before: [],
      item: sentry("http.client", "GET /api/books?book_id=7"),
    },
    Datadog: {
      before: [datadog("sql", "SELECT * FROM books LIMIT ?")],
      item: datadog("sql", byId),
    },
    Prisma: {
      before: [prisma('SELECT id FROM "Product" LIMIT $1 OFFSET $2')],
      item: prisma('SELECT id FROM "Review" WHERE "productId" = $1 OFFSET $2'),
    },
    "Sentry's operations before its descriptions in names": {
      before: [sentry("db", "db connect")],
      item: sentry("http.client", "http.client - GET http://books/api/books?book_id=7"),
    },
    "a gRPC client that names its method": { before: [], item: grpc({}) },
    OpenTracing: {
      before: [],
      item: {
        name: "query",
        kind: "unspecified",
        attributes: { "db.type": "sql", "db.statement": byId, component: "java-jdbc" },
      },
    },
  };
  for (const [name, { before, item }] of Object.entries(recorded)) {
    it(name, () => {
      // Each request asks for another book, as far as the address shows it.
      const items = times(9, (index) => ({ ...item, name: item.name.replace(/=7$/, `=${index}`) }));
      const spans = spansOf(
        request("/books/", [{ name: "view", children: [...before, ...items] }]),
      );
      const findings = fanOutContracts.flatMap((contract) =>
        contract.check(snapshotOfSpans(spans)),
      );
      expect(findings).toMatchObject([
        { contract: "fan-out/repeated-query", verdict: "violated", measures: { countMax: 9 } },
      ]);
      const last = spans.map(({ spanId }) => spanId).slice(-9 * spansPerItem(item));
      expect(findings[0]?.evidence).toHaveLength(9);
      for (const { locator } of findings[0]?.evidence ?? []) expect(last).toContain(locator);
    });
  }
});

it("a connection that is opened before each statement is no call", () => {
  const statement = (text: string): SpanTree => ({
    name: "query",
    kind: "client",
    attributes: { "db.system": "mysql", "db.statement": text },
  });
  const spans = spansOf(
    request(
      "/books/",
      times(8, () => [
        statement("connect"),
        sentry("db", "pg-pool.connect", { name: "db" }),
        statement("SELECT name FROM author WHERE id = ?"),
      ]).flat(),
    ),
  );
  const findings = fanOutContracts.flatMap((contract) => contract.check(snapshotOfSpans(spans)));
  expect(findings).toMatchObject([{ contract: "fan-out/repeated-query", verdict: "violated" }]);
  const offenders = spans.slice(1).filter((_, index) => index % 3 === 2);
  expect(findings[0]?.evidence.map(({ locator }) => locator)).toEqual(
    offenders.map(({ spanId }) => spanId),
  );
});

it("a handler is named by its description where its name only says what kind of work it is", () => {
  const byId: SpanTree = sentry("db", "SELECT name FROM author WHERE id = %s", { name: "db" });
  const described = (tree: SpanTree, description: string): SpanTree => ({
    ...tree,
    attributes: { ...tree.attributes, "sentry.description": description },
  });
  const step = (description: string): SpanTree => ({
    ...described(sentry("function", "function"), description),
    children: [described(byId, "SELECT name FROM author WHERE id = %s")],
  });
  const handler = (steps: readonly string[]): SpanTree => ({
    ...described(sentry("http.server", "http.server"), "GET /books/"),
    kind: "server",
    children: steps.map(step),
  });
  const check = (steps: readonly string[]): unknown[] =>
    fanOutContracts
      .flatMap((contract) => contract.check(snapshotOfSpans(spansOf(handler(steps)))))
      .map(({ subject, verdict }) => [verdict, subject.name.replace(/^\S+ /, "")]);
  expect(check(["auth", "audit", "load", "render", "log", "mail"])).toEqual([]);
  expect(check(times(6, () => "serialize"))).toEqual([["violated", "GET /books/"]]);
});

function spansPerItem(tree: SpanTree): number {
  return 1 + (tree.children ?? []).reduce((sum, child) => sum + spansPerItem(child), 0);
}
