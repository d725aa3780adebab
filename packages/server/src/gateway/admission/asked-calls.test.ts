import * as fc from "fast-check";
import { expect, it } from "vitest";

import { AskedCalls } from "./asked-calls.ts";

const countMax = 4;

it("holds calls under numbers that are never given twice, as a map of them would", () => {
  // A number takes out the call that was the so many-th to come, or none.
  const step = fc.oneof(fc.constant("add" as const), fc.nat(20));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const asked = new AskedCalls<string>(countMax);
      const model = new Map<number, string>();
      const given: number[] = [];
      for (const [index, what] of steps.entries()) {
        if (what !== "add") {
          const askId = given[what] ?? what;
          asked.remove(askId);
          model.delete(askId);
        } else if (model.size < countMax) {
          const askId = asked.add(`call ${index}`);
          expect(given).not.toContain(askId);
          given.push(askId);
          model.set(askId, `call ${index}`);
        }
        expect(asked.size).toBe(model.size);
        for (const askId of given) expect(asked.get(askId)).toBe(model.get(askId));
        const visited: string[] = [];
        asked.each((call) => visited.push(call));
        expect(visited.sort()).toEqual([...model.values()].sort());
      }
    }),
  );
});
