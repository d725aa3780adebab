/** What stands in the books against what the provider served: sums of our own, by nobody's rules but those of arithmetic. */

import type { Installation, JournalLine } from "./installation.ts";
import type { Served } from "./witness.ts";

/** What one whole answer of the provider costs. */
export const wholeMicros = 60_000n;

/** What was written down about one attempt. */
interface Noted {
  readonly call: string;
  boundMicros: bigint;
  isSettled: boolean;
}

/** Attempts by their usage ids, out of the journals. */
export class Notes {
  readonly attempts = new Map<string, Noted>();

  add(lines: readonly JournalLine[]): void {
    for (const { usageId, call, kind, micros } of lines) {
      const known = this.attempts.get(usageId);
      const noted = known ?? { call, boundMicros: 0n, isSettled: false };
      if (kind === "admitted") noted.boundMicros = micros;
      else noted.isSettled = true;
      this.attempts.set(usageId, noted);
    }
  }
}

/** Sentences about books that do not agree with themselves, or that spend what is not there. */
export async function auditBooks(
  installation: Installation,
  granted: ReadonlyMap<string, bigint>,
): Promise<string[]> {
  const broken: string[] = [];
  const accounts = await installation.ask<{
    tenant_id: string;
    id: string;
    balance: string;
    moved: string;
  }>(`select tenant_id, id, balance_micros::text as balance, coalesce((select sum(case when to_account = account.id
        then amount_micros else -amount_micros end) from ledger_transfer transfer
        where transfer.tenant_id = account.tenant_id and account.id in (from_account, to_account)), 0)::text as moved
      from ledger_account account`);
  const sums = new Map<string, bigint>();
  for (const { tenant_id: tenant, id, balance, moved } of accounts) {
    const micros = BigInt(balance);
    if (balance !== moved)
      broken.push(`${tenant}: ${id} is ${balance}, its transfers say ${moved}`);
    if (micros < 0n && !id.startsWith("grants/")) broken.push(`${tenant}: ${id} is ${balance}`);
    if (id.startsWith("usage:unread")) broken.push(`${tenant}: ${balance} counts as unread`);
    sums.set(tenant, (sums.get(tenant) ?? 0n) + micros);
    const given = granted.get(tenant) ?? 0n;
    if (id.startsWith("grants/") && -micros !== given)
      broken.push(`${tenant}: ${-micros} is granted, and not ${given}`);
  }
  for (const [tenant, sum] of sums)
    if (sum !== 0n) broken.push(`${tenant}: all accounts sum to ${sum}`);
  const used = await installation.ask<{ tenant_id: string; wrong: string }>(
    `select tenant_id, (select sum(amount_micros) from ledger_use own where own.tenant_id = account.tenant_id)
       - sum(balance_micros) as wrong from ledger_account account where id like 'usage:%' group by tenant_id`,
  );
  for (const { tenant_id: tenant, wrong } of used)
    if (wrong !== "0") broken.push(`${tenant}: uses and their accounts differ by ${wrong}`);
  return broken;
}

/** What the verdict counts. */
export interface ChargeCounts {
  requestCount: number;
  chargedCount: number;
  exactCount: number;
  /** Charged with all that was held: their worker died before their end was written down. */
  boundCount: number;
  /** Held for and charged, and never asked: their worker died in between. */
  unaskedCount: number;
}

/** Compares every request that the provider saw with what was charged for it. Everything must have ended before. */
export async function auditCharges(
  installation: Installation,
  notes: Notes,
  parts: { readonly served: readonly Served[]; readonly answered: ReadonlySet<string> },
): Promise<{ readonly broken: string[]; readonly counts: ChargeCounts }> {
  const broken: string[] = [];
  const counts = {
    requestCount: 0,
    chargedCount: 0,
    exactCount: 0,
    boundCount: 0,
    unaskedCount: 0,
  };
  const rows = await installation.ask<{ id: string; micros: string; call: string | null }>(
    "select id, amount_micros::text as micros, details ->> 'userId' as call from ledger_use",
  );
  const uses = Map.groupBy(
    rows.map(({ id, micros, call }) => ({
      id,
      micros: BigInt(micros),
      call: call ?? notes.attempts.get(id)?.call ?? `unknown ${id}`,
      noted: notes.attempts.get(id),
    })),
    ({ call }) => call,
  );
  const requests = Map.groupBy(parts.served, ({ call }) => call);
  for (const [call, own] of uses) {
    const asked = requests.get(call) ?? [];
    const positive = own.filter(({ micros }) => micros > 0n);
    counts.chargedCount += positive.length;
    let surplusCount = positive.length - asked.length;
    for (const { micros, noted, id } of positive) {
      if (micros === wholeMicros) counts.exactCount += 1;
      const isOpen = noted !== undefined && !noted.isSettled && micros === noted.boundMicros;
      if (isOpen) counts.boundCount += 1;
      // An attempt is written down before it is made.
      if (isOpen && surplusCount > 0) {
        surplusCount -= 1;
        counts.unaskedCount += 1;
      }
      if (noted !== undefined && noted.boundMicros > 0n && micros > noted.boundMicros)
        broken.push(`${call}: ${id} is charged ${micros}, and ${noted.boundMicros} was held`);
    }
    if (surplusCount > 0)
      broken.push(
        `${call} is charged ${positive.length} times, and was made ${asked.length} times`,
      );
  }
  for (const [call, asked] of requests) {
    counts.requestCount += asked.length;
    const charged = (uses.get(call) ?? []).filter(({ micros }) => micros > 0n);
    const wholeCount = asked.filter(({ end }) => end === "whole").length;
    const isServed = asked.some(({ outputTokens }) => outputTokens > 0);
    if (isServed && !uses.has(call)) broken.push(`${call} was served and is not in the books`);
    const sumMicros = charged.reduce((sum, { micros }) => sum + micros, 0n);
    if (parts.answered.has(call) && sumMicros < wholeMicros * BigInt(Math.max(1, wholeCount)))
      broken.push(`${call} was answered whole, and ${sumMicros} is charged`);
  }
  for (const call of parts.answered)
    if (!uses.has(call)) broken.push(`${call} was answered and is not in the books`);
  return { broken, counts };
}
