import * as fc from "fast-check";
import { Value } from "typebox/value";
import { describe, expect, test } from "vitest";

import type { TraceContent } from "../model/evidence.ts";
import { Finding } from "../model/finding.ts";
import type { Attributes, Span } from "../model/span.ts";
import { readTranscript } from "../readers/transcript.ts";
import { createSnapshot } from "../snapshot/create-snapshot.ts";
import { toolCallSchema } from "./schema.ts";

type Fields = Record<string, unknown>;

const source = { name: "test", format: "transcript", notes: [] };

function check(transcript: unknown): Finding[] {
  const { turns } = readTranscript(transcript);
  return toolCallSchema.check(createSnapshot([{ source, content: { kind: "transcript", turns } }]));
}

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

describe("arguments", () => {
  test("a call that fits holds, and the tool is the subject", () => {
    expect(withArguments({ namespace: "shop", limit: 3, labels: [{ key: "app" }] })).toMatchObject([
      { verdict: "holds", subject: { kind: "tool", name: "get_pods" }, measures: { callCount: 1 } },
    ]);
  });

  test.each<[string, unknown, Fields, string]>([
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
  ])("%s", (_what, given, measures, title) => {
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
  const faults = (...messages: unknown[]): unknown[] =>
    check({ tools, messages }).flatMap((finding) => finding.measures["fault"] ?? []);

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
    expect(faults(...messages).sort()).toEqual(expected);
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

/** A tool with its schema, and a call that fits it. */
interface Sample {
  readonly name: string;
  readonly schema: {
    type: string;
    properties: Record<string, Fields>;
    required: string[];
    additionalProperties?: boolean;
  };
  readonly given: Fields;
}

const fieldSamples: readonly (readonly [Fields, fc.Arbitrary<unknown>])[] = [
  [{ type: "string" }, fc.string()],
  [{ type: "integer" }, fc.integer()],
  [{ type: "number" }, fc.double({ noNaN: true, noDefaultInfinity: true })],
  [{ type: "boolean" }, fc.boolean()],
  [{ type: "array", items: { type: "string" } }, fc.array(fc.string(), { maxLength: 3 })],
  [{ enum: ["celsius", "kelvin"] }, fc.constantFrom("celsius", "kelvin")],
  [{ type: ["string", "null"] }, fc.option(fc.string())],
  [{ anyOf: [{ type: "integer" }, { type: "null" }] }, fc.option(fc.integer())],
];

const sample: fc.Arbitrary<Sample> = fc
  .uniqueArray(
    fc.tuple(
      fc.stringMatching(/^[a-z]{3,8}_[a-z]{3,8}$/),
      fc.nat(fieldSamples.length - 1),
      fc.boolean(),
    ),
    {
      minLength: 1,
      maxLength: 5,
      selector: ([name]) => name,
    },
  )
  .chain((fields) =>
    fc
      .record({
        name: fc.stringMatching(/^[a-z]{3,10}$/),
        closed: fc.boolean(),
        values: fc.tuple(...fields.map(([, kind]) => fieldSamples[kind]?.[1] ?? fc.constant(0))),
      })
      .map(({ name, closed, values }) => ({
        name,
        schema: {
          type: "object",
          properties: Object.fromEntries(
            fields.map(([field, kind]) => [field, fieldSamples[kind]?.[0] ?? {}]),
          ),
          required: fields.filter(([, , isRequired]) => isRequired).map(([field]) => field),
          ...(closed ? { additionalProperties: false } : {}),
        },
        given: Object.fromEntries(fields.map(([field], index) => [field, values[index]])),
      })),
  );

function conversation(
  { name, schema }: Sample,
  given: unknown,
  { hasResult = true, called = name } = {},
): unknown {
  return {
    tools: [{ type: "function", function: { name, parameters: schema } }],
    messages: [
      { role: "user", content: "go" },
      {
        role: "assistant",
        content: null,
        tool_calls: [
          {
            id: "c1",
            type: "function",
            function: { name: called, arguments: JSON.stringify(given) },
          },
        ],
      },
      ...(hasResult ? [{ role: "tool", tool_call_id: "c1", content: "ok" }] : []),
      { role: "assistant", content: "done" },
    ],
  };
}

describe("mutations", () => {
  const isViolated = (findings: readonly Finding[]): boolean =>
    findings.some((finding) => finding.verdict === "violated");
  const verdictsOf = (transcript: unknown): string[] =>
    check(transcript).map((finding) => finding.verdict);

  test("a valid call is never flagged, and every finding fits the published schema", () => {
    fc.assert(
      fc.property(sample, (item) => {
        const findings = check(conversation(item, item.given));
        expect(findings.map((finding) => finding.verdict)).toEqual(["holds"]);
        for (const finding of findings) expect(Value.Check(Finding, finding)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  test("a renamed field is flagged, and the right name is the nearest when the new one is like it", () => {
    fc.assert(
      fc.property(sample, fc.nat(), (item, at) => {
        const [field = ""] = pick(Object.keys(item.given), at);
        const { [field]: value, ...rest } = item.given;
        const renamed = field.replace(/_(.)/, (_match, letter: string) => letter.toUpperCase());
        const findings = check(conversation(item, { ...rest, [renamed]: value }));
        expect(isViolated(findings)).toBe(true);
        expect(findings[0]?.measures["nearestValid"]).toBe(field);
        for (const finding of findings) expect(Value.Check(Finding, finding)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  test("a required field that is dropped is flagged", () => {
    fc.assert(
      fc.property(
        sample.filter((item) => item.schema.required.length > 0),
        fc.nat(),
        (item, at) => {
          const [field = ""] = pick(item.schema.required, at);
          const { [field]: _dropped, ...rest } = item.given;
          expect(isViolated(check(conversation(item, rest)))).toBe(true);
        },
      ),
      { numRuns: 200 },
    );
  });

  test("a value of another type is flagged", () => {
    fc.assert(
      fc.property(sample, fc.nat(), (item, at) => {
        const [field = ""] = pick(Object.keys(item.given), at);
        const value = item.given[field];
        // A number as text, and an object for all else: no sample allows an object.
        const wrong =
          typeof value === "number" && item.schema.properties[field]?.["type"] !== undefined
            ? String(value)
            : { value };
        expect(isViolated(check(conversation(item, { ...item.given, [field]: wrong })))).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  test("an unknown tool, a missing result and a stray result are flagged", () => {
    fc.assert(
      fc.property(sample, (item) => {
        expect(isViolated(check(conversation(item, item.given, { called: `${item.name}s` })))).toBe(
          true,
        );
        expect(isViolated(check(conversation(item, item.given, { hasResult: false })))).toBe(true);
        const stray = conversation(item, item.given) as { messages: unknown[] };
        stray.messages[2] = { role: "tool", tool_call_id: "c2", content: "ok" };
        expect(isViolated(check(stray))).toBe(true);
      }),
      { numRuns: 100 },
    );
  });

  test("the order of tools, of fields and of transcripts changes nothing", () => {
    fc.assert(
      fc.property(sample, (item) => {
        const reversed = Object.fromEntries(Object.entries(item.given).toReversed());
        const other = { type: "function", function: { name: "another_tool", parameters: {} } };
        const shuffled = conversation(item, reversed) as { tools: unknown[] };
        shuffled.tools.unshift(other);
        expect(verdictsOf(shuffled)).toEqual(verdictsOf(conversation(item, item.given)));
      }),
      { numRuns: 100 },
    );
  });
});

function pick<T>(items: readonly T[], at: number): readonly T[] {
  return items.slice(at % items.length, (at % items.length) + 1);
}
