import { describe, expect, it } from "vitest";

import { factsOf, traceVariants } from "../../../test/metamorphic-traces.ts";
import type { Attributes } from "../../model/span.ts";
import {
  request,
  snapshotOfSpans,
  spansOf,
  type SpanTree,
  times,
} from "../../traces/trace-builder.ts";
import { repeatedQuery } from "./repeated-query.ts";

const check = (...trees: readonly SpanTree[]) =>
  repeatedQuery.check(snapshotOfSpans(...trees.map((tree, index) => spansOf(tree, index + 1))));

const tool = (name: string, args: unknown, more: Partial<SpanTree> = {}): SpanTree => ({
  name: `execute_tool ${name}`,
  ...more,
  attributes: {
    "gen_ai.operation.name": "execute_tool",
    "gen_ai.tool.name": name,
    "gen_ai.tool.call.arguments": JSON.stringify(args),
    ...more.attributes,
  },
});
const chat = (more: Attributes = {}): SpanTree => ({
  name: "chat m",
  kind: "client",
  attributes: { "gen_ai.operation.name": "chat", "gen_ai.request.model": "m", ...more },
});
const agent = (children: readonly SpanTree[]): SpanTree =>
  request("/support", [
    {
      name: "invoke_agent support",
      attributes: { "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "support" },
      children,
    },
  ]);
const offered = (name: string, argument: string): Attributes => ({
  "gen_ai.tool.definitions": JSON.stringify([
    {
      type: "function",
      function: {
        name,
        parameters: { type: "object", properties: { [argument]: { type: "array" } } },
      },
    },
  ]),
});
const perOrder = (count: number): SpanTree[] =>
  times(count, (index) => [chat(), tool("get_order", { order_id: 4_700 + index })]).flat();

describe("fan-out/repeated-query on agents", () => {
  it("names the tool that runs once for each item although another takes a list", () => {
    const tree = agent([chat(offered("get_orders", "order_ids")), ...perOrder(8)]);
    const spans = spansOf(tree);
    const [finding, ...others] = repeatedQuery.check(snapshotOfSpans(spans));
    expect(others).toEqual([]);
    expect(finding).toMatchObject({
      verdict: "violated",
      boundary: "model-tool",
      subject: { kind: "agent", name: "orders support get_order" },
      measures: { countMax: 8, argument: "order_id", modelCallCount: 7 },
    });
    expect(finding?.evidence.map(({ locator }) => locator)).toEqual(
      spans.filter(({ name }) => name.startsWith("execute_tool")).map(({ spanId }) => spanId),
    );
  });

  it("is inconclusive when nothing shows that the tool takes many", () => {
    const [finding] = check(agent(perOrder(8)));
    expect(finding).toMatchObject({ verdict: "inconclusive" });
    expect(finding?.missing).toHaveLength(1);
  });

  it("holds for the same subject when the tool took the list", () => {
    expect(
      check(agent([chat(), tool("get_order", { order_ids: times(8, String) })])),
    ).toMatchObject([{ verdict: "holds", subject: { name: "orders support get_order" } }]);
  });

  it.each<[string, (index: number) => Attributes]>([
    [
      "OpenInference",
      (index) => ({
        "openinference.span.kind": "TOOL",
        "tool.name": "get_order",
        "input.value": `{"order_id": ${index + 100}}`,
      }),
    ],
    [
      "the AI SDK",
      (index) => ({
        "ai.operationId": "ai.toolCall",
        "ai.toolCall.name": "get_order",
        "ai.toolCall.args": `{"order_id": "A-${index + 100}"}`,
      }),
    ],
    [
      "Sentry",
      (index) => ({
        "sentry.op": "gen_ai.execute_tool",
        "gen_ai.tool.name": "get_order",
        "gen_ai.tool.input": `{"order_id": ${index + 100}}`,
      }),
    ],
  ])("reads tools as %s records them", (_, attributes) => {
    const run = (index: number): SpanTree => ({ name: "tool", attributes: attributes(index) });
    expect(check(agent(times(6, run)))).toMatchObject([
      { verdict: "inconclusive", measures: { countMax: 6, argument: "order_id" } },
    ]);
  });

  it("sees texts that are embedded one by one", () => {
    const embed = (tokens: number): SpanTree => ({
      name: "embeddings e",
      kind: "client",
      attributes: {
        "gen_ai.operation.name": "embeddings",
        "gen_ai.request.model": "e",
        "gen_ai.usage.input_tokens": tokens,
      },
    });
    expect(
      check(
        request(
          "/index",
          times(7, () => embed(120)),
        ),
      ),
    ).toMatchObject([
      {
        verdict: "violated",
        boundary: "service-service",
        subject: { name: "orders GET /index embeddings e" },
        measures: { countMax: 7 },
      },
    ]);
    expect(
      check(
        request(
          "/index",
          times(7, () => embed(7_000)),
        ),
      ),
    ).toMatchObject([{ verdict: "inconclusive" }]);
    expect(check(request("/index", [embed(120), embed(90)]))).toEqual([]);
  });
});

describe("fan-out/repeated-query is silent about agents that", () => {
  const silent: Readonly<Record<string, SpanTree>> = {
    "search with different questions": agent(
      times(7, (index) => tool("search", { query: `what is the state of order ${index}` })),
    ),
    "read one file after another": agent(
      times(7, (index) => tool("read_file", { path: `src/part-${index}.ts` })),
    ),
    "read page after page": agent(times(7, (index) => tool("list_orders", { page: index + 1 }))),
    "poll one job": agent(times(7, () => tool("get_job", { job_id: 17 }))),
    "try again after failures": agent(
      times(7, (index) => tool("get_order", { order_id: index + 100 }, { status: "error" })),
    ),
    "call different tools": agent(
      times(7, (index) => tool(`tool_${"abcdefg"[index]}`, { order_id: index + 100 })),
    ),
    "call a tool a few times": agent(perOrder(4)),
    "give arguments that are no JSON": agent(
      times(7, () => tool("run", 0, { attributes: { "gen_ai.tool.call.arguments": "{order" } })),
    ),
  };
  for (const [name, tree] of Object.entries(silent)) {
    it(name, () => expect(check(tree)).toEqual([]));
  }
});

describe("fan-out/repeated-query finds the same about agents when", () => {
  const traces = [
    spansOf(agent([chat(offered("get_orders", "ids")), ...perOrder(8)])),
    spansOf(agent([chat(offered("get_orders", "ids")), ...perOrder(6)]), 2),
  ];
  for (const variant of traceVariants(traces)) {
    it(variant.name, () => {
      const plain = { snapshot: snapshotOfSpans(...traces), renames: variant.renames };
      expect(factsOf(repeatedQuery, variant)).toEqual(factsOf(repeatedQuery, plain));
    });
  }
});
