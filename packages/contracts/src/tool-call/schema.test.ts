import { describe, expect, test } from "vitest";

import type { TraceContent } from "../model/evidence.ts";
import type { Finding } from "../model/finding.ts";
import type { Attributes, Span } from "../model/span.ts";
import { createSnapshot } from "../snapshot/create-snapshot.ts";
import { checkTranscript as check } from "./fixtures/check-transcript.ts";
import { toolCallSchema } from "./schema.ts";

type Fields = Record<string, unknown>;

const source = { name: "test", format: "otlp-json", notes: [] };

const pods = {
  name: "get_pods",
  parameters: {
    type: "object",
    properties: {
      namespace: { type: "string" },
      limit: { type: "integer", minimum: 1 },
      phase: { type: "string", enum: ["Running", "Pending"] },
      labels: {
        type: "array",
        items: { type: "object", properties: { key: { type: "string" } }, required: ["key"] },
      },
    },
    required: ["namespace"],
  },
};

/** One call of `get_pods` with its result and an answer after it. */
function withArguments(
  given: unknown,
  tools: readonly unknown[] = [{ type: "function", function: pods }],
): Finding[] {
  return check({
    tools,
    messages: [
      {
        role: "assistant",
        content: null,
        tool_calls: [
          {
            id: "c1",
            type: "function",
            function: {
              name: "get_pods",
              arguments: typeof given === "string" ? given : JSON.stringify(given),
            },
          },
        ],
      },
      { role: "tool", tool_call_id: "c1", content: "[]" },
      { role: "assistant", content: "done" },
    ],
  });
}

/** A tool whose list has an enum beside it that is meant for the items. */
const flat = {
  type: "function",
  function: {
    name: "get_pods",
    parameters: {
      type: "object",
      properties: {
        fields: { type: "array", items: { type: "string" }, enum: ["name", "age"] },
        more: { type: ["array", "null"], enum: ["x", null] },
      },
    },
  },
};

