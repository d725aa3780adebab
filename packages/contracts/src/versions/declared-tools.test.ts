import { describe, expect, it } from "vitest";

import { checkSnapshot } from "../check.ts";
import type { Finding } from "../model/finding.ts";
import type { Attributes, Span } from "../model/span.ts";
import { readEvidence } from "../readers/read-evidence.ts";
import { snapshotOf } from "../snapshot/create-snapshot.ts";
import { hashOfDocument } from "./bundles/bundle-hash.ts";
import { callsOf, snapshotOfSpans, startMicros } from "./canary/canary-maker.ts";
import { declaredTools } from "./declared-tools.ts";

const findOrder = {
  name: "find_order",
  description: "Finds an order by its number.",
  parameters: {
    type: "object",
    properties: { number: { type: "string" }, limit: { type: "integer" } },
    required: ["number"],
  },
};
const refund = {
  name: "refund_order",
  description: "Pays an order back.",
  parameters: {
    type: "object",
    properties: { number: { type: "string" }, reason: { enum: ["late", "broken"] } },
    required: ["number"],
  },
};
const document = { targets: [{ model: "openai/gpt-4o" }], tools: [findOrder, refund] };

function spansWith(tools: unknown, attributes: Attributes = {}): Span[] {
  return callsOf([
    { count: 3, attributes: { ...attributes, "gen_ai.tool.definitions": JSON.stringify(tools) } },
  ]);
}

function findingsOf(files: Readonly<Record<string, unknown>>, spans: readonly Span[]): Finding[] {
  const { evidence, unreadable } = readEvidence(
    Object.entries(files).map(([name, value]) => ({
      name,
      bytes: new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value)),
    })),
  );
  expect(unreadable).toEqual([]);
  return checkSnapshot(snapshotOf([...evidence, ...snapshotOfSpans(spans).evidence]), [
    declaredTools,
  ]);
}

const underBundle = { "faultline.bundle.hash": hashOfDocument(document) };

describe("the tools of a bundle", () => {
  it("hold where requests under its hash carry them, with more of the caller's own", () => {
    const mine = { name: "mine", parameters: { type: "object", properties: {} } };
    const [finding, ...others] = findingsOf(
      { "support.json": document },
      spansWith([findOrder, refund, mine], underBundle),
    );
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ verdict: "holds", subject: { name: "support" } });
  });

  it.each<readonly [string, unknown, string]>([
    ["is missing", [findOrder], "refund_order is missing"],
    ["has another name", [findOrder, { ...refund, name: "repay" }], "refund_order is called repay"],
    [
      "has a renamed argument",
      [
        refund,
        {
          ...findOrder,
          parameters: {
            ...findOrder.parameters,
            properties: { orderNumber: { type: "string" }, limit: { type: "integer" } },
          },
        },
      ],
      "number is missing",
    ],
    [
      "has an argument of another type",
      [
        refund,
        {
          ...findOrder,
          parameters: {
            ...findOrder.parameters,
            properties: { number: { type: "integer" }, limit: { type: "integer" } },
          },
        },
      ],
      "number is string as declared and number there",
    ],
    [
      "has other values",
      [
        findOrder,
        {
          ...refund,
          parameters: {
            ...refund.parameters,
            properties: { number: { type: "string" }, reason: { enum: ["late"] } },
          },
        },
      ],
      'reason is one of "broken", "late" as declared and of "late" there',
    ],
  ])("are violated where one %s, with both quoted", (_name, tools, words) => {
    const [finding] = findingsOf({ "support.json": document }, spansWith(tools, underBundle));
    expect(finding).toMatchObject({ verdict: "violated", causeKind: "configuration" });
    expect(finding?.title).toContain(words);
    expect(finding?.evidence.map(({ quote }) => quote?.split(":", 1)[0])).toEqual([
      "declared",
      "carried",
    ]);
  });

  it("are not held against requests under another hash, and wait for requests that tell their tools", () => {
    expect(findingsOf({ "support.json": document }, spansWith([]))).toEqual([]);
    const [finding] = findingsOf(
      { "support.json": document },
      callsOf([{ count: 3, attributes: underBundle }]),
    );
    expect(finding).toMatchObject({ verdict: "inconclusive" });
  });
});

