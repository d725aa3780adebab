/** The uses of a window as CSV, a page in memory at a time. */

import type { UseDetails } from "@faultline/protocol";
import { sql } from "kysely";

import type { Store, TenantScope } from "#storage/index.ts";

import { csvLine } from "./csv-line.ts";
import { bookLimits } from "./limits.ts";
import { showTime } from "./shown.ts";
import type { BookWindow } from "./window.ts";

const header = [
  "at",
  "usage_id",
  "hold_id",
  "amount_micros",
  "currency",
  "provider",
  "model",
  "bundle_hash",
  "key_id",
  "user_id",
  "tags",
  "input_tokens",
  "cached_input_tokens",
  "reasoning_tokens",
  "output_tokens",
  "device_kind",
  "device_seconds",
  "price_version",
];

/** A window is first read in this many slices. */
const sliceCount = 64;
const sliceMsMin = 1_000;

interface UseRow {
  readonly id: string;
  readonly hold_id: string;
  readonly at_ms: string;
  readonly amount_micros: string;
  readonly currency: string | null;
  readonly details: UseDetails | null;
}

/** Up to where the uses were given: all before `atMs`, and of that moment those up to `id`. */
interface Place {
  readonly atMs: number;
  readonly id: string;
}

/**
 * Gives the uses, oldest first. The table is indexed by ranges of time, so that it is read in slices of time, which grow while
 * they are sparse and shrink when they hold more than a page. No session is kept while a slow reader takes its time. Stops when
 * the scope's signal aborts.
 */
export async function* exportUsage(
  store: Store,
  scope: TenantScope,
  { fromMs, untilMs }: BookWindow,
): AsyncGenerator<string> {
  yield csvLine(header);
  let place: Place = { atMs: fromMs, id: "" };
  let sliceMs = Math.max(sliceMsMin, Math.ceil((untilMs - fromMs) / sliceCount));
  while (place.atMs < untilMs) {
    scope.signal.throwIfAborted();
    const endMs = Math.min(untilMs, place.atMs + sliceMs);
    const page = await readPage(store, scope, { after: place, endMs });
    if (page.length > 0) yield page.map((row) => lineOf(row)).join("");
    const last = page.at(-1);
    if (last === undefined || page.length < bookLimits.exportPageRowCount) {
      place = { atMs: endMs, id: "" };
      sliceMs *= 2;
    } else {
      place = { atMs: Number(last.at_ms), id: last.id };
      sliceMs = Math.max(sliceMsMin, Math.floor(sliceMs / 2));
    }
  }
}

function lineOf(row: UseRow): string {
  const details = row.details ?? {};
  return csvLine([
    showTime(row.at_ms),
    row.id,
    row.hold_id,
    row.amount_micros,
    row.currency,
    details.provider,
    details.model,
    details.bundleHash,
    details.keyId,
    details.userId,
    details.tags?.join(" "),
    details.inputTokens,
    details.cachedInputTokens,
    details.reasoningTokens,
    details.outputTokens,
    details.deviceKind,
    details.deviceSeconds,
    details.priceVersion,
  ]);
}

async function readPage(
  store: Store,
  scope: TenantScope,
  { after, endMs }: { readonly after: Place; readonly endMs: number },
): Promise<UseRow[]> {
  return store.read(scope, async (reader) => {
    const { rows } = await sql<UseRow>`
      select page.id, page.hold_id, page.at_ms, page.amount_micros, hold.record ->> 'currency' as currency, page.details
      from (
        select id, hold_id, at_ms, amount_micros, details from ledger_use
        where at_ms >= ${after.atMs} and at_ms < ${endMs} and (at_ms > ${after.atMs} or id > ${after.id})
        order by at_ms, id limit ${bookLimits.exportPageRowCount}
      ) page
      left join ledger_hold hold on hold.id = page.hold_id
      order by page.at_ms, page.id`.execute(reader.executor);
    return rows;
  });
}
