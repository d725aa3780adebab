import { describe, expect, test } from "vitest";

import type { TranscriptTurn } from "../../model/evidence.ts";
import { readEvidence } from "../read-evidence.ts";

function turnsOf(text: string): { format: string; turns: TranscriptTurn[] } {
  const { evidence, unreadable } = readEvidence([
    { name: "log", bytes: new TextEncoder().encode(text) },
  ]);
  expect(unreadable).toEqual([]);
  const [item] = evidence;
  const content = item?.content;
  return {
    format: item?.source.format ?? "",
    turns: content?.kind === "transcript" ? content.turns : [],
  };
}

const rpc = (message: object): object => ({ jsonrpc: "2.0", ...message });
const list = (id: number, names: readonly string[], more = {}): object[] => [
  rpc({ id, method: "tools/list", params: more }),
  rpc({
    id,
    result: {
      tools: names.map((name) => ({
        name,
        inputSchema: { type: "object" },
        annotations: { readOnlyHint: true },
      })),
    },
  }),
];
const call = (id: number, name: string, meta = {}): object =>
  rpc({ id, method: "tools/call", params: { name, arguments: { a: 1 }, ...meta } });
const answer = (id: number, result: object): object => rpc({ id, result });
const ok = { content: [{ type: "text", text: "fine" }] };
const log = [
  rpc({ id: 0, method: "initialize", params: {} }),
  ...list(1, ["a"]),
  call(2, "a"),
  // The server asks its client with an id of its own.
  rpc({ id: 2, method: "roots/list" }),
  answer(2, { roots: [] }),
  answer(2, ok),
  rpc({ method: "notifications/tools/list_changed" }),
  call(3, "a"),
  answer(3, { content: [{ type: "text", text: "no" }], isError: true }),
  ...list(4, ["b"]),
  call(5, "b", { _meta: { "claude/toolUseId": "toolu_77" } }),
  rpc({ id: 5, error: { code: -32602, message: "bad" } }),
];

describe("logs of the Model Context Protocol", () => {
  const forms: [string, string][] = [
    ["one on each line", log.map((message) => JSON.stringify(message)).join("\n")],
    ["a list", JSON.stringify(log)],
    ["within a document", JSON.stringify({ server: "x", messages: log })],
    [
      "in wrappers",
      log
        .map((message) =>
          JSON.stringify({ ts: "2025-05-01T10:00:00Z", dir: "out", payload: message }),
        )
        .join("\n"),
    ],
    [
      "as text in wrappers",
      log
        .map((message) => JSON.stringify({ ts: 1_746_093_600, data: JSON.stringify(message) }))
        .join("\n")
        .replace(/^/, `${JSON.stringify(log[0])}\n`),
    ],
    [
      "behind the words of a log line",
      log
        .map(
          (message) =>
            `2025-05-01T10:00:00.000Z [server] [info] Message from client: ${JSON.stringify(message)} { metadata: undefined }`,
        )
        .join("\n"),
    ],
    ["behind arrows", log.map((message) => `--> ${JSON.stringify(message)}`).join("\n")],
  ];
  test.each(forms)("%s", (_what, text) => {
    const { format, turns } = turnsOf(text);
    expect(format).toBe("mcp-log");
    expect(
      turns.flatMap((turn) => turn.calls.map(({ name, callId }) => `${name} ${callId}`)),
    ).toEqual(["a 2", "a 3", "b toolu_77"]);
    expect(
      turns.flatMap((turn) => turn.results.map(({ callId, isError }) => `${callId} ${isError}`)),
    ).toEqual(["2 false", "3 true", "toolu_77 true"]);
    const sets = turns
      .filter((turn) => turn.role === "assistant")
      .map((turn) => [turn.tools?.map(({ name }) => name).join(), turn.areToolsPartial === true]);
    expect(sets).toEqual([
      ["a", false],
      ["a", true],
      ["b", false],
    ]);
  });

  test("pages of one list are one set of tools", () => {
    const [first, page] = list(1, ["a"]);
    const more = rpc({
      id: 1,
      result: { tools: [{ name: "a", inputSchema: {} }], nextCursor: "2" },
    });
    const { turns } = turnsOf(
      [first, more, ...list(2, ["b"], { cursor: "2" }), call(3, "b"), answer(3, ok)]
        .map((message) => JSON.stringify(message))
        .join("\n"),
    );
    expect(page).toBeDefined();
    expect(turns[0]?.tools?.map(({ name }) => name)).toEqual(["a", "b"]);
    expect(turns[0]?.areToolsPartial).toBeUndefined();
  });
});

