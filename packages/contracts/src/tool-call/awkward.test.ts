/** Correct conversations that are written loosely, begin or end in the middle, or follow the habits of one producer. */

import { describe, expect, test } from "vitest";

import type { Finding } from "../model/finding.ts";
import { readEvidence } from "../readers/read-evidence.ts";
import { snapshotOf } from "../snapshot/create-snapshot.ts";
import { toolCallContracts } from "./contracts.ts";
import { toolCallSchema } from "./schema.ts";

function check(text: string, contracts = toolCallContracts): Finding[] {
  const { evidence, unreadable } = readEvidence([
    { name: "evidence", bytes: new TextEncoder().encode(text) },
  ]);
  expect(unreadable).toEqual([]);
  const snapshot = snapshotOf(evidence);
  return contracts.flatMap((contract) => contract.check(snapshot));
}

const json = (value: unknown): string => JSON.stringify(value);
const lines = (...values: unknown[]): string => values.map(json).join("\n");
const wrong = (findings: readonly Finding[]): string[] =>
  findings
    .filter(({ verdict }) => verdict === "violated")
    .map(({ contract, title }) => `${contract}: ${title}`);

const user = { role: "user", content: "go on with 5 and order ord_5512ab" };
const done = { role: "assistant", content: "The work is finished." };
const tool = (name: string, parameters: unknown): unknown => ({
  type: "function",
  function: { name, description: "d", parameters },
});
const call = (name: string, given: unknown, id = "call_1"): unknown => ({
  role: "assistant",
  content: null,
  tool_calls: [
    {
      id,
      type: "function",
      function: { name, arguments: typeof given === "string" ? given : json(given) },
    },
  ],
});
const result = (content: unknown, id = "call_1"): unknown => ({
  role: "tool",
  tool_call_id: id,
  content: typeof content === "string" ? content : json(content),
});
const object = (properties: unknown, required: unknown = []): unknown => ({
  type: "object",
  properties,
  required,
});
const chat = (parameters: unknown, given: unknown, name = "do_it"): string =>
  json({
    tools: [tool(name, parameters)],
    messages: [user, call(name, given), result({ value: 1 }), done],
  });

