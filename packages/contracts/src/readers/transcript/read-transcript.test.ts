import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { EvidenceError } from "../evidence-error.ts";
import { readTranscript, readTranscripts, recogniseTranscript } from "./read-transcript.ts";

const schema = { type: "object", properties: { city: { type: "string" } } };
const chatTool = {
  type: "function",
  function: { name: "weather", description: "d", parameters: schema },
};
const chatCall = {
  id: "c1",
  type: "function",
  function: { name: "weather", arguments: '{"city":"Rome"}' },
};
const user = { role: "user", content: "weather?" };
const asks = { role: "assistant", content: null, tool_calls: [chatCall] };
const answers = { role: "tool", tool_call_id: "c1", content: "sunny" };

describe("formats", () => {
  test("an OpenAI chat request", () => {
    const { turns } = readTranscript({
      model: "m",
      tools: [chatTool],
      messages: [user, asks, answers],
    });
    expect(turns).toEqual([
      { role: "user", text: "weather?", calls: [], results: [], pointer: "/messages/0" },
      {
        role: "assistant",
        calls: [
          {
            callId: "c1",
            name: "weather",
            arguments: '{"city":"Rome"}',
            pointer: "/messages/1/tool_calls/0",
          },
        ],
        results: [],
        tools: [{ name: "weather", description: "d", inputSchema: schema }],
        pointer: "/messages/1",
      },
      {
        role: "tool",
        calls: [],
        results: [{ callId: "c1", content: "sunny", isError: false, pointer: "/messages/2" }],
        pointer: "/messages/2",
      },
    ]);
  });

  test("an error beside the content of a result", () => {
    const results = [null, false, "", true, "No such city", { code: 4 }].map((error) => {
      const { turns } = readTranscript([user, asks, { ...answers, content: null, error }]);
      const [result] = turns[2]?.results ?? [];
      return [result?.isError, result?.content];
    });
    expect(results).toEqual([
      [false, null],
      [false, null],
      [false, null],
      [true, true],
      [true, "No such city"],
      [true, { code: 4 }],
    ]);
  });

  test("Anthropic messages", () => {
    const { turns } = readTranscript({
      system: "s",
      tools: [{ name: "weather", input_schema: schema }],
      messages: [
        user,
        {
          role: "assistant",
          content: [
            { type: "text", text: "I look" },
            { type: "tool_use", id: "t1", name: "weather", input: { city: "Rome" } },
          ],
        },
        {
          role: "user",
          content: [{ type: "tool_result", tool_use_id: "t1", content: "no", is_error: true }],
        },
      ],
    });
    expect(turns[1]).toMatchObject({
      text: "I look",
      calls: [
        {
          callId: "t1",
          name: "weather",
          arguments: { city: "Rome" },
          pointer: "/messages/1/content/1",
        },
      ],
      tools: [{ name: "weather", inputSchema: schema }],
    });
    expect(turns[2]).toMatchObject({
      role: "user",
      results: [{ callId: "t1", isError: true, content: "no" }],
    });
  });

  test("responses with items outside of messages", () => {
    const { turns } = readTranscript({
      tools: [
        { type: "function", name: "weather", parameters: schema },
        { type: "custom", name: "shell" },
      ],
      input: [user],
      output: [
        { type: "function_call", call_id: "f1", name: "weather", arguments: "{}" },
        { type: "custom_tool_call", call_id: "f2", name: "shell", input: "ls" },
        { type: "function_call_output", call_id: "f1", output: "sunny" },
      ],
    });
    expect(turns.map((turn) => turn.role)).toEqual(["user", "assistant", "assistant", "tool"]);
    expect(turns[2]).toMatchObject({
      calls: [{ callId: "f2", arguments: '"ls"' }],
      tools: [{ name: "weather" }, { name: "shell", inputSchema: { type: "string" } }],
    });
  });

  test("the older function_call, and parts with tool_call", () => {
    const { turns } = readTranscript([
      { role: "assistant", content: null, function_call: { name: "weather", arguments: "{}" } },
      { role: "function", name: "weather", content: "sunny" },
      {
        role: "assistant",
        parts: [{ type: "tool_call", id: "p1", name: "weather", arguments: { city: "Rome" } }],
      },
      { role: "tool", parts: [{ type: "tool_call_response", id: "p1", response: "sunny" }] },
    ]);
    expect(turns[0]?.calls[0]).toMatchObject({ name: "weather", arguments: "{}" });
    expect(turns[1]?.results[0]).toMatchObject({ name: "weather", content: "sunny" });
    expect(turns[2]?.calls[0]).toMatchObject({ callId: "p1", arguments: { city: "Rome" } });
    expect(turns[3]?.results).toHaveLength(1);
  });

  test("exchanges of one conversation are joined, each answer with the tools of its own request", () => {
    const other = { type: "function", function: { name: "news" } };
    const exchanges = [
      {
        request: { messages: [user], tools: [chatTool] },
        response: { choices: [{ message: asks }] },
      },
      {
        request: { messages: [user, asks, answers], tools: [other] },
        response: { choices: [{ message: { role: "assistant", content: "sunny" } }] },
      },
    ];
    const { turns } = readTranscript(exchanges);
    expect(turns.map(({ role, pointer }) => [role, pointer])).toEqual([
      ["user", "/0/request/messages/0"],
      ["assistant", "/0/response/choices/0/message"],
      ["tool", "/1/request/messages/2"],
      ["assistant", "/1/response/choices/0/message"],
    ]);
    expect(turns[1]?.tools?.[0]?.name).toBe("weather");
    expect(turns[3]?.tools?.[0]?.name).toBe("news");
  });

  test("exchanges of several agents that stand between one another are told apart", () => {
    const say = (content: string): unknown => ({ role: "assistant", content });
    const exchange = (messages: unknown[], message: unknown): unknown => ({
      request: { messages },
      response: { choices: [{ message }] },
    });
    const inner = { role: "user", content: "the weather in Rome, for another agent" };
    const list = [
      exchange([user], asks),
      exchange([inner], say("sunny")),
      exchange([user, asks, answers], say("It is sunny.")),
    ];
    for (const documents of [[list], list]) {
      const { transcripts } = readTranscripts(documents);
      expect(transcripts.map((turns) => turns.map(({ text }) => text))).toEqual([
        ["weather?", undefined, undefined, "It is sunny."],
        [inner.content, "sunny"],
      ]);
    }
  });

  test("exchanges that bring only what is new are one conversation", () => {
    const list = [
      { request: { messages: [user] }, response: { choices: [{ message: asks }] } },
      {
        request: { messages: [answers] },
        response: { choices: [{ message: { role: "assistant", content: "sunny" } }] },
      },
      {
        request: { messages: [{ role: "user", content: "and now?" }] },
        response: { choices: [{ message: { role: "assistant", content: "the same" } }] },
      },
    ];
    expect(readTranscripts([list]).transcripts.map((turns) => turns.length)).toEqual([6]);
  });

  test("a list of transcripts, with what is none left out by name", () => {
    const { transcripts, notes } = readTranscripts([
      [{ messages: [user] }, { messages: [user, asks] }, { other: 1 }],
    ]);
    expect(transcripts.map((turns) => turns.length)).toEqual([1, 2]);
    expect(notes).toEqual(["Document 3 is no transcript and was left out."]);
  });

  test("tools that the transcript does not carry are unknown; an empty list says that there are none", () => {
    expect(readTranscript({ messages: [asks] }).turns[0]?.tools).toBeUndefined();
    expect(readTranscript({ tools: [], messages: [asks] }).turns[0]?.tools).toEqual([]);
  });
});