describe("the tools of a server", () => {
  const declared = {
    tools: [findOrder, refund].map(({ parameters, ...tool }) => ({
      ...tool,
      inputSchema: parameters,
    })),
  };

  it.each<readonly [string, unknown]>([
    ["as they are", [findOrder, refund]],
    [
      "with the prefix of their server",
      [findOrder, refund].map((tool) => ({ ...tool, name: `mcp__shop__${tool.name}` })),
    ],
    [
      "in the strict form of a provider",
      [
        {
          type: "function",
          function: {
            ...findOrder,
            strict: true,
            parameters: {
              type: "object",
              additionalProperties: false,
              required: ["number", "limit"],
              properties: { number: { type: "string" }, limit: { type: ["integer", "null"] } },
            },
          },
        },
        refund,
      ],
    ],
    [
      "in capitals, as another provider wants them",
      [
        {
          ...findOrder,
          parameters: {
            type: "OBJECT",
            properties: { number: { type: "STRING" }, limit: { type: "NUMBER" } },
            required: ["number"],
          },
        },
        refund,
      ],
    ],
    [
      "without an argument that the application fills in",
      [
        {
          ...findOrder,
          parameters: {
            type: "object",
            properties: { number: { type: "string" } },
            required: ["number"],
          },
        },
        refund,
      ],
    ],
    ["one of them alone", [refund]],
  ])("hold where requests carry them %s", (_name, tools) => {
    expect(
      findingsOf({ "tools.json": declared }, spansWith(tools)).map(({ verdict }) => verdict),
    ).toEqual(["holds"]);
  });

  it("are violated where the application has an older schema", () => {
    const old = {
      ...findOrder,
      parameters: {
        type: "object",
        properties: { number: { type: "integer" }, limit: { type: "integer" } },
        required: ["number"],
      },
    };
    const [finding] = findingsOf({ "tools.json": declared }, spansWith([old, refund]));
    expect(finding).toMatchObject({
      verdict: "violated",
      subject: { name: "find_order, refund_order: find_order" },
    });
  });

  it("say nothing of another application that has a tool of the same name", () => {
    const other = {
      name: "find_order",
      description: "Sorts a list.",
      parameters: {
        type: "object",
        properties: { items: { type: "array" }, descending: { type: "boolean" } },
      },
    };
    expect(findingsOf({ "tools.json": declared }, spansWith([other]))).toEqual([]);
  });

  it("may be those of before for a conversation that began before the list changed", () => {
    const text = (micros: number): string => new Date(micros / 1_000).toISOString();
    const older = declared.tools.map((tool) =>
      tool.name === "find_order"
        ? {
            ...tool,
            inputSchema: {
              type: "object",
              properties: { number: { type: "integer" }, limit: { type: "integer" } },
              required: ["number"],
            },
          }
        : tool,
    );
    const log = (changedAt: number): string =>
      [
        {
          time: text(startMicros - 7_200e6),
          message: { jsonrpc: "2.0", id: 1, method: "tools/list" },
        },
        {
          timestamp: text(startMicros - 7_200e6),
          message: { jsonrpc: "2.0", id: 1, result: { tools: older } },
        },
        { timestamp: text(changedAt), message: { jsonrpc: "2.0", id: 2, method: "tools/list" } },
        {
          timestamp: text(changedAt),
          message: { jsonrpc: "2.0", id: 2, result: { tools: declared.tools } },
        },
      ]
        .map((line) => JSON.stringify(line))
        .join("\n");
    const carriesOld = [{ ...findOrder, parameters: older[0]?.inputSchema }, refund];
    const verdictsOf = (changedAt: number): string[] =>
      findingsOf({ "mcp.log": log(changedAt) }, spansWith(carriesOld)).map(
        ({ verdict }) => verdict,
      );
    expect(verdictsOf(startMicros + 7_200e6)).toEqual(["holds"]);
    expect(verdictsOf(startMicros - 3_600e6)).toEqual(["violated"]);
  });
});
