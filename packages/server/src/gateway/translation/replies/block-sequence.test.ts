import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { BlockSequence } from "./block-sequence.ts";
import type { ReplyEvent } from "./reply-event.ts";

type Step = "start" | "end" | { readonly text: string };

describe("the blocks of a reply", () => {
  it("come one after the other, each whole, however they are interleaved", () => {
    const block = fc.array(fc.string({ maxLength: 3 }), { maxLength: 4 });
    fc.assert(
      fc.property(
        fc.array(block, { maxLength: 5 }),
        fc.infiniteStream(fc.nat(4)),
        fc.boolean(),
        (texts, turns, areEnded) => {
          const events: ReplyEvent[] = [];
          const blocks = new BlockSequence((event) => events.push(event));
          const started: number[] = [];
          let waiting = texts.map((texts, index) => {
            const steps: Step[] = ["start", ...texts.map((text) => ({ text }))];
            return { index, steps: areEnded ? [...steps, "end" as const] : steps };
          });
          while (waiting.length > 0) {
            const { index = 0, steps = [] } =
              waiting[Number(turns.next().value) % waiting.length] ?? {};
            const step = steps.shift();
            if (step === "start") {
              started.push(index);
              blocks.start(String(index), { kind: "text" });
            } else if (step === "end") {
              blocks.end(String(index));
            } else if (step !== undefined) {
              blocks.delta(String(index), step.text);
            }
            waiting = waiting.filter(({ steps }) => steps.length > 0);
          }
          blocks.endAll();
          const said = events.map((event) =>
            event.kind === "delta" ? event.text : `<${event.kind}>`,
          );
          const expected = started.map(
            (index) => `<block-start>${(texts[index] ?? []).join("")}<block-end>`,
          );
          expect(said.join("")).toBe(expected.join(""));
        },
      ),
    );
  });

  it("let the open block be seen as it grows, and say nothing empty", () => {
    const events: ReplyEvent[] = [];
    const blocks = new BlockSequence((event) => events.push(event));
    blocks.start("a", { kind: "text" });
    blocks.delta("a", "one");
    blocks.start("b", { kind: "text" });
    blocks.delta("b", "two");
    blocks.delta("a", "");
    expect(events.map((event) => event.kind)).toEqual(["block-start", "delta"]);
  });

  it("refuse what belongs to no open block", () => {
    const blocks = new BlockSequence(() => {});
    const invalid = expect.objectContaining({ code: "provider_response_invalid" });
    expect(() => blocks.delta("a", "x")).toThrow(invalid);
    expect(() => blocks.end("a")).toThrow(invalid);
    blocks.start("a", { kind: "text" });
    expect(() => blocks.start("a", { kind: "text" })).toThrow(invalid);
    blocks.end("a");
    expect(() => blocks.delta("a", "x")).toThrow(invalid);
  });
});
