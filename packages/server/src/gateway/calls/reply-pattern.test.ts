import { array, assert, constantFrom, nat, property, record } from "fast-check";
import { describe, expect, it } from "vitest";

import { SseScanner } from "../wire/sse-scanner.ts";
import { chatReply, messagesReply, type ReplyForm, responsesReply } from "./reply-form.ts";
import { ReplyReader } from "./reply-reader.ts";

const forms = { chat: chatReply, messages: messagesReply, responses: responsesReply };

/** Events of which many differ in their texts alone, some in what else they say, and some are broken. */
const event = record({
  head: constantFrom(
    'data: {"id":"a","model":"m","choices":[{"index":0,"delta":{"content":"',
    'data: {"id":"a","model":"m","choices":[{"index":0,"delta":{"content":"',
    'data: {"id":"a","choices":[{"delta":{"content":"","reasoning_content":"',
    'data: {"id":"b","usage":{"prompt_tokens":3,"completion_tokens":4},"choices":[{"delta":{"content":"',
    'data: {"error":{"message":"no"},"choices":[{"delta":{"content":"',
    'data: {"choices":[{"delta":{"content":"x"}},{"delta":{"content":"',
    'data: {"choices":[{"delta":{"tool_calls":[1],"content":"',
    'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"',
    'data: {"type":"error","delta":{"text":"',
    'data: {"type":"response.output_text.delta","delta":"',
    'data: {"type":"response.output_text.delta","sequence_number":4,"delta":"',
    'data: {"id":"a",\ndata: "choices":[{"delta":{"content":"',
    ": comment\ndata: [DONE",
  ),
  text: constantFrom("", "a", " sea", '\\"\\\\\\n', "\\u00e9", "\\x", "\\", "— on", "\u0007", "]}"),
  tail: constantFrom(
    '"}}]}\n\n',
    '"}}]}\n\n',
    '"},"finish_reason":null}],"usage":null}\n\n',
    '"},"finish_reason":"stop"}]}\n\n',
    '"}}]}\r\n\r\n',
    '"}}\n\n',
    '"}\n\n',
    "]\n\n",
  ),
});

/** All that the reading of a stream tells, cut into these parts. */
function read(form: ReplyForm, parts: readonly Buffer[]): unknown {
  const reader = new ReplyReader(form);
  const told: unknown[] = [];
  let offset = 0;
  const scanner = new SseScanner(reader, {
    onFrame: (kind, end) => {
      const { hasUsage, hasNoChoices, hasDelta, hasError, isEnd, isObject } = reader;
      const { usage, responseId, responseModel, finishReasons, errorMessage } = reader;
      const { deltaCount, saidBytes, sequence } = reader;
      const facts = { hasUsage, hasNoChoices, hasDelta, hasError, isEnd, isObject };
      told.push(
        structuredClone([
          [kind, offset + end, kind === "data" && facts, deltaCount, saidBytes, sequence],
          { usage, responseId, responseModel, finishReasons, errorMessage },
        ]),
      );
    },
  });
  for (const part of parts) {
    scanner.write(part);
    offset += part.length;
  }
  return told;
}

describe.each<[string, ReplyForm]>(Object.entries(forms))("the events of %s", (_name, form) => {
  it("tell the same where they are known by the one before as when they come byte by byte", () => {
    assert(
      property(
        array(event, { minLength: 2, maxLength: 10 }),
        array(nat(), { maxLength: 3 }),
        (list, cuts) => {
          const bytes = Buffer.from(
            list.map(({ head, text, tail }) => `${head}${text}${tail}`).join(""),
          );
          const places = cuts.map((cut) => cut % bytes.length).toSorted((a, b) => a - b);
          const parts = [0, ...places].map((start, index) =>
            bytes.subarray(start, places[index] ?? bytes.length),
          );
          const single = [...bytes].map((byte) => Buffer.of(byte));
          expect(read(form, parts)).toEqual(read(form, single));
        },
      ),
      { numRuns: 1_000 },
    );
  });
});

describe("an event like the one before", () => {
  const event = (text: string, id = "a"): string =>
    `data: {"id":"${id}","choices":[{"delta":{"content":"${text}"}}]}\n\n`;

  it("is taken without being read, and counts what it says", () => {
    const reader = new ReplyReader(chatReply);
    const scanner = new SseScanner(reader, { onFrame: () => {} });
    scanner.write(Buffer.from(event("one")));
    const like = Buffer.from(`${event("more\\n")}${event("x", "b")}`);
    expect(reader.readLike(like, 0)).toBe(event("more\\n").length);
    expect([reader.deltaCount, reader.saidBytes]).toEqual([2, 9]);
    expect(reader.readLike(like, event("more\\n").length)).toBe(-1);
  });

  it("is none of the next reply", () => {
    const reader = new ReplyReader(chatReply);
    const scanner = new SseScanner(reader, { onFrame: () => {} });
    scanner.write(Buffer.from(event("one")));
    reader.reset();
    expect(reader.readLike(Buffer.from(event("two")), 0)).toBe(-1);
  });
});
