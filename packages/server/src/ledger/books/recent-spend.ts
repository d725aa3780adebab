/** What the scopes of budgets spent lately. */

import { sql } from "kysely";

import type { Reader } from "#storage/index.ts";

import type { BudgetScope, BudgetTerms, Currency } from "../rules/types.ts";
import { lookBackMs, lookBackOf, type RecentSpend } from "./forecast.ts";
import { bookLimits } from "./limits.ts";
import { ofCurrency } from "./of-currency.ts";

interface RecentRow {
  readonly key: string | null;
  readonly user: string | null;
  readonly model: string | null;
  readonly tags: string[] | null;
  readonly short_micros: string;
  readonly short_first_ms: string | null;
  readonly long_micros: string;
  readonly long_first_ms: string;
}

/**
 * For each budget what its scope spent in the stretch by which its window is judged. The uses are read once for each currency;
 * they are told apart only by the names that some budget has.
 */
export async function readRecentSpend(
  reader: Reader,
  budgets: readonly BudgetTerms[],
  nowMs: number,
): Promise<Map<string, RecentSpend>> {
  const spend = new Map<string, RecentSpend>();
  for (const [currency, terms] of Map.groupBy(budgets, (one) => one.currency)) {
    const rows = await readRows(reader, { currency, terms, nowMs });
    for (const { budgetId, scope, window } of terms) {
      const inScope = rows.filter((row) => isInScope(scope, row));
      spend.set(budgetId, sumOf(inScope, lookBackOf(window)));
    }
  }
  return spend;
}

async function readRows(
  reader: Reader,
  request: {
    readonly currency: Currency;
    readonly terms: readonly BudgetTerms[];
    readonly nowMs: number;
  },
): Promise<readonly RecentRow[]> {
  const { currency, terms, nowMs } = request;
  const shortFromMs = nowMs - lookBackMs.short;
  const longFromMs = terms.some(({ window }) => lookBackOf(window) === "long")
    ? nowMs - lookBackMs.long
    : shortFromMs;
  const { rows } = await sql<RecentRow>`
    select ${named("keyId", namesOf(terms, "key"))} as key, ${named("userId", namesOf(terms, "user"))} as user,
      ${named("model", namesOf(terms, "model"))} as model, ${tagsAmong(namesOf(terms, "tag"))} as tags,
      coalesce(sum(amount_micros) filter (where at_ms >= ${shortFromMs}), 0) as short_micros,
      min(at_ms) filter (where at_ms >= ${shortFromMs}) as short_first_ms,
      sum(amount_micros) as long_micros, min(at_ms) as long_first_ms
    from ledger_use where at_ms >= ${longFromMs} and at_ms <= ${nowMs} and ${await ofCurrency(reader, currency)}
    group by 1, 2, 3, 4 limit ${bookLimits.recentSpendRowCountMax}`.execute(reader.executor);
  return rows;
}

function namesOf(terms: readonly BudgetTerms[], kind: "key" | "user" | "model" | "tag"): string[] {
  return [...new Set(terms.flatMap(({ scope }) => (scope.kind === kind ? [scope.value] : [])))];
}

/** The detail where it is one of the names. */
function named(detail: string, names: readonly string[]) {
  if (names.length === 0) return sql`null::text`;
  return sql`case when details ->> ${sql.lit(detail)} = any(${names}) then details ->> ${sql.lit(detail)} end`;
}

function tagsAmong(names: readonly string[]) {
  if (names.length === 0) return sql`null::text[]`;
  return sql`(select array_agg(distinct tag) from jsonb_array_elements_text(details -> 'tags') tag where tag = any(${names}))`;
}

function isInScope(scope: BudgetScope, row: RecentRow): boolean {
  if (scope.kind === "tenant") return true;
  if (scope.kind === "tag") return row.tags?.includes(scope.value) ?? false;
  return row[scope.kind] === scope.value;
}

function sumOf(rows: readonly RecentRow[], stretch: keyof typeof lookBackMs): RecentSpend {
  let micros = 0n;
  let firstMs: number | undefined;
  for (const row of rows) {
    const first = stretch === "short" ? row.short_first_ms : row.long_first_ms;
    if (first === null) continue;
    micros += BigInt(stretch === "short" ? row.short_micros : row.long_micros);
    firstMs = Math.min(firstMs ?? Infinity, Number(first));
  }
  return { micros, firstMs };
}
