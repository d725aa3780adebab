import { describe, expect, it } from "vitest";

import { factsOf, traceVariants } from "../../test/metamorphic-traces.ts";
import type { Attributes } from "../model/span.ts";
import {
  get,
  request,
  snapshotOfSpans,
  spansOf,
  type SpanTree,
  sql,
} from "../traces/trace-builder.ts";
import { payloadSize } from "./payload-size.ts";

const check = (...trees: readonly SpanTree[]) =>
  payloadSize.check(snapshotOfSpans(...trees.map((tree, index) => spansOf(tree, index + 1))));

const answered = (bytes: number | string, more: Partial<SpanTree> = {}): SpanTree => {
  const tree = request("/orders", more.children ?? []);
  const size = { "http.response.body.size": bytes };
  return { ...tree, durationMicros: 400_000, ...more, attributes: { ...tree.attributes, ...size } };
};
const fetched = (attributes: Attributes, more: Partial<SpanTree> = {}): SpanTree =>
  get("http://catalog/items", { durationMicros: 300_000, ...more, attributes });

describe("fan-out/payload-size", () => {
  it("names answers beyond the budget, and only those", () => {
    const [finding, ...others] = check(answered(5_000_000), answered(2_000), answered(1_200_000));
    expect(others).toEqual([]);
    expect(finding).toMatchObject({
      verdict: "violated",
      subject: { kind: "handler", name: "orders GET /orders" },
      measures: { responseBytesMax: 5_000_000, requestCountLarge: 2, requestCount: 3 },
    });
    expect(finding?.evidence).toHaveLength(2);
    expect(finding?.evidence[0]?.quote).toBe("5 MB");
  });

  it.each<[string, Attributes]>([
    ["the new convention", { "http.response.body.size": 4_000_000 }],
    ["the old convention", { "http.response_content_length": 4_000_000 }],
    ["text", { "http.response_content_length": "4000000" }],
    ["a header", { "http.response.header.content-length": ["4000000"] }],
    ["Sentry", { "http.decoded_response_content_length": 4_000_000 }],
  ])("reads the size of a fetched answer by %s", (_, attributes) => {
    expect(check(request("/orders", [fetched(attributes)]))).toMatchObject([
      { verdict: "violated", measures: { responseBytesMax: 4_000_000 } },
    ]);
  });

  it("adds up the messages that a call by gRPC received", () => {
    const spans = spansOf(
      request("/orders", [
        {
          name: "shop.Catalog/ListItems",
          kind: "client",
          durationMicros: 200_000,
          attributes: {
            "rpc.system": "grpc",
            "rpc.method": "ListItems",
            "rpc.service": "shop.Catalog",
          },
        },
      ]),
    );
    const event = (type: string, size: number) => ({
      name: "message",
      timeMicros: 1,
      attributes: { "message.type": type, "message.uncompressed_size": size },
    });
    const events = [
      event("SENT", 9_000_000),
      event("RECEIVED", 800_000),
      event("RECEIVED", 800_000),
    ];
    const changed = spans.map((span, index) => (index === 1 ? { ...span, events } : span));
    expect(payloadSize.check(snapshotOfSpans(changed))).toMatchObject([
      { verdict: "violated", measures: { responseBytesMax: 1_600_000 } },
    ]);
  });

  it("sees a service that fetches far more than it returns", () => {
    const pages = [1, 2, 3].map(() => fetched({ "http.response.body.size": 600_000 }));
    const [finding] = check(answered(1_000, { children: pages }));
    expect(finding).toMatchObject({
      verdict: "violated",
      measures: { fetchedBytes: 1_800_000, returnedBytes: 1_000, amplification: 1_800 },
    });
    expect(finding?.evidence).toHaveLength(3);
  });

  it("holds with the largest size where all are within the budget", () => {
    expect(check(answered(2_000), answered(30_000))).toMatchObject([
      { verdict: "holds", measures: { bytesMax: 30_000, requestCount: 2 } },
    ]);
  });

  it("claims no more than is recorded", () => {
    const small = fetched({ "http.response.body.size": 2_000 });
    const titleOf = (...calls: SpanTree[]): string =>
      check(request("/orders", calls))[0]?.title ?? "";
    expect(titleOf(small)).toMatch(/in one request$/);
    expect(titleOf(small, get("http://other/things"))).toContain("where sizes are recorded");
  });

  it("says nothing about an answer that is an attachment", () => {
    const report = (more: Attributes): SpanTree =>
      request("/x", [
        get("http://api/reports/7", {
          durationMicros: 900_000,
          attributes: { "http.response.body.size": 50_000_000, ...more },
        }),
      ]);
    const header = "http.response.header.content-disposition";
    expect(check(report({ [header]: ['attachment; filename="a.pdf"'] }))).toEqual([]);
    expect(check(report({ [header]: ["inline"] }))).toMatchObject([{ verdict: "violated" }]);
  });

  it("names the tool whose result made an agent's context explode", () => {
    const chat = (tokens: number): SpanTree => ({
      name: "chat gpt",
      kind: "client",
      attributes: {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "m",
        "gen_ai.usage.input_tokens": tokens,
      },
    });
    const tool = (name: string): SpanTree => ({
      name: `execute_tool ${name}`,
      attributes: { "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": name },
    });
    const agent = (last: number): SpanTree => ({
      name: "invoke_agent support",
      attributes: { "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "support" },
      children: [chat(1_200), tool("find_order"), chat(2_000), tool("list_tickets"), chat(last)],
    });
    expect(check(agent(61_000))).toMatchObject([
      {
        verdict: "violated",
        boundary: "model-tool",
        subject: { kind: "agent", name: "orders support" },
        measures: { tokensAdded: 59_000, tool: "list_tickets" },
      },
    ]);
    expect(check(agent(9_000))).toEqual([]);
  });

  it("judges messages where they are published", () => {
    const publish = (bytes: number): SpanTree => ({
      name: "orders publish",
      kind: "producer",
      attributes: {
        "messaging.system": "kafka",
        "messaging.destination.name": "orders",
        "messaging.message.body.size": bytes,
      },
    });
    expect(check(request("/orders", [publish(3_000_000), publish(900)]))).toMatchObject([
      {
        verdict: "violated",
        subject: { kind: "destination", name: "orders orders" },
        measures: { messageBytesMax: 3_000_000, messageCountLarge: 1, messageCount: 2 },
      },
    ]);
    expect(check(request("/orders", [publish(900)]))).toEqual([]);
  });
});

describe("fan-out/payload-size is silent about", () => {
  const silent: Readonly<Record<string, SpanTree>> = {
    "calls without sizes": request("/orders", [
      get("http://catalog/items"),
      sql("SELECT 1 FROM a"),
    ]),
    "large answers that cost no time": answered(5_000_000, { durationMicros: 3_000 }),
    "files that are downloaded": request("/orders", [
      get("http://cdn/assets/catalog.zip", {
        durationMicros: 900_000,
        attributes: { "http.response.body.size": 80_000_000 },
      }),
    ]),
    "failed calls": request("/orders", [
      fetched({ "http.response.body.size": 9_000_000 }, { status: "error" }),
    ]),
    "sizes that are no sizes": request("/orders", [
      fetched({ "http.response.body.size": "large" }),
      fetched({ "http.response.body.size": -1 }),
      fetched({ "http.response.body.size": null }),
    ]),
  };
  for (const [name, tree] of Object.entries(silent)) {
    it(name, () => expect(check(tree)).toEqual([]));
  }
});

describe("fan-out/payload-size finds the same when", () => {
  const traces = [
    spansOf(answered(5_000_000)),
    spansOf(answered(2_000), 2),
    spansOf(request("/items", [fetched({ "http.response.body.size": 4_000_000 })]), 3),
  ];
  for (const variant of traceVariants(traces)) {
    it(variant.name, () => {
      const plain = { snapshot: snapshotOfSpans(...traces), renames: variant.renames };
      expect(factsOf(payloadSize, variant)).toEqual(factsOf(payloadSize, plain));
    });
  }
});
