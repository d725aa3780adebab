import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { RateBucket } from "./rate-bucket.ts";

const perMinute = 600;

type Act =
  | { readonly kind: "lend" | "use" | "return"; readonly units: number }
  | { readonly kind: "pass"; readonly ms: number };
const act: fc.Arbitrary<Act> = fc.oneof(
  fc.record({
    kind: fc.constantFrom("lend" as const, "use" as const, "return" as const),
    units: fc.integer({ min: 1, max: 700 }),
  }),
  fc.record({ kind: fc.constant("pass" as const), ms: fc.integer({ min: 0, max: 60_000 }) }),
);

describe("a bucket that lends", () => {
  it("never has more in it and lent out than a minute gives", () => {
    fc.assert(
      fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
        const bucket = new RateBucket(perMinute, 0);
        let nowMs = 0;
        for (const step of acts) {
          if (step.kind === "pass") nowMs += step.ms;
          else if (step.kind === "lend") {
            bucket.lend(Math.min(step.units, Math.floor(Math.max(0, bucket.level(nowMs)))));
          } else if (step.kind === "use") bucket.noteUsed(Math.min(step.units, bucket.lent), nowMs);
          else bucket.takeBack(Math.min(step.units, bucket.lent), nowMs);
          expect(bucket.level(nowMs) + bucket.lent).toBeLessThanOrEqual(perMinute + 1e-6);
        }
      }),
    );
  });

  it("fills at its rate, and says when it will hold enough", () => {
    const bucket = new RateBucket(perMinute, 0);
    bucket.lend(600);
    bucket.noteUsed(600, 0);
    expect(bucket.level(0)).toBe(0);
    expect(bucket.msUntil(30, 0)).toBe(3_000);
    expect(bucket.level(3_000)).toBeCloseTo(30);
    expect(bucket.isFull(59_000)).toBe(false);
    expect(bucket.isFull(60_000)).toBe(true);
  });

  it("does not fill for what is lent until it is known to be used, however long that takes", () => {
    const bucket = new RateBucket(perMinute, 0);
    bucket.lend(100);
    bucket.noteUsed(100, 30_000);
    expect(bucket.level(30_000)).toBe(500);
    expect(bucket.level(31_000)).toBe(510);
  });

  it("takes a debt, but none beyond a minute", () => {
    const bucket = new RateBucket(perMinute, 0);
    bucket.lend(10);
    bucket.noteUsed(1e9, 0);
    bucket.takeBack(10 - 1e9, 0);
    expect(bucket.level(0)).toBe(-perMinute);
  });

  it("keeps what is left when its rate changes, as far as the new one holds it", () => {
    const bucket = new RateBucket(perMinute, 0);
    bucket.lend(100);
    bucket.setRate(300, 0);
    expect(bucket.level(0)).toBe(200);
    bucket.setRate(1_200, 0);
    expect(bucket.level(0)).toBe(200);
  });
});
