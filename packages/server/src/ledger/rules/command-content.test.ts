import * as fc from "fast-check";
import { expect, it } from "vitest";

import { anyText, commandContent } from "./command-content.ts";
import type { CommandOf } from "./commands.ts";

const id = fc.string({ unit: "binary" });
const amountMicros = fc.bigInt({ min: -5n, max: 10n ** 18n });
const hold: fc.Arbitrary<CommandOf<"hold">> = fc.record({
  kind: fc.constant("hold"),
  id,
  atMs: fc.nat(),
  currency: fc.constantFrom("USD", "credits"),
  amountMicros,
  durationMs: fc.oneof(fc.nat(), fc.double()),
  attribution: fc.record({ tags: fc.array(id), keyId: id }, { requiredKeys: [] }),
});
const settle: fc.Arbitrary<CommandOf<"settle">> = fc.record({
  kind: fc.constant("settle"),
  id,
  atMs: fc.nat(),
  holdId: id,
  charge: fc.record({ usageKind: fc.constantFrom("tool", "tokens"), usageId: id, amountMicros }),
  isFinal: fc.boolean(),
});

it("says of a hold and a settlement what it would say of any command", () => {
  fc.assert(
    fc.property(fc.oneof(hold, settle), (command) => {
      expect(commandContent(command)).toBe(anyText(command));
    }),
  );
});
