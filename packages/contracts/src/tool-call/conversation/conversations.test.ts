import { describe, expect, test } from "vitest";

import type { Snapshot } from "../../model/snapshot.ts";
import type { Attributes, Span } from "../../model/span.ts";
import { readMcpLog } from "../../readers/transcript/mcp-log.ts";
import { createSnapshot, snapshotOf } from "../../snapshot/create-snapshot.ts";
import { type SpanTree, snapshotOfSpans, spansOf } from "../../traces/trace-builder.ts";
import { executedArguments } from "../executed-arguments.ts";
import { snapshotOfTranscript } from "../fixtures/check-transcript.ts";
import { toolCallSchema } from "../schema.ts";
import { conversationsOf } from "./conversations.ts";

const schema = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
const definition = { type: "function", name: "weather", parameters: schema };
const wrapped = { type: "function", function: { name: "weather", parameters: schema } };
const span = (
  name: string,
  attributes: Attributes,
  events: Span["events"] = [],
): SpanTree & { events: Span["events"] } => ({ name, attributes, events });

/** The spans of a run, with their events. */
function run(...children: readonly (SpanTree & { events?: Span["events"] })[]): Snapshot {
  const spans = spansOf({ name: "agent", children });
  return snapshotOfSpans(
    spans.map((item, index) => ({ ...item, events: children[index - 1]?.events ?? [] })),
  );
}

/** What was said and done, as text. */
function told(snapshot: Snapshot): string[] {
  return conversationsOf(snapshot).flatMap(({ turns, exchanges }) => [
    ...turns.map(({ role, text }) => `${role}: ${text ?? ""}`.trim()),
    ...exchanges.map(
      ({ tool, given, result, execution, definition: known }) =>
        `${tool} ${JSON.stringify(given)} -> ${JSON.stringify(result?.content ?? null)}${execution === undefined ? "" : " ran"}${known === undefined ? "" : " known"}`,
    ),
  ]);
}

const call = {
  id: "call_1",
  type: "function",
  function: { name: "weather", arguments: '{"city":"Rome"}' },
};
const executed = span("execute_tool weather", {
  "gen_ai.operation.name": "execute_tool",
  "gen_ai.tool.name": "weather",
  "gen_ai.tool.call.id": "call_1",
  "gen_ai.tool.call.arguments": '{"city":"Rome"}',
  "gen_ai.tool.call.result": "sunny",
});
const expected = ["user: weather?", "assistant:", 'weather {"city":"Rome"} -> "sunny" ran known'];

