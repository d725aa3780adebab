/** Sums by the hour, from which long windows are read. */

import { sql } from "kysely";

import type { Reader, Store, TenantScope } from "#storage/index.ts";

import { bookLimits } from "./limits.ts";
import type { BookWindow } from "./window.ts";

const hourMs = 3_600_000;
/** A use is committed well within this time of the moment that it bears. */
const settledMs = 600_000;

/** A window in steps of one length. */
export interface SteppedWindow extends BookWindow {
  readonly stepMs: number;
  readonly stepCount: number;
  /** Before this moment, which is a full hour of the window, the sums are read, from it on what was written; none before the start. */
  readonly summedUntilMs: number;
}

/**
 * Divides a window into steps that end with it. Steps of a long window are whole hours and begin with one; what is not summed
 * up yet is summed up first.
 */
export async function stepWindow(
  store: Store,
  scope: TenantScope,
  request: BookWindow & { readonly stepCount: number; readonly nowMs: number },
): Promise<SteppedWindow> {
  const { nowMs } = request;
  const lengthMs = request.untilMs - request.fromMs;
  if (lengthMs <= bookLimits.unsummedWindowMsMax) {
    const { untilMs, stepCount } = request;
    const stepMs = Math.max(1, Math.ceil(lengthMs / stepCount));
    const fromMs = untilMs - stepMs * stepCount;
    return { fromMs, untilMs, stepMs, stepCount, summedUntilMs: fromMs };
  }
  const lengthHours = Math.round(lengthMs / hourMs);
  const stepHours = Math.ceil(lengthHours / request.stepCount);
  const stepCount = Math.ceil(lengthHours / stepHours);
  const stepMs = stepHours * hourMs;
  const untilMs = Math.ceil(request.untilMs / hourMs) * hourMs;
  const fromMs = untilMs - stepMs * stepCount;
  const summedMs = await sumUp(store, scope, nowMs - settledMs);
  const summedUntilMs = Math.max(fromMs, Math.min(untilMs, summedMs));
  return { fromMs, untilMs, stepMs, stepCount, summedUntilMs };
}

/** Gives up to when everything is summed up. */
async function sumUp(store: Store, scope: TenantScope, beforeMs: number): Promise<number> {
  const goalMs = Math.floor(beforeMs / hourMs) * hourMs;
  const knownMs = await store.read(scope, readSummedUntil);
  if (knownMs >= goalMs) return knownMs;
  await store.transact(scope, async (writer) => {
    await sql`select faultline.ledger_summarise(${beforeMs}::bigint)`.execute(writer);
  });
  return store.read(scope, readSummedUntil);
}

async function readSummedUntil(reader: Reader): Promise<number> {
  const { rows } = await sql<{ until_ms: string }>`
    select until_ms from ledger_summary`.execute(reader.executor);
  return Number(rows[0]?.until_ms ?? 0);
}