test.each([
  null,
  1,
  "x",
  [],
  {},
  { messages: [] },
  { messages: [1] },
  { kind: "Pod" },
  [[]],
  { resourceSpans: [] },
])("refuses %j", (value) => {
  expect(recogniseTranscript(value)).toBe(false);
  expect(() => readTranscript(value)).toThrow(EvidenceError);
});

test("any JSON is read or refused with a typed error", () => {
  const name = fc.constantFrom(
    "messages",
    "role",
    "content",
    "tool_calls",
    "function",
    "name",
    "arguments",
    "tools",
    "id",
    "type",
    "input",
    "output",
    "request",
    "response",
    "choices",
    "message",
    "parts",
  );
  const leaf = fc.oneof(
    fc.constantFrom("user", "assistant", "tool", "tool_use", "tool_result", "function_call", "{}"),
    fc.jsonValue({ maxDepth: 1 }),
  );
  const value = fc.letrec((tie) => ({
    node: fc.oneof(
      { maxDepth: 6 },
      leaf,
      fc.dictionary(name, tie("node"), { maxKeys: 6 }),
      fc.array(tie("node"), { maxLength: 4 }),
    ),
  })).node;
  fc.assert(
    fc.property(value, (some) => {
      try {
        readTranscripts([some]);
      } catch (error) {
        expect(error).toBeInstanceOf(EvidenceError);
      }
    }),
    { numRuns: 1_000 },
  );
});
