/** A reservation as it is compared with what the ledger holds and charged for it. */

import type { WorkedTime } from "./interval-cost.ts";
import type { ReservationWork } from "./reservation-ledger.ts";
import type { ReservationRecord, ReservationStage } from "./reservation-record.ts";
import { workedIntervals } from "./worked-intervals.ts";

type Running = ReservationStage & { readonly kind: "running" };

/** Whether a reservation in this stage has an open hold. */
export function isHeldFor({ kind }: ReservationStage): boolean {
  return kind === "reserved" || kind === "running";
}

/** Whether a look may let it start that was not let in by the last one. */
export function mayStart({ kind }: ReservationStage): boolean {
  return kind === "waiting" || kind === "reserving";
}

/** The part that was worked in until a moment; of work that goes on, only intervals that are over are known as a whole. */
export function workedTime(
  stage: Running,
  until: { readonly toMs: number; readonly isWhole: boolean; readonly intervalMs: number },
): WorkedTime {
  const { intervalMs, isWhole } = until;
  const usedMs = until.toMs - stage.admittedAtMs;
  const toMs = isWhole ? Math.floor(usedMs / intervalMs) * intervalMs : usedMs;
  return { fromMs: stage.startedAtMs - stage.admittedAtMs, toMs, intervalMs };
}

/** `isUntold`: what was worked may not be told to the ledger yet. */
export function workOf(
  { request, stage, worked: known }: ReservationRecord,
  { intervalMs, isUntold }: { readonly intervalMs: number; readonly isUntold: boolean },
): ReservationWork {
  const { id: reservationId, tenantId, costMicros: amountMicros } = request;
  const time =
    stage.kind === "running"
      ? workedTime(stage, { toMs: stage.heardAtMs, isWhole: true, intervalMs })
      : known;
  const worked = time === undefined || isUntold ? undefined : workedIntervals(request, time);
  return { reservationId, tenantId, amountMicros, isOpen: stage.kind !== "ended", worked };
}
