import { expect, it } from "vitest";

import type { Span } from "../../model/span.ts";
import { advertisedBy, messagesOfSpan } from "../transcript/span-messages.ts";
import { readEvidence } from "../read-evidence.ts";

const schema = '{"type":"function","function":{"name":"weather","parameters":{}}}';
const shared = { name: "chat", parent_id: null, start_time: "2025-01-01T00:00:00+00:00" };
const ids = {
  trace_id: "0af7651916cd43dd8448eb211c80319c",
  span_id: "b7ad6b7169203331",
};
const ended = { end_time: "2025-01-01T00:00:01+00:00", status_code: "ERROR", status_message: "no" };
const messages = [{ role: "user", content: "weather?" }];

function read(value: unknown): Span {
  const { evidence, unreadable } = readEvidence([
    { name: "x.json", bytes: new TextEncoder().encode(JSON.stringify(value)) },
  ]);
  expect(unreadable).toEqual([]);
  expect(evidence[0]?.source.format).toBe("phoenix-spans");
  const [span] = evidence.flatMap(({ content }) => (content.kind === "trace" ? content.spans : []));
  if (span === undefined) throw new Error("no span");
  return span;
}

it.each<[string, unknown]>([
  [
    "rows of its data frame",
    [
      {
        ...shared,
        ...ended,
        span_kind: "LLM",
        "context.trace_id": ids.trace_id,
        "context.span_id": ids.span_id,
        "attributes.llm.input_messages": [
          { "message.role": "user", "message.content": "weather?" },
        ],
        "attributes.llm.tools": [{ "tool.json_schema": schema }],
      },
    ],
  ],
  [
    "pages of its API",
    {
      data: [
        {
          ...shared,
          ...ended,
          id: "U3Bhbjox",
          span_kind: "LLM",
          context: ids,
          attributes: {
            "llm.input_messages.0.message.role": "user",
            "llm.input_messages.0.message.content": "weather?",
            "llm.tools.0.tool.json_schema": schema,
          },
        },
      ],
      next_cursor: null,
    },
  ],
  [
    "nested attributes, as text",
    {
      ...shared,
      ...ended,
      span_kind: "LLM",
      context: ids,
      attributes: JSON.stringify({
        llm: {
          input_messages: [{ message: { role: "user", content: "weather?" } }],
          tools: [{ tool: { json_schema: schema } }],
        },
      }),
    },
  ],
])("spans of Phoenix are read alike from %s", (_what, value) => {
  const span = read(value);
  expect(span).toMatchObject({
    traceId: ids.trace_id,
    spanId: ids.span_id,
    durationNanos: 1e9,
    status: { code: "error", message: "no" },
    attributes: { "openinference.span.kind": "LLM" },
  });
  expect(messagesOfSpan(span)?.input).toMatchObject(messages);
  expect(advertisedBy(span)).toHaveLength(1);
});

it("many names of one map are put together without a copy for each", () => {
  const parts = Object.fromEntries(Array.from({ length: 60_000 }, (_, at) => [`a.${at}`, at]));
  const span = read([
    { ...shared, ...ended, context: ids, span_kind: "LLM", attributes: { list: [parts] } },
  ]);
  expect(Object.keys(span.attributes)).toContain("list");
});
