import * as fc from "fast-check";
import { expect, it } from "vitest";

import { jsonFaultOffset } from "./json-fault.ts";

it.each([
  ['{"a":1,}', 7],
  ["[1,]", 3],
  ['{"a" 1}', 5],
  ["[1 2]", 3],
  ['{"a":tru}', 5],
  ["[1", 2],
  ["", 0],
  ["[]x", 2],
  ['["a\\q"]', 1],
])("points at the fault of %s", (text, offset) => {
  expect(jsonFaultOffset(text)).toBe(offset);
});

it("finds no fault in JSON", () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 5 }), fc.nat(2), (text, spaces) => {
      const document = JSON.stringify(JSON.parse(text), undefined, spaces);
      expect(jsonFaultOffset(document)).toBe(document.length);
    }),
  );
});

it("agrees with the engine on what is JSON: the text before a fault can be continued, the fault cannot", () => {
  fc.assert(
    fc.property(
      fc.json(),
      fc.nat(),
      fc.constantFrom("}", "]", ",", ":", "x", '"'),
      (text, at, added) => {
        const place = at % (text.length + 1);
        const edited = text.slice(0, place) + added + text.slice(place);
        const isJson = ((): boolean => {
          try {
            JSON.parse(edited);
            return true;
          } catch {
            return false;
          }
        })();
        if (isJson) expect(jsonFaultOffset(edited)).toBe(edited.length);
        else expect(jsonFaultOffset(edited)).toBeLessThanOrEqual(edited.length);
      },
    ),
  );
});