describe("loosely written schemas", () => {
  test.each<[string, unknown, unknown]>([
    ["an integer as 5.0", object({ n: { type: "integer" } }), '{"n": 5.0}'],
    ["an integer in exponent notation", object({ n: { type: "integer" } }), '{"n": 1e3}'],
    [
      "an integer for a float",
      { type: "dict", properties: { n: { type: "float" } }, required: ["n"] },
      { n: 5 },
    ],
    [
      "an enum of texts for an integer, given as an integer",
      object({ n: { type: "integer", enum: ["5", "10"] } }),
      { n: 5 },
    ],
    [
      "an enum of texts for an integer, given as a text",
      object({ n: { type: "integer", enum: ["5", "10"] } }),
      { n: "5" },
    ],
    ["an enum of numbers for a text", object({ n: { type: "string", enum: [5, 10] } }), { n: "5" }],
    [
      "an enum of words for a boolean",
      object({ n: { type: "boolean", enum: ["true", "false"] } }),
      { n: true },
    ],
    [
      "types in upper case",
      { type: "OBJECT", properties: { n: { type: "INTEGER" }, s: { type: "String" } } },
      { n: 5, s: "a" },
    ],
    [
      "Java's types",
      object({
        a: { type: "ArrayList", items: { type: "String" } },
        m: { type: "HashMap" },
        l: { type: "long" },
        c: { type: "char" },
      }),
      { a: ["x"], m: { k: 1 }, l: 5, c: "x" },
    ],
    [
      "Python's types",
      object({
        a: { type: "List[int]" },
        b: { type: "Optional[str]" },
        c: { type: "Union[int, float]" },
        d: { type: "Dict[str, Any]" },
        e: { type: "tuple" },
        f: { type: "str, optional" },
      }),
      { a: [1], b: null, c: 1.5, d: { x: [] }, e: [1, 2], f: "x" },
    ],
    [
      "alternatives in words",
      object({
        a: { type: "string or integer" },
        b: { type: "string | null" },
        c: { type: "array of strings" },
        d: { type: "string[]" },
      }),
      { a: 5, b: null, c: ["x"], d: ["y"] },
    ],
    ["any", object({ a: { type: "any" } }), { a: [1] }],
    [
      "required on the property",
      {
        type: "object",
        properties: {
          a: { type: "string", required: true },
          b: { type: "string", required: false },
        },
      },
      { a: "x" },
    ],
    [
      "optional fields listed apart",
      { type: "object", properties: { a: { type: "string" } }, required: ["a"], optional: ["b"] },
      { a: "x" },
    ],
    [
      "parameters by their names",
      {
        a: { type: "str", description: "d" },
        b: { type: "int, optional", description: "d", default: 3 },
      },
      { a: "x" },
    ],
    [
      "parameters in a list",
      [
        { name: "a", type: "string", required: true },
        { name: "b", type: "integer", required: false },
      ],
      { a: "x" },
    ],
    [
      "bounds of draft 4",
      object({ n: { type: "number", minimum: 0, exclusiveMinimum: true } }),
      { n: 5 },
    ],
    [
      "definitions of draft 7",
      {
        type: "object",
        properties: { p: { $ref: "#/definitions/P" } },
        definitions: { P: object({ x: { type: "number" } }, ["x"]) },
      },
      { p: { x: 5 } },
    ],
    [
      "pydantic's optional",
      object({ a: { anyOf: [{ type: "string" }, { type: "null" }], default: null, title: "A" } }),
      { a: null },
    ],
    [
      "a strict schema with unions",
      {
        ...(object(
          {
            a: { type: ["string", "null"] },
            k: {
              anyOf: [
                object({ t: { const: "x" }, v: { type: "string" } }, ["t", "v"]),
                object({ t: { const: "y" } }, ["t"]),
              ],
            },
          },
          ["a", "k"],
        ) as object),
        additionalProperties: false,
      },
      { a: null, k: { t: "y" } },
    ],
    [
      "a pattern with look-ahead",
      object({ a: { type: "string", pattern: "^(?=.*\\d).+$" } }),
      { a: "x5" },
    ],
    ["a format", object({ a: { type: "string", format: "date-time" } }), { a: "tomorrow" }],
    [
      "a map of free keys",
      object({ m: { type: "object", additionalProperties: { type: "string" } } }),
      { m: { any: "x" } },
    ],
    [
      "a field named like a keyword",
      object({
        type: { type: "string" },
        properties: { type: "array", items: { type: "string" } },
        required: { type: "boolean" },
      }),
      { type: "x", properties: ["a"], required: true },
    ],
    ["a schema that is no more than its type", { type: "object" }, {}],
    ["a type that nobody knows", object({ a: { type: "quaternion" } }), { a: [1, 2, 3, 4] }],
    [
      "required fields that are not described",
      object({ a: { type: "string" } }, ["a", "b"]),
      { a: "x" },
    ],
  ])("%s", (_what, parameters, given) => {
    expect(wrong(check(chat(parameters, given), [toolCallSchema]))).toEqual([]);
  });

  test("names that providers rewrite", () => {
    const of = (advertised: string, called: string): string[] =>
      wrong(
        check(
          json({
            tools: [tool(advertised, object({}))],
            messages: [user, call(called, {}), result("ok"), done],
          }),
          [toolCallSchema],
        ),
      );
    expect(of("math.factorial", "math_factorial")).toEqual([]);
    expect(of("mcp/fs:read", "mcp_fs_read")).toEqual([]);
    expect(of("get_weather", "functions.get_weather")).toEqual([]);
    expect(of("get_weather", "default_api.get_weather")).toEqual([]);
    expect(of("get_weather", "get-weather")).toHaveLength(1);
    expect(of("get_weather", "weather.get_weather")).toHaveLength(1);
  });
});

const tools = [
  tool("get_order", object({ order_id: { type: "string" } }, ["order_id"])),
  tool("ping", object({})),
];
const get = (id: string): unknown => call("get_order", { order_id: "ord_5512ab" }, id);