describe("arguments", () => {
  test.each<[string, unknown, unknown[]]>([
    ["a list of its values", { fields: ["name", "age"] }, []],
    ["another value", { fields: ["name", "size"] }, ["wrong-value"]],
    ["a value instead of a list", { fields: "name" }, ["wrong-type"]],
    ["null where the type allows it", { more: null }, []],
    ["a list where null is allowed", { more: ["x"] }, []],
  ])("an enum beside a list is that of its items: %s", (_what, given, faults) => {
    const found = withArguments(given, [flat]).filter(({ verdict }) => verdict === "violated");
    expect(found.map(({ measures }) => measures["fault"])).toEqual(faults);
  });

  test("a call that fits holds, and the tool is the subject", () => {
    expect(withArguments({ namespace: "shop", limit: 3, labels: [{ key: "app" }] })).toMatchObject([
      { verdict: "holds", subject: { kind: "tool", name: "get_pods" }, measures: { callCount: 1 } },
    ]);
  });

  test.each<[string, { given: unknown; measures: Fields; title: string }]>(
    (
      [
        [
          "an unknown field that stands for a required one",
          { ns: "shop" },
          { fault: "unknown-field", pointer: "/ns", nearestValid: "namespace" },
          "without namespace, which it requires",
        ],
        [
          "an unknown field",
          { namespace: "a", limits: 3 },
          { fault: "unknown-field", nearestValid: "limit" },
          "limits",
        ],
        [
          "an unknown field without a likely meaning",
          { namespace: "a", verbose: true },
          { fault: "unknown-field", pointer: "/verbose" },
          "verbose",
        ],
        ["a missing field", {}, { fault: "missing-field", pointer: "/namespace" }, "requires"],
        [
          "a missing field in an item",
          { namespace: "a", labels: [{}] },
          { fault: "missing-field", pointer: "/labels/0/key" },
          "/labels/0",
        ],
        [
          "an unknown field in an item",
          { namespace: "a", labels: [{ Key: "x" }] },
          { fault: "unknown-field", pointer: "/labels/0/Key", nearestValid: "key" },
          "key",
        ],
        [
          "a number as text",
          { namespace: "a", limit: "3" },
          { fault: "wrong-type", pointer: "/limit" },
          "a number written as text",
        ],
        [
          "a fraction for an integer",
          { namespace: "a", limit: 1.5 },
          { fault: "wrong-type", pointer: "/limit" },
          "integer",
        ],
        [
          "null for text",
          { namespace: null },
          { fault: "wrong-type", pointer: "/namespace" },
          "string",
        ],
        [
          "text for a list",
          { namespace: "a", labels: "app" },
          { fault: "wrong-type", pointer: "/labels" },
          "array",
        ],
        [
          "a value outside of the enum",
          { namespace: "a", phase: "running" },
          { fault: "wrong-value", nearestValid: "Running" },
          "one of",
        ],
        [
          "a number below its bound",
          { namespace: "a", limit: 0 },
          { fault: "wrong-value", pointer: "/limit" },
          "at least 1",
        ],
        ["no JSON", "{'namespace': 'a'}", { fault: "not-json" }, "not JSON"],
        [
          "JSON that is cut off",
          '{"namespace": "sh',
          { fault: "not-json" },
          "before their JSON is complete",
        ],
        [
          "JSON within JSON",
          JSON.stringify(JSON.stringify({ namespace: "a" })),
          { fault: "not-an-object" },
          "JSON written as text",
        ],
        ["a list instead of an object", [], { fault: "not-an-object" }, "object"],
      ] as const satisfies readonly (readonly [string, unknown, Fields, string])[]
    ).map(([what, given, measures, title]) => [what, { given, measures, title }]),
  )("%s", (_what, { given, measures, title }) => {
    const findings = withArguments(given);
    expect(findings).toHaveLength(1);
    expect(findings[0]).toMatchObject({ verdict: "violated", causeKind: "data", measures });
    expect(findings[0]?.title).toContain(title);
    expect(findings[0]?.evidence[0]?.locator).toBe("/messages/0/tool_calls/0");
  });

  test("no argument of text is ever quoted, wherever it stands", () => {
    const secret = "hunter2-swordfish";
    for (const given of [
      { namespace: 1, token: secret },
      { namespace: "a", phase: secret },
      { namespace: "a", limit: secret },
      { namespace: "a", [`${secret} with blanks`]: 1 },
      secret,
      { namespace: "a", labels: [{ key: 1, value: { deep: secret } }] },
    ]) {
      expect(JSON.stringify(withArguments(given))).not.toContain(secret);
    }
  });

  test("an object whose schema says what becomes of other fields is open", () => {
    const open = (extra: Fields): readonly unknown[] => [
      { name: "get_pods", input_schema: { type: "object", properties: { a: {} }, ...extra } },
    ];
    const given = { a: 1, b: 2 };
    expect(withArguments(given, open({}))[0]?.verdict).toBe("violated");
    expect(withArguments(given, open({ additionalProperties: true }))[0]?.verdict).toBe("holds");
    expect(
      withArguments(given, open({ additionalProperties: { type: "integer" } }))[0]?.verdict,
    ).toBe("holds");
    expect(withArguments(given, open({ patternProperties: { "^b": {} } }))[0]?.verdict).toBe(
      "holds",
    );
    expect(withArguments(given, open({ anyOf: [{ properties: { b: {} } }] }))[0]?.verdict).toBe(
      "holds",
    );
    expect(
      withArguments(given, [{ name: "get_pods", input_schema: { type: "object" } }])[0]?.verdict,
    ).toBe("holds");
  });

  test.each<[string, unknown, unknown]>([
    ["nothing for a tool that takes nothing", { type: "object", properties: {} }, ""],
    [
      "types of other dialects",
      {
        type: "dict",
        properties: { a: { type: "float" }, b: { type: "STRING" }, c: { type: "any" } },
      },
      { a: 1, b: "x", c: [] },
    ],
    [
      "nullable",
      {
        type: "object",
        properties: { a: { type: "string", nullable: true }, type: { type: "string" } },
      },
      { a: null, type: "x" },
    ],
    [
      "references",
      {
        $ref: "#/$defs/in",
        $defs: { in: { type: "object", properties: { a: { type: "integer" } } } },
      },
      { a: 1 },
    ],
  ])("dialects: %s", (_what, schema, given) => {
    expect(withArguments(given, [{ name: "get_pods", input_schema: schema }])[0]?.verdict).toBe(
      "holds",
    );
  });

  test("equal faults stand in one finding with their number", () => {
    const call = (id: string, given: string): unknown => ({
      id,
      function: { name: "get_pods", arguments: given },
    });
    const findings = check({
      tools: [{ type: "function", function: pods }],
      messages: [
        {
          role: "assistant",
          content: null,
          tool_calls: [
            call("a", '{"ns":"x"}'),
            call("b", '{"ns":"y"}'),
            call("c", '{"namespace":1}'),
          ],
        },
      ],
    });
    expect(findings.map((finding) => finding.measures["faultCount"])).toEqual([2, 1]);
  });
});

