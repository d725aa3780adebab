/** Compares reservations with what a ledger holds and charged for them, wherever that stands. */

import type { ReservationWork, WorkDifference } from "./reservation-ledger.ts";

/** What a ledger knows of reservations. */
export interface KnownWork {
  /** What open holds still reserve, by their reservations. */
  readonly openMicros: ReadonlyMap<string, bigint>;
  readonly charged: ReadonlyMap<string, ChargedIntervals>;
}

/** What was charged for a reservation. */
export interface ChargedIntervals {
  /** For intervals that were worked. */
  readonly chargedCount: number;
  readonly chargedMicros: bigint;
  /** For others. */
  readonly beyondCount: number;
  readonly beyondMicros: bigint;
}

/** In the order of the reservations' names. What costs nothing has no hold and no use. */
export function compareWork(
  works: readonly ReservationWork[],
  { openMicros, charged }: KnownWork,
): WorkDifference[] {
  const atWork = new Set(works.flatMap((work) => (work.isOpen ? [work.reservationId] : [])));
  const found: WorkDifference[] = [];
  for (const [reservationId, remainingMicros] of openMicros)
    if (!atWork.has(reservationId))
      found.push({ kind: "hold-without-work", reservationId, remainingMicros });
  for (const work of works) {
    const { reservationId, amountMicros, isOpen } = work;
    if (amountMicros === 0n) continue;
    if (isOpen && !openMicros.has(reservationId))
      found.push({ kind: "work-without-hold", reservationId, amountMicros });
    found.push(...compareIntervals(work, charged.get(reservationId)));
  }
  return found.toSorted((left, right) => (left.reservationId < right.reservationId ? -1 : 1));
}

/** An interval that ended in another length than it was charged for is no difference: the first charge stands. */
function compareIntervals(
  { reservationId, isOpen, worked }: ReservationWork,
  charged: ChargedIntervals | undefined,
): WorkDifference[] {
  if (worked === undefined || charged === undefined) return [];
  const { chargedCount, chargedMicros, beyondCount, beyondMicros } = charged;
  const missingCount = worked.last - worked.first + 1 - chargedCount;
  if (missingCount <= 0 && beyondCount === 0) return [];
  const lackMicros = worked.costMicros - chargedMicros;
  const missingMicros = missingCount > 0 && lackMicros > 0n ? lackMicros : 0n;
  const workedMicros = worked.costMicros;
  const missing = { missingCount: Math.max(0, missingCount), missingMicros, workedMicros };
  const both = { ...missing, chargedMicros, beyondCount, beyondMicros };
  return [{ kind: "work-differs", reservationId, isOpen, ...both }];
}
