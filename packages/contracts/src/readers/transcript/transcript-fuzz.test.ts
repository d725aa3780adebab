/** Every reader of transcripts ends in turns or a named fault, whatever it is given. */

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { script } from "../../tool-call/fixtures/corpus.ts";
import { corpusFormats } from "../../tool-call/fixtures/corpus-formats.ts";
import type { Attributes, Span } from "../../model/span.ts";
import { readEvidence } from "../read-evidence.ts";
import { eventsOf, messageOfEvents } from "./event-stream.ts";
import { readCalls, readLiteral } from "./python-literal.ts";
import { messagesOfSpan, toolOfSpan } from "./span-messages.ts";
import { callsInText, resultsInText, toolsInText } from "./text-calls.ts";

/** Ends without an error of ours: what cannot be read is named. */
function reads(text: string): void {
  const { evidence, unreadable } = readEvidence([
    { name: "x", bytes: new TextEncoder().encode(text) },
  ]);
  expect(evidence.length + unreadable.length).toBeGreaterThan(0);
}

const insertions = [
  "{",
  "}",
  "[",
  "]",
  '"',
  ",",
  ":",
  "null",
  "1e999",
  "\\",
  "\n",
  "data: ",
  "\u0000",
  '"role":',
  "<tool_call>",
];

describe("damaged corpora", () => {
  test.each(corpusFormats.map(({ name, write }) => [name, write] as const))(
    "%s",
    (_name, write) => {
      fc.assert(
        fc.property(fc.nat(20), fc.nat(1_000_000), fc.nat(60), (seed, place, length) => {
          const text = write(script(seed));
          const at = place % text.length;
          const piece = insertions[(place + length) % insertions.length] ?? "";
          reads(text.slice(0, at) + text.slice(at + length));
          reads(text.slice(0, at) + piece + text.slice(at));
          reads(text.slice(0, at));
        }),
        { numRuns: 15 },
      );
    },
  );
});

const word = fc.constantFrom(
  "a",
  "f(",
  "f(a=1)",
  "[",
  "]",
  "{",
  "}",
  "'",
  '"',
  "=",
  ",",
  ":",
  "None",
  "True",
  "1",
  "-",
  "\\",
  "<tool_call>",
  "</tool_call>",
  "<tools>",
  "</tools>",
  "<tool_response>",
  "Action:",
  "\nAction Input:",
  "\n",
  " ",
  '{"name": "a", "arguments": {}}',
  "data: {",
  'data: {"choices":[{"delta":{"content":"x"}}]}',
  "é",
  "😀",
);
const text = fc.array(word, { maxLength: 40 }).map((parts) => parts.join(""));

test("texts of any words are read as calls, literals, streams and tools, or are none", () => {
  fc.assert(
    fc.property(text, (given) => {
      readLiteral(given);
      readCalls(given);
      callsInText(given, "/0");
      resultsInText(given, "/0");
      toolsInText(given);
      messageOfEvents(eventsOf(given));
    }),
    { numRuns: 3_000 },
  );
});

test("deep and long texts end soon", () => {
  for (const given of [
    "[".repeat(100_000),
    "f(".repeat(50_000),
    `[${"1,".repeat(100_000)}]`,
    "{".repeat(200_000),
    "<tool_call>".repeat(20_000),
    "<tools>".repeat(20_000),
    `Action: a\nAction Input: ${"{".repeat(50_000)}`,
    " ".repeat(200_000),
  ]) {
    readLiteral(given);
    readCalls(given);
    callsInText(given, "/0");
    toolsInText(given);
    resultsInText(given, "/0");
  }
});

const name = fc.constantFrom(
  "gen_ai.operation.name",
  "gen_ai.input.messages",
  "gen_ai.output.messages",
  "gen_ai.tool.definitions",
  "gen_ai.tool.name",
  "gen_ai.tool.call.arguments",
  "gen_ai.prompt.0.role",
  "gen_ai.prompt.0.content",
  "gen_ai.prompt.1.tool_calls.0.name",
  "gen_ai.prompt.x.y",
  "gen_ai.prompt.0.__proto__.a",
  "gen_ai.prompt.0.constructor.prototype.a",
  "gen_ai.completion.0.content",
  "llm.input_messages.0.message.role",
  "llm.input_messages.0.message.tool_calls.0.tool_call.function.name",
  "llm.tools.0.tool.json_schema",
  "openinference.span.kind",
  "input.value",
  "ai.prompt.messages",
  "ai.response.toolCalls",
  "ai.toolCall.name",
  "traceloop.span.kind",
  "traceloop.entity.input",
  "mcp.method.name",
);
const value = fc.oneof(
  fc.constantFrom(
    "chat",
    "execute_tool",
    "LLM",
    "TOOL",
    "tool",
    "tools/call",
    "user",
    '[{"role":"user","parts":[{"type":"text","content":"x"}]}]',
    "[1,null,[]]",
    '{"tools":[{}]}',
    "[",
    '"x"',
  ),
  fc.jsonValue().map((given) => JSON.stringify(given)),
  fc.jsonValue(),
);

test("spans with any attributes are read, and nothing reaches the prototype of objects", () => {
  fc.assert(
    fc.property(fc.dictionary(name, value, { maxKeys: 12 }), (attributes) => {
      const span: Span = {
        traceId: "a".repeat(32),
        spanId: "b".repeat(16),
        name: "chat",
        kind: "internal",
        service: "s",
        startMicros: 1,
        durationNanos: 1,
        status: { code: "unset" },
        attributes: attributes as Attributes,
        resource: {},
        scope: { name: "t" },
        events: [{ name: "gen_ai.choice", timeMicros: 1, attributes: attributes as Attributes }],
        links: [],
      };
      messagesOfSpan(span);
      toolOfSpan(span);
      expect(({} as Record<string, unknown>)["a"]).toBeUndefined();
    }),
    { numRuns: 2_000 },
  );
});

test("an action of very many spaces is no call, and costs no time", () => {
  expect(callsInText(`Action:${" ".repeat(200_000)}`, "").calls).toEqual([]);
});
