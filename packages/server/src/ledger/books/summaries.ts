/** Sums by the hour, from which long windows are read. */

import { sql } from "kysely";

import type { Reader, Store, TenantScope } from "#storage/index.ts";

import { bookLimits } from "./limits.ts";
import type { BookWindow } from "./window.ts";

const hourMs = 3_600_000;
const dayMs = 86_400_000;
/** Hours that are summed up in one transaction: at first, and as long as they hold few uses twice as many each time. */
const chunkHours = 24;
const chunkHoursMax = 24 * 366;
const chunkUseCount = 50_000;
/** A use is committed well within this time of the moment that it bears. */
const settledMs = 600_000;

/** A window in steps of one length. */
export interface SteppedWindow extends BookWindow {
  readonly stepMs: number;
  readonly stepCount: number;
  /** Before this moment, which is a full hour, the sums are read, from it on what was written; none before the start. */
  readonly summedUntilMs: number;
}

/**
 * Divides a window into steps that end with it. Steps of a long window are whole hours or days (UTC) and begin with one; what is
 * not summed up yet is summed up first.
 */
export async function stepWindow(
  store: Store,
  scope: TenantScope,
  request: BookWindow & {
    readonly stepCount: number;
    readonly nowMs: number;
    readonly sumsOf: "hours" | "days";
  },
): Promise<SteppedWindow> {
  const { nowMs } = request;
  const unitMs = request.sumsOf === "hours" ? hourMs : dayMs;
  const lengthMs = request.untilMs - request.fromMs;
  if (lengthMs <= bookLimits.unsummedWindowMsMax) {
    const { untilMs, stepCount } = request;
    const stepMs = Math.max(1, Math.ceil(lengthMs / stepCount));
    const fromMs = untilMs - stepMs * stepCount;
    return { fromMs, untilMs, stepMs, stepCount, summedUntilMs: fromMs };
  }
  const lengthUnits = Math.round(lengthMs / unitMs);
  const stepUnits = Math.ceil(lengthUnits / request.stepCount);
  const stepCount = Math.ceil(lengthUnits / stepUnits);
  const stepMs = stepUnits * unitMs;
  const untilMs = Math.ceil(request.untilMs / unitMs) * unitMs;
  const fromMs = untilMs - stepMs * stepCount;
  const summedMs = await sumUp(store, scope, nowMs - settledMs);
  const summedUntilMs = Math.max(fromMs, Math.min(untilMs, summedMs));
  return { fromMs, untilMs, stepMs, stepCount, summedUntilMs };
}

/** Gives up to when everything is summed up. */
async function sumUp(store: Store, scope: TenantScope, beforeMs: number): Promise<number> {
  const goalMs = Math.floor(beforeMs / hourMs) * hourMs;
  let knownMs = await store.read(scope, readSummedUntil);
  let hours = chunkHours;
  // Each chunk is kept, so that whoever asks after one who gave up finds less to do.
  while (knownMs < goalMs) {
    const useCount = await summarise(store, scope, { beforeMs, hours });
    const reachedMs = await store.read(scope, readSummedUntil);
    // Nothing was ever entered.
    if (reachedMs === 0) return goalMs;
    knownMs = reachedMs;
    hours = useCount < chunkUseCount ? hours * 2 : Math.max(1, Math.floor(hours / 2));
  }
  return knownMs;
}

async function summarise(
  store: Store,
  scope: TenantScope,
  { beforeMs, hours }: { readonly beforeMs: number; readonly hours: number },
): Promise<number> {
  return store.transact(scope, async (writer) => {
    const { rows } = await sql<{ uses: string }>`
      select ledger_summarise(${beforeMs}::bigint, ${Math.min(hours, chunkHoursMax)}::integer) as uses`.execute(
      writer,
    );
    return Number(rows[0]?.uses ?? 0);
  });
}

async function readSummedUntil(reader: Reader): Promise<number> {
  const { rows } = await sql<{ until_ms: string }>`
    select until_ms from ledger_summary`.execute(reader.executor);
  return Number(rows[0]?.until_ms ?? 0);
}
