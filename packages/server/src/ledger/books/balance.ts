/** Where a tenant stands: accounts, lots, leases, and every balance. */

import type { LedgerAccount, LedgerBalance } from "@faultline/protocol";

import type { Reader } from "#storage/index.ts";

import { reservedMicros } from "../rules/credit.ts";
import type { Currency, Lease } from "../rules/types.ts";
import { readRecord } from "../store/micros-text.ts";
import { bookLimits } from "./limits.ts";
import { showTime } from "./shown.ts";

/** Reads the balance at a time: credit that has expired by then is not available, though no entry says so yet. */
export async function readBalance(reader: Reader, nowMs: number): Promise<LedgerBalance> {
  const balances = await reader
    .selectFrom("ledger_account")
    .select(["id", "balance_micros"])
    .orderBy("id")
    .execute();
  const lots = await reader
    .selectFrom("ledger_lot")
    .select([
      "id",
      "currency",
      "granted_micros",
      "remaining_micros",
      "priority",
      "granted_at_ms",
      "expires_at_ms",
    ])
    .where("remaining_micros", ">", "0")
    .orderBy("expires_at_ms", (order) => order.asc().nullsLast())
    .orderBy("priority")
    .orderBy("granted_at_ms")
    .orderBy("id")
    .limit(bookLimits.lotCountMax)
    .execute();
  const { held } = await reader
    .selectFrom("ledger_open_hold")
    .select((select) => select.fn.countAll<string>().as("held"))
    .where("kind", "=", "hold")
    .executeTakeFirstOrThrow();
  const usable = lots.filter((lot) => Number(lot.expires_at_ms ?? Infinity) > nowMs);
  return {
    accounts: await readAccounts(
      reader,
      new Map(balances.map((row) => [row.id, BigInt(row.balance_micros)])),
      (currency) =>
        usable
          .filter((lot) => lot.currency === currency)
          .reduce((sum, lot) => sum + BigInt(lot.remaining_micros), 0n),
    ),
    lots: lots.map((lot) => ({
      id: lot.id,
      currency: lot.currency as Currency,
      grantedMicros: lot.granted_micros,
      remainingMicros: lot.remaining_micros,
      priority: lot.priority,
      grantedAt: showTime(lot.granted_at_ms),
      ...(lot.expires_at_ms === null ? {} : { expiresAt: showTime(lot.expires_at_ms) }),
    })),
    leases: await readLeases(reader),
    openHoldCount: Number(held),
    balances: balances.map((row) => ({ account: row.id, balanceMicros: row.balance_micros })),
  };
}

async function readAccounts(
  reader: Reader,
  balances: ReadonlyMap<string, bigint>,
  usableMicros: (currency: string) => bigint,
): Promise<LedgerAccount[]> {
  const rows = await reader
    .selectFrom("ledger_credit")
    .select(["currency", "is_open", "limit_micros"])
    .orderBy("currency")
    .execute();
  return rows.map(({ currency, is_open: isOpen, limit_micros: limitMicros }) => {
    const balanceOf = (kind: string): bigint => balances.get(`${kind}/${currency}`) ?? 0n;
    const debtMicros = -balanceOf("debt");
    const lineMicros = BigInt(limitMicros) - debtMicros;
    // Debt beyond the credit line blocks the account, whatever else is there.
    const availableMicros = lineMicros < 0n ? 0n : lineMicros + usableMicros(currency);
    const used = [...balances].filter(
      ([id]) => id.startsWith("usage:") && id.endsWith(`/${currency}`),
    );
    return {
      // Only the rules' own currencies get an account.
      currency: currency as Currency,
      isOpen,
      availableMicros: String(availableMicros),
      creditMicros: String(balanceOf("credit")),
      heldMicros: String(balanceOf("holds")),
      debtMicros: String(debtMicros),
      limitMicros,
      usedMicros: String(used.reduce((sum, [, micros]) => sum + micros, 0n)),
    };
  });
}

async function readLeases(reader: Reader): Promise<LedgerBalance["leases"]> {
  const rows = await reader
    .selectFrom("ledger_open_hold")
    .select("record")
    .where("kind", "=", "lease")
    .orderBy("ends_at_ms")
    .limit(bookLimits.leaseCountMax)
    .execute();
  return rows.map(({ record }) => {
    // The record of a row of kind `lease` was written from a lease.
    const lease = readRecord(record) as Lease;
    const { id, workerId, currency, deadlineMs } = lease;
    const remainingMicros = String(reservedMicros(lease));
    return { id, workerId, currency, remainingMicros, deadlineAt: showTime(deadlineMs) };
  });
}
