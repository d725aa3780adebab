/** The terms of a key as columns of its row, both ways. */

import type { KeyDeadlines, KeyTerms, PriorityClass } from "@faultline/protocol";

export const termsColumns = [
  "allowed_models",
  "allowed_bundles",
  "requests_per_minute",
  "tokens_per_minute",
  "concurrency_max",
  "priority",
  "budget_account",
  "queue_ms",
  "connect_ms",
  "first_token_ms",
  "inter_token_ms",
  "total_ms",
] as const;

export interface TermsRow {
  readonly allowed_models: string[] | null;
  readonly allowed_bundles: string[] | null;
  readonly requests_per_minute: number | null;
  /** PostgreSQL's 64-bit integers come as text. */
  readonly tokens_per_minute: string | null;
  readonly concurrency_max: number | null;
  readonly priority: PriorityClass | null;
  readonly budget_account: string | null;
  readonly queue_ms: number | null;
  readonly connect_ms: number | null;
  readonly first_token_ms: number | null;
  readonly inter_token_ms: number | null;
  readonly total_ms: number | null;
}

/** The terms that a row holds. */
export function termsOfRow(row: TermsRow): KeyTerms {
  const deadlines: KeyDeadlines = present({
    queueMs: row.queue_ms,
    connectMs: row.connect_ms,
    firstTokenMs: row.first_token_ms,
    interTokenMs: row.inter_token_ms,
    totalMs: row.total_ms,
  });
  return present({
    models: row.allowed_models,
    bundles: row.allowed_bundles,
    requestsPerMinute: row.requests_per_minute,
    tokensPerMinute: row.tokens_per_minute === null ? null : Number(row.tokens_per_minute),
    concurrencyMax: row.concurrency_max,
    priority: row.priority,
    budgetAccount: row.budget_account,
    deadlines: Object.keys(deadlines).length === 0 ? null : deadlines,
  });
}

/** The columns of a row with these terms; what the terms leave open becomes null. */
export function rowOfTerms(terms: KeyTerms): TermsRow {
  const { deadlines = {} } = terms;
  return {
    allowed_models: terms.models ?? null,
    allowed_bundles: terms.bundles ?? null,
    requests_per_minute: terms.requestsPerMinute ?? null,
    tokens_per_minute: terms.tokensPerMinute?.toFixed(0) ?? null,
    concurrency_max: terms.concurrencyMax ?? null,
    priority: terms.priority ?? null,
    budget_account: terms.budgetAccount ?? null,
    queue_ms: deadlines.queueMs ?? null,
    connect_ms: deadlines.connectMs ?? null,
    first_token_ms: deadlines.firstTokenMs ?? null,
    inter_token_ms: deadlines.interTokenMs ?? null,
    total_ms: deadlines.totalMs ?? null,
  };
}

type Present<T> = { [Name in keyof T]?: Exclude<T[Name], null> };

/** The fields that are not null. */
function present<T extends object>(fields: T): Present<T> {
  const entries = Object.entries(fields).filter(([, value]) => value !== null);
  // What was null is left out, and every other field is as it came.
  return Object.fromEntries(entries) as Present<T>;
}