describe("pairing as producers write it", () => {
  test.each<[string, string]>([
    [
      "begins with a result",
      json({
        tools,
        messages: [result("ok", "call_0"), done, user, get("c1"), result("a", "c1"), done],
      }),
    ],
    [
      "begins with instructions and a result",
      json({
        tools,
        messages: [
          { role: "system", content: "s" },
          result("ok", "call_0"),
          get("c1"),
          result("a", "c1"),
          done,
        ],
      }),
    ],
    [
      "ends with a call",
      json({ tools, messages: [user, get("c1"), result("a", "c1"), call("ping", {}, "c2")] }),
    ],
    [
      "ends within parallel results",
      json({
        tools,
        messages: [
          user,
          {
            role: "assistant",
            content: null,
            tool_calls: [
              { id: "a", function: { name: "ping", arguments: "" } },
              { id: "b", function: { name: "ping", arguments: "{}" } },
            ],
          },
          result("x", "b"),
        ],
      }),
    ],
    [
      "ids used again in each turn",
      json({
        tools,
        messages: [
          user,
          get("call_0"),
          result("a", "call_0"),
          done,
          user,
          get("call_0"),
          result("b", "call_0"),
          done,
        ],
      }),
    ],
    [
      "results without ids",
      json({ tools, messages: [user, get("c1"), { role: "tool", content: "a" }, done] }),
    ],
    [
      "results with the name alone",
      json({
        tools,
        messages: [
          user,
          {
            role: "assistant",
            content: "",
            tool_calls: [
              { function: { name: "get_order", arguments: { order_id: "ord_5512ab" } } },
            ],
          },
          { role: "tool", tool_name: "get_order", content: "a" },
          done,
        ],
      }),
    ],
    [
      "calls without ids, results with",
      json({
        tools,
        messages: [
          user,
          {
            role: "assistant",
            content: null,
            tool_calls: [{ function: { name: "ping", arguments: "{}" } }],
          },
          result("x", "made_up"),
          done,
        ],
      }),
    ],
    [
      "the older function_call",
      json({
        functions: [{ name: "ping", parameters: { type: "object", properties: {} } }],
        messages: [
          user,
          { role: "assistant", content: null, function_call: { name: "ping", arguments: "{}" } },
          { role: "function", name: "ping", content: "a" },
          done,
        ],
      }),
    ],
    [
      "empty lists of calls",
      json({
        tools,
        messages: [
          user,
          { role: "assistant", content: "Hm.", tool_calls: [] },
          { role: "assistant", content: "Yes.", tool_calls: null },
        ],
      }),
    ],
    [
      "a stored response that goes on",
      json({
        tools: [{ type: "function", name: "ping", parameters: {} }],
        previous_response_id: "resp_1",
        input: [{ type: "function_call_output", call_id: "fc_0", output: "x" }],
        output: [
          { type: "message", role: "assistant", content: [{ type: "output_text", text: "ok" }] },
        ],
      }),
    ],
    [
      "a provider's own tool",
      json({
        tools: [{ type: "web_search_20250305", name: "web_search" }],
        messages: [
          user,
          {
            role: "assistant",
            content: [
              { type: "server_tool_use", id: "s1", name: "web_search", input: { query: "x" } },
              { type: "web_search_tool_result", tool_use_id: "s1", content: [] },
              { type: "text", text: "found" },
            ],
          },
        ],
      }),
    ],
    [
      "a tool of the provider that has no name",
      json({
        tools: [{ type: "web_search" }, { type: "mcp", server_label: "x" }],
        messages: [user, call("lookup", { a: 1 }), result("ok"), done],
      }),
    ],
    [
      "an agent's log with one block on each line",
      lines(
        { type: "user", message: user, timestamp: "2025-05-01T10:00:00Z" },
        { type: "summary", summary: "x" },
        {
          type: "assistant",
          message: { role: "assistant", content: [{ type: "text", text: "I look." }] },
        },
        {
          type: "assistant",
          message: {
            role: "assistant",
            content: [{ type: "tool_use", id: "t1", name: "ping", input: {} }],
          },
        },
        {
          type: "user",
          message: {
            role: "user",
            content: [{ type: "tool_result", tool_use_id: "t1", content: "ok" }],
          },
        },
      ),
    ],
    [
      "user interface messages",
      json({
        messages: [
          { id: "1", role: "user", parts: [{ type: "text", text: "hi" }] },
          {
            id: "2",
            role: "assistant",
            parts: [
              { type: "step-start" },
              {
                type: "tool-ping",
                toolCallId: "t1",
                state: "output-available",
                input: {},
                output: { ok: true },
              },
              { type: "text", text: "Done." },
            ],
          },
        ],
      }),
    ],
  ])("%s", (_what, text) => {
    expect(wrong(check(text))).toEqual([]);
  });

  test("a tool set that changes between requests on lines of their own", () => {
    const first = {
      request: { tools, messages: [user] },
      response: { choices: [{ message: get("c1") }] },
    };
    const second = {
      request: {
        tools: [tool("ping", object({}))],
        messages: [user, get("c1"), result("a", "c1")],
      },
      response: { choices: [{ message: call("ping", {}, "c2") }] },
    };
    expect(wrong(check(lines(first, second)))).toEqual([]);
    const stale = { ...second, response: { choices: [{ message: get("c2") }] } };
    expect(wrong(check(lines(first, stale), [toolCallSchema]))).toEqual([
      expect.stringContaining("although it is in another"),
    ]);
  });
});