describe("model calls in traces", () => {
  test("messages as JSON", () => {
    const chat = span("chat m", {
      "gen_ai.operation.name": "chat",
      "gen_ai.tool.definitions": JSON.stringify([definition]),
      "gen_ai.input.messages": JSON.stringify([
        { role: "user", parts: [{ type: "text", content: "weather?" }] },
      ]),
      "gen_ai.output.messages": JSON.stringify([
        {
          role: "assistant",
          parts: [
            { type: "tool_call", id: "call_1", name: "weather", arguments: { city: "Rome" } },
          ],
        },
      ]),
    });
    expect(told(run(chat, executed))).toEqual(expected);
  });

  test("messages as events, of the older convention", () => {
    const events: Span["events"] = [
      { name: "gen_ai.user.message", timeMicros: 1, attributes: { content: "weather?" } },
      {
        name: "gen_ai.choice",
        timeMicros: 2,
        attributes: {
          index: 0,
          message: JSON.stringify({ role: "assistant", tool_calls: [call] }),
        },
      },
    ];
    const attributes = {
      "gen_ai.system": "openai",
      "gen_ai.operation.name": "chat",
      "gen_ai.tool.definitions": JSON.stringify([wrapped]),
    };
    expect(told(run(span("chat m", attributes, events), executed))).toEqual(expected);
  });

  test("messages in one event", () => {
    const events: Span["events"] = [
      {
        name: "gen_ai.client.inference.operation.details",
        timeMicros: 1,
        attributes: {
          "gen_ai.input.messages": [
            { role: "user", parts: [{ type: "text", content: "weather?" }] },
          ],
          "gen_ai.output.messages": [
            {
              role: "assistant",
              parts: [
                { type: "tool_call", id: "call_1", name: "weather", arguments: { city: "Rome" } },
              ],
            },
          ],
        },
      },
    ];
    const attributes = { "gen_ai.operation.name": "chat", "gen_ai.tool.definitions": [definition] };
    expect(told(run(span("chat m", attributes, events), executed))).toEqual(expected);
  });

  test("spans of the AI SDK", () => {
    const outer = span("ai.generateText", {
      "ai.operationId": "ai.generateText",
      "ai.prompt": "weather?",
    });
    const inner = span("ai.generateText.doGenerate", {
      "ai.operationId": "ai.generateText.doGenerate",
      "ai.prompt.messages": JSON.stringify([
        { role: "user", content: [{ type: "text", text: "weather?" }] },
      ]),
      "ai.prompt.tools": [
        JSON.stringify({ type: "function", name: "weather", inputSchema: schema }),
      ],
      "ai.response.toolCalls": JSON.stringify([
        {
          toolCallType: "function",
          toolCallId: "call_1",
          toolName: "weather",
          args: '{"city":"Rome"}',
        },
      ]),
    });
    const tool = span("ai.toolCall", {
      "ai.operationId": "ai.toolCall",
      "ai.toolCall.name": "weather",
      "ai.toolCall.id": "call_1",
      "ai.toolCall.args": '{"city":"Rome"}',
      "ai.toolCall.result": "sunny",
    });
    expect(told(run(outer, inner, tool))).toEqual(expected);
  });

  test("an agent's span that repeats its model call is left out, and a later call goes on with the talk", () => {
    const input = [{ role: "user", parts: [{ type: "text", content: "weather?" }] }];
    const output = [
      {
        role: "assistant",
        parts: [{ type: "tool_call", id: "call_1", name: "weather", arguments: { city: "Rome" } }],
      },
    ];
    const answer = {
      role: "tool",
      parts: [{ type: "tool_call_response", id: "call_1", response: "sunny" }],
    };
    const chat = (before: unknown[], after: unknown[]): SpanTree & { events: Span["events"] } =>
      span("chat m", {
        "gen_ai.operation.name": "chat",
        "gen_ai.input.messages": JSON.stringify(before),
        "gen_ai.output.messages": JSON.stringify(after),
      });
    const agent = span("invoke_agent a", {
      "gen_ai.operation.name": "invoke_agent",
      "gen_ai.input.messages": JSON.stringify(input),
      "gen_ai.output.messages": JSON.stringify([
        { role: "assistant", parts: [{ type: "text", content: "It is sunny." }] },
      ]),
    });
    const last = [{ role: "assistant", parts: [{ type: "text", content: "It is sunny." }] }];
    expect(
      told(run(agent, chat(input, output), executed, chat([...input, ...output, answer], last))),
    ).toEqual([
      "user: weather?",
      "assistant:",
      "tool:",
      "assistant: It is sunny.",
      'weather {"city":"Rome"} -> "sunny" ran',
    ]);
  });

  test("a step of an agent around its model call is none itself", () => {
    const messages = JSON.stringify([{ role: "user", content: "step one" }]);
    const step = span("step 1", {
      "gen_ai.operation.name": "agent_step",
      "gen_ai.input.messages": messages,
    });
    const chat = span("chat m", {
      "gen_ai.operation.name": "chat",
      "gen_ai.input.messages": JSON.stringify([{ role: "user", content: "weather?" }]),
    });
    expect(told(run(step, chat))).toEqual(["user: weather?"]);
  });

  test("what ran without a model stands for itself", () => {
    expect(told(run(executed))).toEqual([
      "assistant:",
      "tool:",
      'weather "{\\"city\\":\\"Rome\\"}" -> "sunny"'.replace(
        '"{\\"city\\":\\"Rome\\"}"',
        '{"city":"Rome"}',
      ),
    ]);
  });

  test("a call that a model emitted wrongly is flagged also where it ran rightly", () => {
    const chat = span("chat m", {
      "gen_ai.operation.name": "chat",
      "gen_ai.tool.definitions": JSON.stringify([definition]),
      "gen_ai.output.messages": JSON.stringify([
        {
          role: "assistant",
          parts: [
            { type: "tool_call", id: "call_1", name: "weather", arguments: { town: "Rome" } },
          ],
        },
      ]),
    });
    const snapshot = run(chat, executed);
    expect(toolCallSchema.check(snapshot).map(({ measures }) => measures["fault"])).toEqual([
      "unknown-field",
    ]);
    expect(executedArguments.check(snapshot).map(({ measures }) => measures["fault"])).toEqual([
      "renamed-field",
    ]);
  });
});

test("a request to a tool server belongs to the model's call whose id it passes on", () => {
  const transcript = snapshotOfTranscript([
    { role: "user", content: "weather?" },
    {
      role: "assistant",
      content: [
        { type: "tool_use", id: "toolu_1", name: "weather", input: { city: "Rome", days: "3" } },
      ],
    },
  ]);
  const log = [
    {
      jsonrpc: "2.0",
      id: 1,
      method: "tools/call",
      params: {
        name: "weather",
        arguments: { city: "Rome", days: 3 },
        _meta: { "claudecode/toolUseId": "toolu_1" },
      },
    },
    { jsonrpc: "2.0", id: 1, result: { content: [{ type: "text", text: "sunny" }] } },
  ];
  const { turns } = readMcpLog(log.map((message) => JSON.stringify(message)).join("\n"));
  const server = createSnapshot([
    {
      source: { name: "log", format: "mcp-log", notes: [] },
      content: { kind: "transcript", turns },
    },
  ]);
  const findings = executedArguments.check(
    snapshotOf([...transcript.evidence, ...server.evidence]),
  );
  expect(
    findings.map(({ verdict, measures }) => `${verdict} ${measures["fault"] ?? ""}`.trim()),
  ).toContain("violated coerced-field");
});
