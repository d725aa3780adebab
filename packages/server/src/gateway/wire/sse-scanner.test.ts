import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { chatReply } from "../calls/reply-form.ts";
import { ReplyReader } from "../calls/reply-reader.ts";
import { type FrameKind, SseScanner } from "./sse-scanner.ts";

interface Frame {
  readonly kind: FrameKind;
  /** Absolute. */
  readonly end: number;
  readonly facts: string;
}

/** Scans a stream in the given parts; facts are those of the event's own data. */
function scan(parts: readonly Buffer[]): {
  frames: Frame[];
  reader: ReplyReader;
  midFrame: boolean;
} {
  const reader = new ReplyReader(chatReply);
  const frames: Frame[] = [];
  let offset = 0;
  const scanner = new SseScanner(reader, {
    onFrame: (kind, end) => {
      const facts =
        kind === "data"
          ? [
              reader.hasDelta ? "delta" : "",
              reader.hasUsage ? "usage" : "",
              reader.hasNoChoices ? "no-choices" : "",
              reader.hasError ? "error" : "",
            ]
              .filter((fact) => fact !== "")
              .join(" ")
          : "";
      frames.push({ kind, end: offset + end, facts });
    },
  });
  for (const part of parts) {
    scanner.write(part);
    offset += part.length;
  }
  return { frames, reader, midFrame: scanner.midFrame };
}

const chunk = (fields: object): string => JSON.stringify({ id: "c1", model: "m-1", ...fields });
const lines = (text: string, end: string): string => text.replaceAll("\n", end);

const stream = [
  ": a comment\n\n",
  `data: ${chunk({ choices: [{ delta: { role: "assistant", content: "" } }] })}\n\n`,
  `event: message\nid: 7\ndata:${chunk({ choices: [{ delta: { content: "[DONE] \\n data: é" } }] })}\n\n`,
  `data: {"choices":\ndata: [{"delta":{"tool_calls":[{"index":0}]}}]}\n\n`,
  `data: ${chunk({ choices: [{ delta: {}, finish_reason: "stop" }] })}\n\n`,
  `data: ${chunk({ choices: [], usage: { prompt_tokens: 3, completion_tokens: 5, prompt_tokens_details: { cached_tokens: 2 }, completion_tokens_details: { reasoning_tokens: 1 } } })}\n\n`,
  `data: ${chunk({ error: { message: "late" } })}\n\n`,
  "data\n\n",
  "data: [DONE] \n\n",
  "data: [DON\n\n",
  "data: [DONE]\n\n",
].join("");
const kinds = [
  "comment",
  "data",
  "data",
  "data",
  "data",
  "data",
  "data",
  "comment",
  "malformed",
  "malformed",
  "done",
];

describe("the scanner of server-sent events", () => {
  it.each(["\n", "\r\n", "\r"])("finds the events of a stream with line end %j", (end) => {
    const bytes = Buffer.from(lines(stream, end));
    const { frames, reader, midFrame } = scan([bytes]);
    expect(frames.filter(({ kind }) => kind !== "line-feed").map(({ kind }) => kind)).toEqual(
      kinds,
    );
    expect(frames.filter(({ kind }) => kind === "data").map(({ facts }) => facts)).toEqual([
      "",
      "delta",
      "delta",
      "",
      "usage no-choices",
      "no-choices error",
    ]);
    expect(reader.usage).toEqual({
      inputTokens: 3,
      cachedInputTokens: 2,
      cacheWriteInputTokens: 0,
      outputTokens: 5,
      reasoningTokens: 1,
    });
    expect([
      reader.responseId,
      reader.responseModel,
      reader.finishReasons,
      reader.errorMessage,
    ]).toEqual(["c1", "m-1", ["stop"], "late"]);
    expect(frames.at(-1)?.end).toBe(bytes.length);
    expect(midFrame).toBe(false);
  });

  it.each(["\n", "\r\n", "\r"])(
    "finds the same at every split of the bytes with line end %j",
    (end) => {
      const bytes = Buffer.from(lines(stream, end));
      const whole = scan([bytes]).frames;
      for (let cut = 0; cut <= bytes.length; cut += 1) {
        expect(scan([bytes.subarray(0, cut), bytes.subarray(cut)]).frames).toEqual(whole);
      }
      expect(scan([...bytes].map((byte) => Buffer.of(byte))).frames).toEqual(whole);
    },
  );

  it("knows that a stream ends within an event", () => {
    expect(scan([Buffer.from('data: {"id"')]).midFrame).toBe(true);
    expect(scan([Buffer.from("data: [DONE]\n")]).midFrame).toBe(true);
  });

  it("survives any bytes", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 })), (parts) => {
        scan(parts.map((part) => Buffer.from(part)));
      }),
    );
  });
});
