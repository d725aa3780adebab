import { array, assert, constantFrom, nat, property, record, string } from "fast-check";
import { describe, expect, it } from "vitest";

import { JsonFault } from "../wire/json-fault.ts";
import { chatReply, messagesReply, type ReplyForm, responsesReply } from "./reply-form.ts";
import { ReplyReader } from "./reply-reader.ts";

const forms = { chat: chatReply, messages: messagesReply, responses: responsesReply };

/** Documents that share their beginnings more or less, as the events of a stream do, and some that are broken. */
const document = record({
  head: constantFrom(
    '{"id":"a","model":"m","choices":[{"index":0,"delta":{"content":"',
    '{"id":"a","model":"m","usage":null,"choices":[{"delta":{"role":"assistant","content":"',
    '{"id":"b","usage":{"prompt_tokens":3,"completion_tokens":4},"choices":[{"delta":{"content":"',
    '{"error":{"message":"no"},"choices":[{"finish_reason":"stop","delta":{"content":"',
    '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"',
    '{"type":"message_delta","usage":{"output_tokens":7},"delta":{"text":"',
    '{"type":"response.output_text.delta","sequence_number":4,"delta":"',
    '{"choices":[{"delta":{"content":[1,"',
    '{"id":"a","model":"m","choices":[{"index":0,"delta":{},"finish_reason":"',
    '{"id":"a","model":"m","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4},"x":[{"y":{"z":"',
    '{"id":"a","model":"m","choices":["',
    '{"id":"a","model":"m","choices":[{}],"choices":[{"delta":{"content":"',
    '{"choices":[{"delta":{"content":"x"}},{"delta":{"content":"',
  ),
  text: constantFrom("", "a", " sea", '\\"quoted\\"', "\\u00e9", "— and on", "\n", "]}"),
  tail: constantFrom(
    '"}}]}',
    '"},"logprobs":null,"finish_reason":null}],"usage":null}',
    '"},"finish_reason":"stop"}]}',
    '"}}',
    '"}',
    "",
  ),
});

/** What a reader has learned of a document, and of the reply so far. */
function facts(reader: ReplyReader): unknown {
  const { hasUsage, hasNoChoices, hasDelta, hasError, isEnd, isObject } = reader;
  const { usage, responseId, responseModel, finishReasons, errorMessage, saidBytes } = reader;
  return structuredClone([
    { hasUsage, hasNoChoices, hasDelta, hasError, isEnd, isObject },
    { usage, responseId, responseModel, finishReasons, errorMessage, saidBytes },
  ]);
}

function read(reader: ReplyReader, text: string, cut: number): string {
  const bytes = Buffer.from(`xx${text}yy`);
  const end = bytes.length - 2;
  const middle = 2 + (cut % (end - 1));
  try {
    reader.startDocument(true);
    reader.write(bytes, 2, middle);
    reader.write(bytes, middle, end);
    return String(reader.endDocument());
  } catch (error) {
    if (!(error instanceof JsonFault)) throw error;
    return `${error.kind} ${error.offset}`;
  }
}

describe.each<[string, ReplyForm]>(Object.entries(forms))("a stream of %s", (_name, form) => {
  it("is read on from what its events share, and says the same as if each were read from its beginning", () => {
    assert(
      property(
        array(document, { minLength: 2, maxLength: 8 }),
        nat(),
        string(),
        (list, cut, more) => {
          const resuming = new ReplyReader(form);
          // Asked for a place to resume from, it never has one.
          const plain = Object.assign(new ReplyReader(form), { mayResume: () => false });
          for (const { head, text, tail } of list) {
            const body = `${head}${text}${JSON.stringify(more).slice(1, -1)}${tail}`;
            expect(read(resuming, body, cut)).toBe(read(plain, body, cut));
            expect(facts(resuming)).toEqual(facts(plain));
          }
        },
      ),
      { numRuns: 4_000 },
    );
  });

  it("forgets what it shared when the next reply begins", () => {
    const reader = new ReplyReader(form);
    const event = '{"id":"a","model":"m","choices":[{"delta":{"content":"x"}}]}';
    for (let reply = 0; reply < 2; reply += 1) {
      for (let index = 0; index < 2; index += 1) read(reader, event, 0);
      expect(reader.responseId).toBe("a");
      reader.reset();
    }
  });
});