describe("the advertised set", () => {
  const call = {
    role: "assistant",
    content: null,
    tool_calls: [{ id: "c1", function: { name: "getPods", arguments: "{}" } }],
  };

  test("an unknown tool is named with the nearest that exists", () => {
    expect(
      check({ tools: [{ type: "function", function: pods }], messages: [call] })[0],
    ).toMatchObject({
      verdict: "violated",
      causeKind: "configuration",
      measures: { fault: "unknown-tool", nearestValid: "get_pods" },
    });
  });

  test("a tool of another turn is unknown in this one", () => {
    const exchange = (name: string, tool: string): unknown => ({
      request: {
        messages: [{ role: "user", content: name }],
        tools: [{ name: tool, input_schema: {} }],
      },
      response: {
        role: "assistant",
        content: [{ type: "tool_use", id: name, name: "news", input: {} }],
      },
    });
    const findings = check([exchange("a", "news"), exchange("b", "weather")]);
    expect(
      findings.filter((finding) => finding.measures["fault"] === "unknown-tool"),
    ).toMatchObject([{ title: expect.stringContaining("although it is in another") }]);
  });

  test("without tools, or without the schema, the verdict is open and says what is missing", () => {
    expect(check({ messages: [call] })).toMatchObject([
      {
        verdict: "inconclusive",
        missing: ["the tools that were advertised when the call was made"],
      },
    ]);
    expect(check({ tools: [{ name: "getPods" }], messages: [call] })).toMatchObject([
      { verdict: "inconclusive", missing: ["the input schema of the tool getPods"] },
    ]);
    expect(
      check({ tools: [{ name: "getPods", input_schema: { $ref: "#/none" } }], messages: [call] }),
    ).toMatchObject([{ verdict: "inconclusive" }]);
  });

  test("a transcript without calls says nothing", () => {
    expect(check({ messages: [{ role: "user", content: "hello" }] })).toEqual([]);
  });
});

describe("pairing", () => {
  const tools = [{ name: "t", input_schema: {} }];
  const call = (...ids: string[]): unknown => ({
    role: "assistant",
    content: ids.map((id) => ({ type: "tool_use", id, name: "t", input: {} })),
  });
  const result = (...ids: string[]): unknown => ({
    role: "user",
    content: ids.map((id) => ({ type: "tool_result", tool_use_id: id, content: "ok" })),
  });
  const says = { role: "assistant", content: "done" };
  const faults = (...messages: unknown[]): string[] =>
    check({ tools, messages })
      .map((finding) => String(finding.measures["fault"] ?? "none"))
      .filter((fault) => fault !== "none");

  test.each<[string, unknown[], string[]]>([
    ["paired", [call("a"), result("a"), says], []],
    ["parallel calls, results in another order", [call("a", "b"), result("b", "a"), says], []],
    ["results in messages of their own", [call("a", "b"), result("a"), result("b"), says], []],
    ["the transcript ends with the call", [call("a")], []],
    ["one of two results is missing", [call("a", "b"), result("a"), says], ["call-without-result"]],
    [
      "the user goes on without a result",
      [call("a"), { role: "user", content: "well?" }],
      ["call-without-result"],
    ],
    ["a result of no call", [call("a"), result("a", "z"), says], ["result-without-call"]],
    [
      "a result before its call",
      [result("a"), call("a"), result("a"), says],
      ["result-without-call"],
    ],
    ["two results", [call("a"), result("a"), result("a"), says], ["second-result"]],
    [
      "one id for two calls",
      [call("a", "a"), result("a"), says],
      ["call-without-result", "duplicate-call-id"],
    ],
    [
      "an id used again after it was answered",
      [call("a"), result("a"), call("a"), result("a"), says],
      [],
    ],
  ])("%s", (_what, messages, expected) => {
    expect(faults(...messages).toSorted((left, right) => (left < right ? -1 : 1))).toEqual(
      expected,
    );
  });

  test("calls in several turns and no result at all are a record without results", () => {
    const findings = check({ tools, messages: [call("a"), says, call("b"), says] });
    expect(findings.map(({ verdict, missing }) => [verdict, missing])).toEqual([
      ["inconclusive", ["the results of the calls, none of which is recorded"]],
    ]);
  });
});

