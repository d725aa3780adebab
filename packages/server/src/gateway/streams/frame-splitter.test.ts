/** The cutting of event streams, for every line end and every way in which bytes arrive. */

import { array, assert, constantFrom, infiniteStream, nat, property } from "fast-check";
import { describe, expect, it } from "vitest";

import { parseEventId } from "./event-id.ts";
import { FrameSplitter } from "./frame-splitter.ts";

function split(parts: readonly Buffer[]): string[] {
  const frames: string[] = [];
  const splitter = new FrameSplitter((frame, blankAt) => {
    frames.push(`${frame.toString("latin1", 0, blankAt)}|${frame.toString("latin1", blankAt)}`);
  });
  for (const part of parts) splitter.write(part);
  splitter.end();
  return frames;
}

describe("an event stream", () => {
  it.each([
    ["data: a\n\ndata: b\n\n", ["data: a\n|\n", "data: b\n|\n"]],
    ["data: a\r\n\r\ndata: b\r\n\r\n", ["data: a\r\n|\r\n", "data: b\r\n|\r\n"]],
    ["data: a\r\rdata: b\r\r", ["data: a\r|\r", "data: b\r|\r"]],
    [": hello\n\n\n\ndata: b\ndata: c\n\n", [": hello\n|\n", "\n\ndata: b\ndata: c\n|\n"]],
    ["data: a\n\r\ndata: b\r\n\n", ["data: a\n|\r\n", "data: b\r\n|\n"]],
    ["data: a\n\n\n", ["data: a\n|\n", "|\n"]],
    ["data: a\n\ndata: b", ["data: a\n|\n", "data: b|"]],
  ])("of %j is cut into its events", (text, frames) => {
    expect(split([Buffer.from(text)])).toEqual(frames);
  });

  it("is cut into the same bytes and events however it arrives", () => {
    const piece = constantFrom("data: x", ": c", "id: 7", "\n", "\r", "\r\n", "\n\n", "\r\n\r\n");
    assert(
      property(array(piece, { maxLength: 30 }), infiniteStream(nat(5)), (pieces, sizes) => {
        const bytes = Buffer.from(pieces.join(""));
        const parts: Buffer[] = [];
        for (let at = 0; at < bytes.length;) {
          const length = 1 + (sizes.next().value ?? 0);
          parts.push(bytes.subarray(at, at + length));
          at += length;
        }
        const frames = split(parts);
        expect(frames.map((frame) => frame.replace("|", "")).join("")).toBe(bytes.toString());
        // A line feed that follows late may stand before the next event: it ends an empty line there, which says nothing.
        const said = (cut: readonly string[]): string[] =>
          cut
            .map((frame) => frame.replaceAll(/[\r\n|]+/g, " ").trim())
            .filter((text) => text !== "");
        expect(said(frames)).toEqual(said(split([bytes])));
      }),
    );
  });
});

describe("the id of an event", () => {
  it.each([
    "",
    "1",
    "1-",
    "-1",
    "1-1-1",
    "01-1",
    "1-01",
    "a-1",
    "1-1 ",
    "99999999999-1",
    "1".repeat(99),
  ])("is not %j", (text) => {
    expect(parseEventId(text)).toBeUndefined();
  });

  it("has an epoch and a sequence", () => {
    expect(parseEventId("3-17")).toEqual({ epoch: 3, sequence: 17 });
  });
});