describe("recorded streams", () => {
  const event = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`;
  const chunk = (delta: object): unknown => ({
    id: "c",
    object: "chat.completion.chunk",
    choices: [{ index: 0, delta }],
  });
  const chunks = [
    chunk({ role: "assistant", content: "" }),
    chunk({
      tool_calls: [
        {
          index: 0,
          id: "call_1",
          type: "function",
          function: { name: "get_order", arguments: "" },
        },
      ],
    }),
    chunk({ tool_calls: [{ index: 0, function: { arguments: '{"id":' } }] }),
    chunk({
      tool_calls: [{ index: 1, id: "call_2", function: { name: "ping", arguments: "{}" } }],
    }),
    chunk({ tool_calls: [{ index: 0, function: { arguments: "1}" } }] }),
  ];
  const expected = [
    ["get_order", '{"id":1}'],
    ["ping", "{}"],
  ];
  const calls = (text: string): unknown[] =>
    turnsOf(text).turns.flatMap((turn) =>
      turn.calls.map(({ name, arguments: given }) => [name, given]),
    );

  test("chunks of a chat completion, as events, as a list and on lines", () => {
    expect(calls(`${chunks.map(event).join("")}data: [DONE]\n\n`)).toEqual(expected);
    expect(calls(JSON.stringify(chunks))).toEqual(expected);
    expect(calls(chunks.map((value) => JSON.stringify(value)).join("\n"))).toEqual(expected);
  });

  test("events of a message, with arguments in pieces", () => {
    const stream = [
      { type: "message_start", message: { role: "assistant", content: [] } },
      { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
      { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "I look." } },
      {
        type: "content_block_start",
        index: 1,
        content_block: { type: "tool_use", id: "t1", name: "get_order", input: {} },
      },
      {
        type: "content_block_delta",
        index: 1,
        delta: { type: "input_json_delta", partial_json: '{"id":' },
      },
      {
        type: "content_block_delta",
        index: 1,
        delta: { type: "input_json_delta", partial_json: "1}" },
      },
      { type: "message_stop" },
    ];
    const text = stream.map((value) => `event: ${value.type}\n${event(value)}`).join("");
    expect(calls(text)).toEqual([["get_order", '{"id":1}']]);
    expect(turnsOf(text).turns[0]?.text).toBe("I look.");
  });

  test("the finished response among the events of a response", () => {
    const response = {
      id: "r",
      output: [{ type: "function_call", call_id: "f1", name: "ping", arguments: "{}" }],
    };
    const text =
      event({ type: "response.created", response: { id: "r", output: [] } }) +
      event({ type: "response.completed", response });
    expect(calls(text)).toEqual([["ping", "{}"]]);
  });
});

describe("envelopes", () => {
  const messages = [
    { role: "user", content: "hi" },
    { role: "assistant", content: "hello" },
  ];
  const reply = {
    role: "assistant",
    content: null,
    tool_calls: [{ id: "c", function: { name: "ping", arguments: "{}" } }],
  };
  test.each<[string, unknown, number]>([
    [
      "a line of a batch",
      { custom_id: "1", method: "POST", url: "/v1/chat/completions", body: { messages } },
      2,
    ],
    [
      "an answer of a batch",
      { custom_id: "1", response: { status_code: 200, body: { choices: [{ message: reply }] } } },
      1,
    ],
    [
      "bodies as text",
      {
        request: { body: JSON.stringify({ messages }) },
        response: { body: JSON.stringify({ choices: [{ message: reply }] }) },
      },
      3,
    ],
    [
      "a run of a model",
      {
        run_type: "llm",
        inputs: {
          messages: [
            [
              {
                lc: 1,
                type: "constructor",
                id: ["langchain", "schema", "messages", "HumanMessage"],
                kwargs: { content: "hi" },
              },
            ],
          ],
        },
        outputs: {
          generations: [
            [
              {
                message: {
                  lc: 1,
                  type: "constructor",
                  id: ["langchain", "schema", "messages", "AIMessage"],
                  kwargs: { content: "", tool_calls: [{ name: "ping", args: {}, id: "c" }] },
                },
              },
            ],
          ],
        },
        extra: { invocation_params: { tools: [{ type: "function", function: { name: "ping" } }] } },
      },
      2,
    ],
    [
      "Gemini's answer",
      {
        request: { contents: [{ role: "user", parts: [{ text: "hi" }] }] },
        response: {
          candidates: [
            { content: { role: "model", parts: [{ functionCall: { name: "ping", args: {} } }] } },
          ],
        },
      },
      2,
    ],
    [
      "Ollama's answer",
      {
        request: { messages },
        response: {
          model: "m",
          message: {
            role: "assistant",
            content: "",
            tool_calls: [{ function: { name: "ping", arguments: {} } }],
          },
        },
      },
      3,
    ],
  ])("%s", (_what, value, count) => {
    const { turns } = turnsOf(JSON.stringify(value));
    expect(turns).toHaveLength(count);
    if (JSON.stringify(value).includes("ping")) expect(turns.at(-1)?.calls[0]?.name).toBe("ping");
  });
});