describe("calls in the text of models", () => {
  const of = (value: string): string[] =>
    wrong(
      check(
        json({
          tools: [tool("ping_it", object({ a: { type: "integer" } }, ["a"]))],
          conversations: [
            { from: "human", value: "go" },
            { from: "gpt", value },
            { from: "tool", value: "ok" },
            { from: "gpt", value: "It is there." },
          ],
        }),
        [toolCallSchema],
      ),
    );
  test.each([
    "<tool_call>{'name': 'ping_it', 'arguments': {'a': ARG}}</tool_call>",
    '[TOOL_CALLS] [{"name": "ping_it", "arguments": {"a": ARG}}]',
    '<function=ping_it>{"a": ARG}</function>',
    '<|python_tag|>{"name": "ping_it", "parameters": {"a": ARG}}',
    '{"name": "ping_it", "parameters": {"a": ARG}}',
    "[ping_it(a=ARG)]",
    'Thought: x\nAction: ping_it\nAction Input: {"a": ARG}',
  ])("%s", (text) => {
    expect(of(text.replace("ARG", "5"))).toEqual([]);
    expect(of(text.replace("ARG", "[]"))).toHaveLength(1);
  });

  test("a notation that nobody knows is no fault of pairing", () => {
    expect(of("@@ping_it with 5@@")).toEqual([]);
  });
});

describe("corpora in their own forms", () => {
  const bfcl = {
    id: "simple_0",
    question: [[{ role: "user", content: "Area for base 10 and height 5" }]],
    function: [
      {
        name: "geometry.area",
        description: "d",
        parameters: {
          type: "dict",
          properties: {
            base: { type: "integer" },
            height: { type: "integer" },
            unit: { type: "string", default: "units" },
          },
          required: ["base", "height"],
        },
      },
    ],
  };
  test.each<[string, unknown, boolean]>([
    [
      "possible answers",
      {
        ...bfcl,
        ground_truth: [{ "geometry.area": { base: [10], height: [5], unit: ["units", ""] } }],
      },
      true,
    ],
    [
      "an answer in Python's notation",
      { ...bfcl, result: "[geometry.area(base=10, height=5, unit='units')]" },
      true,
    ],
    [
      "the same with a wrong type",
      { ...bfcl, result: "[geometry.area(base='10', height=5)]" },
      false,
    ],
    ["the same without a field", { ...bfcl, result: ["geometry.area(base=10)"] }, false],
    [
      "JSON text by name",
      { ...bfcl, result: [{ geometry_area: '{"base": 10, "height": 5}' }] },
      true,
    ],
    [
      "reason and act",
      {
        tools: [
          {
            name: "ping_for_api",
            parameters: { type: "object", properties: { a: { type: "integer" } }, required: ["a"] },
          },
        ],
        conversations: [
          { from: "user", value: "go" },
          {
            from: "assistant",
            value: 'Thought: I call.\nAction: ping_for_api\nAction Input: {"a": 1}',
          },
          { from: "function", value: '{"error": "", "response": "x"}' },
        ],
      },
      true,
    ],
    [
      "a trajectory",
      {
        task_id: 1,
        reward: 1,
        info: {},
        traj: [{ role: "system", content: "p" }, user, get("c1"), result("a", "c1"), done],
      },
      true,
    ],
  ])("%s", (_what, record, isRight) => {
    expect(wrong(check(json(record), [toolCallSchema])).length === 0).toBe(isRight);
  });
});
