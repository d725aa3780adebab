import { parseForeignJson } from "@faultline/contracts/json";
import { PlatformError } from "@faultline/protocol";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { chatForm } from "./request-form.ts";
import { RequestReader } from "./request-reader.ts";
import { applySplices } from "../wire/splice.ts";

const reader = new RequestReader(chatForm);
const interpreted = [
  "model",
  "stream",
  "stream_options",
  "messages",
  "max_tokens",
  "max_completion_tokens",
  "temperature",
  "top_p",
  "user",
  "tools",
  "tool_choice",
  "response_format",
  "n",
];

/** A field name, its letters escaped at random. */
const spelled = (name: string): fc.Arbitrary<string> =>
  fc
    .array(fc.boolean(), { minLength: name.length, maxLength: name.length })
    .map((escapes) =>
      Array.from(name)
        .map((letter, index) =>
          escapes[index] === true
            ? `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`
            : letter,
        )
        .join(""),
    )
    .map((text) => `"${text}"`);

const space = fc.constantFrom("", " ", "\n", "\t\r\n  ");
const foreignField = fc
  .tuple(
    fc.string().filter((name) => !interpreted.includes(name.toLowerCase())),
    fc.jsonValue(),
  )
  .map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`);

/** Requests as text: any fields, also repeated ones, in any order, with whitespace, and escapes in names. */
const requestText = fc
  .tuple(
    spelled("model"),
    spelled("stream"),
    fc.constantFrom("true", "false", "null", undefined),
    fc.constantFrom(
      undefined,
      "null",
      "{}",
      '{"include_usage":false}',
      '{"x":1 , "include_usage" : true}',
      '{"x":[1]}',
    ),
    fc.array(foreignField, { maxLength: 6 }),
    fc.infiniteStream(space),
    fc.infiniteStream(fc.nat()),
  )
  .map(([model, stream, streams, options, foreign, spaces, order]) => {
    const fields = [`${model} : "provider/mödel"`, ...foreign];
    if (streams !== undefined) fields.push(`${stream}:${streams}`);
    if (options !== undefined) fields.push(`"stream_options":${options}`);
    const next = (): string => spaces.next().value;
    const shuffled = fields
      .map((field) => ({ field, rank: order.next().value }))
      .sort((left, right) => left.rank - right.rank)
      .map(({ field }) => `${next()}${field}${next()}`);
    return `${next()}{${shuffled.join(",")}}${next()}`;
  });

describe("a chat completion request", () => {
  it("changes only at the model and at include_usage, and means the same otherwise", () => {
    fc.assert(
      fc.property(requestText, (text) => {
        const body = Buffer.from(text);
        const request = reader.read(body);
        const splices = [request.modelSplice('up"stream')];
        if (request.usageSplice !== undefined) splices.push(request.usageSplice);
        const before = parseForeignJson(text) as Record<string, unknown>;
        const sent = applySplices(body, splices).toString();
        const after = parseForeignJson(sent) as Record<string, unknown>;

        const options = before["stream_options"];
        const expected: Record<string, unknown> = { ...before, model: 'up"stream' };
        if (before["stream"] === true) {
          expected["stream_options"] = {
            ...(typeof options === "object" ? options : {}),
            include_usage: true,
          };
        }
        expect(after).toEqual(expected);
        expect(request.model).toBe("provider/mödel");
        expect(undoSplices(sent, splices, body)).toBe(text);
      }),
      { numRuns: 500 },
    );
  });

  it("keeps every byte when the model keeps its name and usage was asked for", () => {
    const body = Buffer.from(
      '{ "model":"m","stream":true,"stream_options":{"include_usage":true},"n":1.0e0 }',
    );
    const request = reader.read(body);
    expect(request.usageSplice).toBeUndefined();
    expect(applySplices(body, [request.modelSplice("m")]).equals(body)).toBe(true);
  });

  it("reads the sampling parameters as they were sent", () => {
    const request = reader.read(
      Buffer.from(
        '{"model":"m","max_tokens":5,"max_completion_tokens":7,"temperature":0.5,"top_p":1}',
      ),
    );
    expect(request).toMatchObject({ maxTokens: 7, temperature: 0.5, topP: 1, stream: false });
  });

  it.each([
    ['{"model":"a","model":"b"}', "request_invalid", "/model"],
    ['{"model":"a","mod\\u0065l":"b"}', "request_invalid", "/model"],
    [
      '{"stream_options":{"include_usage":true,"include_usage":false},"model":"a"}',
      "request_invalid",
      "/stream_options/include_usage",
    ],
    ['{"messages":[]}', "request_invalid", "/model"],
    ['{"model":""}', "request_invalid", "/model"],
    ['{"model":7}', "request_invalid", "/model"],
    [`{"model":"${"x".repeat(300)}"}`, "request_invalid", "/model"],
    ['{"model":"a","stream":"yes"}', "request_invalid", "/stream"],
    ['{"model":"a","max_tokens":"9000"}', "request_invalid", "/max_tokens"],
    [
      '{"model":"a","max_tokens":[9000],"max_completion_tokens":5}',
      "request_invalid",
      "/max_tokens",
    ],
    [`{"model":"a","max_tokens":9000.${"0".repeat(600)}}`, "request_invalid", "/max_tokens"],
    ['{"model":"a","max_completion_tokens":true}', "request_invalid", "/max_completion_tokens"],
    ['{"model":"a","n":"128"}', "request_invalid", "/n"],
    ['{"model":"a","Model":"b"}', "request_invalid", "byte 21"],
    ['{"model":"a","MAX_TOKENS":9000}', "request_invalid", "byte 26"],
    ['{"model":"a","\\u017ftream":true}', "request_invalid", "byte 27"],
    ['{"model":"a","max_to\u212Aen\u017F":9000}', "request_invalid", "byte 29"],
    ['{"model":"a","stream_options":{"include_usagE":false}}', "request_invalid", "byte 47"],
    [`{"model":"a","n":128.${"0".repeat(600)}}`, "request_invalid", "/n"],
    ['{"model":"a","n":1,"\\u006e":128}', "request_invalid", "/n"],
    ["[1]", "request_invalid", ""],
    ['{"model":"a"', "request_malformed", "byte 12"],
    ['{"model":"a",}', "request_malformed", "byte 13"],
    ["", "request_malformed", "byte 0"],
    [`{"model":"a","x":${"[".repeat(200)}`, "nesting_too_deep", "byte 144"],
  ])("refuses %s", (text, code, where) => {
    const refused = refusalOf(Buffer.from(text));
    expect([refused.code, refused.where]).toEqual([code, where]);
  });

  it("refuses bytes that are no UTF-8", () => {
    expect(refusalOf(Buffer.from([0x7b, 0xff, 0x7d])).code).toBe("request_malformed");
  });

  it("ends every garbage in a typed error", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          reader.read(Buffer.from(bytes));
        } catch (error) {
          expect(error).toBeInstanceOf(PlatformError);
        }
      }),
    );
  });
});

function refusalOf(body: Buffer): PlatformError {
  try {
    reader.read(body);
  } catch (error) {
    if (error instanceof PlatformError) return error;
    throw error;
  }
  throw new Error("The request was accepted.");
}

/**
 * Puts the original bytes back where the splices stand; equal to the original only if nothing else changed. Once a
 * splice is undone, the next one stands where its offset says.
 */
function undoSplices(
  sent: string,
  splices: readonly { start: number; end: number; text: string }[],
  original: Buffer,
): string {
  let bytes = Buffer.from(sent);
  for (const splice of splices.toSorted((left, right) => left.start - right.start)) {
    const at = splice.start;
    const length = Buffer.byteLength(splice.text);
    expect(bytes.toString("utf8", at, at + length)).toBe(splice.text);
    bytes = Buffer.concat([
      bytes.subarray(0, at),
      original.subarray(splice.start, splice.end),
      bytes.subarray(at + length),
    ]);
  }
  return bytes.toString();
}
