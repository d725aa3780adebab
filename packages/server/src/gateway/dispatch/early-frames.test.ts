import { array, assert, boolean, integer, property, record } from "fast-check";
import { describe, expect, it } from "vitest";

import { earlyStep, type EarlyStream } from "./early-frames.ts";

const silent: EarlyStream = {
  deltaSeen: false,
  complete: false,
  errorSeen: false,
  frameCount: 1,
  byteCount: 100,
};

describe("earlyStep", () => {
  it("holds frames that say nothing, until one says something", () => {
    expect(earlyStep(silent)).toBe("hold");
    expect(earlyStep({ ...silent, deltaSeen: true })).toBe("commit");
  });

  it("lets an error before the first word lead to another attempt, and none after it", () => {
    expect(earlyStep({ ...silent, errorSeen: true })).toBe("fail");
    expect(earlyStep({ ...silent, errorSeen: true, deltaSeen: true })).toBe("commit");
  });

  it("passes on an answer that ends without a word", () => {
    expect(earlyStep({ ...silent, complete: true })).toBe("commit");
  });

  it("holds no more than 64 frames and 256 KiB", () => {
    expect(earlyStep({ ...silent, frameCount: 64, byteCount: 262_144 })).toBe("hold");
    expect(earlyStep({ ...silent, frameCount: 65 })).toBe("commit");
    expect(earlyStep({ ...silent, byteCount: 262_145 })).toBe("commit");
  });

  it("commits a stream once it speaks, ends or is long, and fails it only before, however it is cut", () => {
    const part = record({
      delta: boolean(),
      error: boolean(),
      end: boolean(),
      frames: integer({ min: 0, max: 30 }),
      bytes: integer({ min: 0, max: 100_000 }),
    });
    assert(
      property(array(part, { maxLength: 20 }), (parts) => {
        let stream = { ...silent, frameCount: 0, byteCount: 0 };
        for (const { delta, error, end, frames, bytes } of parts) {
          stream = {
            deltaSeen: stream.deltaSeen || delta,
            errorSeen: stream.errorSeen || error,
            complete: stream.complete || end,
            frameCount: stream.frameCount + frames,
            byteCount: stream.byteCount + bytes,
          };
          const step = earlyStep(stream);
          if (step === "hold") {
            expect(stream.frameCount).toBeLessThanOrEqual(64);
            expect(stream.byteCount).toBeLessThanOrEqual(262_144);
            expect(stream.deltaSeen || stream.complete || stream.errorSeen).toBe(false);
            continue;
          }
          expect(step === "fail").toBe(stream.errorSeen && !stream.deltaSeen);
          return;
        }
      }),
    );
  });
});