describe("traces", () => {
  let serial = 0;
  function span(name: string, attributes: Attributes, startMicros: number): Span {
    serial += 1;
    return {
      traceId: "a".repeat(32),
      spanId: serial.toString(16).padStart(16, "0"),
      name,
      kind: "internal",
      service: "agent",
      startMicros,
      durationNanos: 1,
      status: { code: "unset" },
      attributes,
      resource: {},
      scope: { name: "test" },
      events: [],
      links: [],
    };
  }
  const model = (definitions: Attributes[string], start: number): Span =>
    span(
      "chat m",
      { "gen_ai.operation.name": "chat", "gen_ai.tool.definitions": definitions },
      start,
    );
  const execute = (given: Attributes[string], start: number): Span =>
    span(
      "execute_tool get_pods",
      {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "get_pods",
        "gen_ai.tool.call.arguments": given,
      },
      start,
    );
  const checkSpans = (...spans: Span[]): Finding[] => {
    const content: TraceContent = { kind: "trace", traceId: "a".repeat(32), spans };
    return toolCallSchema.check(createSnapshot([{ source, content }]));
  };
  const definitions = JSON.stringify([{ type: "function", ...pods }]);

  test("arguments as text and as a structure are held against the definitions before them", () => {
    expect(
      checkSpans(
        model(definitions, 1),
        execute('{"namespace":"a"}', 2),
        execute({ namespace: "b" }, 3),
      )[0],
    ).toMatchObject({
      verdict: "holds",
      measures: { callCount: 2 },
    });
    expect(checkSpans(model(definitions, 1), execute({ ns: "a" }, 2))[0]).toMatchObject({
      verdict: "violated",
      measures: { nearestValid: "namespace" },
    });
  });

  test("the latest definitions before the call count", () => {
    const findings = checkSpans(
      model(definitions, 1),
      model("[]", 2),
      execute({ namespace: "a" }, 3),
    );
    expect(findings[0]).toMatchObject({ measures: { fault: "unknown-tool" } });
  });

  test("without definitions, or without arguments, the verdict is open", () => {
    expect(checkSpans(execute({ namespace: "a" }, 1))[0]?.verdict).toBe("inconclusive");
    const bare = span("execute_tool get_pods", { "gen_ai.tool.name": "get_pods" }, 2);
    expect(checkSpans(model(definitions, 1), bare)[0]?.missing).toEqual([
      "the arguments of the call",
    ]);
  });

  test("a trace without tools says nothing", () => {
    expect(checkSpans(span("GET /", {}, 1))).toEqual([]);
  });
});

describe("calls as simulators and frameworks of agents keep them", () => {
  const tool = { type: "function", function: pods };
  const asked = { role: "user", content: "pods of a" };
  const given = { namespace: "a" };
  test.each<[string, Fields, Fields]>([
    [
      "the name as the function, and its args",
      { function: "get_pods", args: given, id: "c1", placeholder_args: null },
      { role: "tool", tool_call_id: "c1", content: "[]", error: null },
    ],
    [
      "the result with the id of its call",
      { id: "c1", name: "get_pods", arguments: given, requestor: "assistant" },
      { role: "tool", id: "c1", content: "[]", requestor: "assistant", error: false },
    ],
    [
      "another name of the name",
      { call_id: "c1", tool_name: "get_pods", input: given },
      { role: "tool", call_id: "c1", content: "[]" },
    ],
  ])("%s", (_what, call, result) => {
    const turns = (of: Fields): Fields => ({
      tools: [tool],
      messages: [
        asked,
        { role: "assistant", content: null, tool_calls: [of] },
        result,
        { role: "assistant", content: "None." },
      ],
    });
    expect(check(turns(call)).map(({ verdict }) => verdict)).toEqual(["holds"]);
    const stray = check({ ...turns(call), messages: [asked, result, asked] });
    expect(stray.map(({ measures }) => measures["fault"])).toEqual(["result-without-call"]);
  });

  test("a result may answer a call in a form that nobody could read", () => {
    const found = check({
      tools: [tool],
      messages: [
        asked,
        { role: "assistant", content: null, tool_calls: [{ id: "c1", what: "get_pods" }] },
        { role: "tool", tool_call_id: "c1", content: "[]" },
        { role: "assistant", content: "None." },
      ],
    });
    expect(found.filter(({ verdict }) => verdict === "violated")).toEqual([]);
  });
});
