import * as fc from "fast-check";
import { expect, it } from "vitest";

import { cutText, shorten } from "./cut-text.ts";

it.each([
  ["four", "four", "four"],
  ["longer", "long", "lon…"],
  ["ab😀cd", "ab😀", "ab…"],
  ["abc😀", "abc", "abc…"],
])("of %j, 4 units are %j, or %j with the mark", (text, cut, shortened) => {
  expect(cutText(text, 4)).toBe(cut);
  expect(shorten(text, 4)).toBe(shortened);
});

it("keeps whole characters within the bound", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "binary" }),
      fc.integer({ min: 1, max: 12 }),
      (text, lengthMax) => {
        for (const kept of [cutText(text, lengthMax), shorten(text, lengthMax)]) {
          expect(kept.length).toBeLessThanOrEqual(lengthMax);
          expect(kept.isWellFormed()).toBe(true);
        }
      },
    ),
  );
});
