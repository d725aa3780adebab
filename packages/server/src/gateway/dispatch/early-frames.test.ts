import { array, assert, constantFrom, integer, property, tuple } from "fast-check";
import { describe, expect, it } from "vitest";

import { EarlyFrames } from "./early-frames.ts";

describe("EarlyFrames", () => {
  it("holds empty frames until one says something", () => {
    const frames = new EarlyFrames();
    expect([frames.onFrame("empty", 100), frames.onFrame("empty", 100)]).toEqual(["hold", "hold"]);
    expect([frames.committed, frames.heldFrameCount]).toEqual([false, 2]);
    expect(frames.onFrame("delta", 10)).toBe("commit");
    expect([frames.onFrame("empty", 10), frames.onFrame("done", 10)]).toEqual(["pass", "pass"]);
    expect([frames.committed, frames.heldFrameCount]).toEqual([true, 0]);
  });

  it("lets an error before the first word lead to another attempt, and none after it", () => {
    const frames = new EarlyFrames();
    frames.onFrame("empty", 100);
    expect([frames.onFrame("error", 50), frames.onBreak()]).toEqual(["fail-early", "fail-early"]);
    const late = new EarlyFrames();
    late.onFrame("delta", 10);
    expect([late.onFrame("error", 50), late.onBreak()]).toEqual(["fail-late", "fail-late"]);
  });

  it("passes on an answer that ends without a word", () => {
    const frames = new EarlyFrames();
    frames.onFrame("empty", 10);
    expect(frames.onFrame("done", 14)).toBe("commit");
  });

  it("holds no more than 64 frames and 256 KiB", () => {
    const many = new EarlyFrames();
    const steps = Array.from({ length: 66 }, () => many.onFrame("empty", 10));
    expect(steps.lastIndexOf("hold")).toBe(63);
    expect(steps.slice(64)).toEqual(["commit", "pass"]);
    const large = new EarlyFrames();
    expect([large.onFrame("empty", 262_144), large.onFrame("empty", 1)]).toEqual([
      "hold",
      "commit",
    ]);
    expect(new EarlyFrames().onFrame("empty", 262_145)).toBe("commit");
  });

  it("holds nothing when it must not", () => {
    const frames = new EarlyFrames({ frameCountMax: 0, byteCountMax: 0 });
    expect(frames.onFrame("empty", 1)).toBe("commit");
  });

  it("commits once, never holds afterwards, and never fails early afterwards", () => {
    const frame = tuple(
      constantFrom("empty" as const, "delta" as const, "error" as const, "done" as const),
      integer({ min: 0, max: 100_000 }),
    );
    assert(
      property(array(frame, { maxLength: 100 }), (all) => {
        const frames = new EarlyFrames();
        let committed = false;
        let heldBytes = 0;
        for (const [kind, byteCount] of all) {
          const step = frames.onFrame(kind, byteCount);
          if (committed) expect(["pass", "fail-late"]).toContain(step);
          else expect(["hold", "commit", "fail-early"]).toContain(step);
          if (step === "hold") heldBytes += byteCount;
          expect(heldBytes).toBeLessThanOrEqual(262_144);
          committed ||= step === "commit";
          expect(frames.committed).toBe(committed);
          if (kind === "delta") expect(committed).toBe(true);
        }
      }),
    );
  });
});
