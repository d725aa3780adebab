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
const attribution = fc.record({ tags: fc.array(id), keyId: id }, { requiredKeys: [] });
const use = fc.record({ usageKind: fc.constantFrom("tool", "tokens"), usageId: id, amountMicros });
const report: fc.Arbitrary<CommandOf<"report-lease">> = fc.record({
  kind: fc.constant("report-lease"),
  id,
  atMs: fc.nat(),
  leaseId: id,
  // Several uses may share what they are for.
  charges: fc
    .tuple(fc.array(attribution, { minLength: 1, maxLength: 2 }), fc.array(use))
    .map(([own, uses]) =>
      uses.map((one, index) => ({ ...one, attribution: own[(index >> 1) % own.length] ?? {} })),
    ),
});

it("says of a hold, a settlement and a report what it would say of any command", () => {
  fc.assert(
    fc.property(fc.oneof(hold, settle, report), (command) => {
      expect(commandContent(command)).toBe(anyText(command));
    }),
  );
});
