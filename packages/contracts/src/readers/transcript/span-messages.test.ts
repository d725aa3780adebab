import { describe, expect, it } from "vitest";

import type { Attributes, Span } from "../../model/span.ts";
import { spansOf } from "../../traces/trace-builder.ts";
import { advertisedBy, messagesOfSpan, toolOfSpan } from "./span-messages.ts";

const spanWith = (attributes: Attributes, name = "step"): Span => {
  const [span] = spansOf({ name, attributes });
  if (span === undefined) throw new Error("no span");
  return span;
};
const call = { id: "c1", type: "function", function: { name: "weather", arguments: "{}" } };
const tool = { type: "function", function: { name: "weather", parameters: { type: "object" } } };

describe("requests and answers that stand whole in one value", () => {
  const generation = (input: unknown, output: unknown): Span =>
    spanWith({
      "langfuse.observation.type": "generation",
      "langfuse.observation.input": JSON.stringify(input),
      "langfuse.observation.output": JSON.stringify(output),
    });

  it("are read as chat messages with the tools beside them", () => {
    const request = { messages: [{ role: "user", content: "weather?" }], tools: [tool] };
    const answer = { choices: [{ message: { role: "assistant", tool_calls: [call] } }] };
    expect(messagesOfSpan(generation(request, answer))).toEqual({
      input: request.messages,
      output: [{ role: "assistant", content: null, tool_calls: [call] }],
      tools: [tool],
    });
  });

  it("are read where a framework lists tools, names and calls as messages", () => {
    const input = [
      { role: "user", content: "weather?" },
      { role: "assistant", content: "", additional_kwargs: { tool_calls: [call] } },
      { role: "weather", content: "sunny" },
      { role: "tool", content: tool },
    ];
    expect(messagesOfSpan(generation(input, "It is sunny."))).toMatchObject({
      input: [
        { role: "user" },
        { role: "assistant", tool_calls: [call] },
        { role: "tool", name: "weather", content: "sunny" },
      ],
      output: [{ role: "assistant", content: "It is sunny." }],
      tools: [tool],
    });
  });

  it("are read where the items of one answer stand apart", () => {
    const item = (name: string): object => ({
      type: "function_call",
      call_id: name,
      name,
      arguments: "{}",
    });
    const [message] =
      messagesOfSpan(generation("weather?", { output: [item("a"), item("b")] }))?.output ?? [];
    expect(message).toMatchObject({
      role: "assistant",
      tool_calls: [
        { id: "a", function: { name: "a" } },
        { id: "b", function: { name: "b" } },
      ],
    });
  });

  it("are one answer and not another choice", () => {
    const choices = ["yes", "no"].map((content) => ({ role: "assistant", content }));
    expect(messagesOfSpan(generation("?", choices))?.output).toEqual([choices[0]]);
  });

  it("are read as Sentry's SDKs record them", () => {
    const span = spanWith({
      "sentry.op": "gen_ai.chat",
      "gen_ai.request.messages": JSON.stringify([{ role: "user", content: "weather?" }]),
      "gen_ai.request.available_tools": JSON.stringify([tool]),
      "gen_ai.response.tool_calls": JSON.stringify([call]),
    });
    expect(messagesOfSpan(span)).toMatchObject({
      input: [{ role: "user", content: "weather?" }],
      output: [{ role: "assistant", tool_calls: [call] }],
    });
    expect(advertisedBy(span)).toEqual([tool]);
  });
});

it("a message that was left out between others may have made calls", () => {
  const span = spanWith({
    "openinference.span.kind": "LLM",
    "llm.input_messages.0.message.role": "user",
    "llm.input_messages.0.message.content": "weather?",
    "llm.input_messages.2.message.role": "tool",
    "llm.input_messages.2.message.content": "sunny",
  });
  expect(messagesOfSpan(span)?.input).toMatchObject([
    { role: "user" },
    { role: "assistant", tool_calls: [null] },
    { role: "tool" },
  ]);
});

describe("tools that ran are read as they are recorded by", () => {
  const expected = { name: "weather", arguments: '{"city":"Rome"}', result: "sunny" };
  it.each<[string, Attributes]>([
    [
      "Langfuse",
      {
        "langfuse.observation.type": "tool",
        "langfuse.observation.input": '{"city":"Rome"}',
        "langfuse.observation.output": "sunny",
      },
    ],
    [
      "Sentry",
      {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "weather",
        "gen_ai.tool.input": '{"city":"Rome"}',
        "gen_ai.tool.output": "sunny",
      },
    ],
    [
      "Logfire",
      {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "weather",
        tool_arguments: '{"city":"Rome"}',
        tool_response: "sunny",
      },
    ],
  ])("%s", (_who, attributes) => {
    expect(toolOfSpan(spanWith(attributes, "weather"))).toEqual(expected);
  });

  it("LangSmith, with what an agent of Claude puts around them", () => {
    const attributes = {
      "langsmith.span.kind": "tool",
      "gen_ai.prompt": '{"input":{"city":"Rome"}}',
      "gen_ai.completion": "sunny",
    };
    expect(toolOfSpan(spanWith(attributes, "weather"))).toEqual({
      ...expected,
      arguments: { city: "Rome" },
    });
  });
});
