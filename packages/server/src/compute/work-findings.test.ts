import { expect, it } from "vitest";

import type { WorkDifference } from "./reservation-ledger.ts";
import { toldOf } from "./work-findings.ts";

it("tells the first of each kind, whatever there is of the others", () => {
  const holds = Array.from({ length: 400 }, (_, index): WorkDifference => {
    const reservationId = `held-${index}`;
    return { kind: "hold-without-work", reservationId, remainingMicros: 1n };
  });
  const work: WorkDifference = {
    kind: "work-without-hold",
    reservationId: "at-work",
    amountMicros: 1n,
  };
  const told = toldOf([...holds, work]);
  expect(told).toEqual([...holds.slice(0, 100), work]);
});
