/** The ledger as tables for a terminal. */

import { printable } from "@faultline/contracts";
import type {
  LedgerBalance,
  LedgerBudget,
  LedgerEntry,
  LedgerHold,
  LedgerUsage,
  OperationCost,
} from "@faultline/protocol";

import type { Terminal } from "../terminal.ts";
import { unitsOf } from "./amount-text.ts";
import { foreignTable } from "./foreign-table.ts";

/** Lots that are shown of many; those that are spent first. */
const shownLotCount = 20;

/** Accounts and what can be spent of each. */
export function accountTable(terminal: Terminal, { accounts }: LedgerBalance): string {
  return foreignTable(
    terminal,
    ["CURRENCY", "AVAILABLE", "CREDIT", "HELD", "DEBT", "USED", "LINE", "STATE"],
    accounts.map((account) => [
      account.currency,
      unitsOf(account.availableMicros),
      unitsOf(account.creditMicros),
      unitsOf(account.heldMicros),
      unitsOf(account.debtMicros),
      unitsOf(account.usedMicros),
      unitsOf(account.limitMicros),
      account.isOpen ? "open" : "closed",
    ]),
  );
}

/** Accounts, then lots and leases where there are some. */
export function balanceTables(terminal: Terminal, balance: LedgerBalance): string {
  if (balance.accounts.length === 0) {
    return "There is no account yet; `faultline ledger grant 10` opens one in USD.";
  }
  const parts = [accountTable(terminal, balance)];
  if (balance.lots.length > 0) {
    const rows = balance.lots
      .slice(0, shownLotCount)
      .map((lot) => [
        lot.id,
        `${unitsOf(lot.remainingMicros)} of ${unitsOf(lot.grantedMicros)} ${lot.currency}`,
        String(lot.priority),
        lot.expiresAt ?? "never",
      ]);
    const restCount = balance.lots.length - rows.length;
    parts.push(
      foreignTable(terminal, ["LOT", "LEFT", "PRIORITY", "EXPIRES"], rows) +
        (restCount > 0 ? `\n… and ${restCount} more: --json has all` : ""),
    );
  }
  if (balance.leases.length > 0) {
    const rows = balance.leases.map((lease) => [
      lease.id,
      lease.workerId,
      `${unitsOf(lease.remainingMicros)} ${lease.currency}`,
      lease.deadlineAt,
    ]);
    parts.push(foreignTable(terminal, ["LEASE", "PROCESS", "LEFT", "UNTIL"], rows));
  }
  parts.push(`Open holds: ${balance.openHoldCount}`);
  return parts.join("\n\n");
}

/** Entries, in the order in which they are given. */
export function entryTable(terminal: Terminal, entries: readonly LedgerEntry[]): string {
  return foreignTable(
    terminal,
    ["ENTRY", "AT", "FROM", "TO", "AMOUNT", "REASON", "FOR"],
    entries.map((entry) => [
      String(entry.sequence),
      entry.at,
      entry.from,
      entry.to,
      unitsOf(entry.amountMicros),
      entry.reason,
      entry.usageId ?? entry.holdId ?? entry.lotId ?? entry.commandId,
    ]),
  );
}

/** Holds with what is left of them. */
export function holdTable(terminal: Terminal, holds: readonly LedgerHold[]): string {
  return foreignTable(
    terminal,
    ["HOLD", "STATE", "LEFT", "CHARGED", "EXPIRES", "FOR"],
    holds.map((hold) => [
      hold.id,
      hold.state,
      `${unitsOf(hold.remainingMicros)} of ${unitsOf(hold.heldMicros)} ${hold.currency}`,
      unitsOf(hold.chargedMicros),
      hold.expiresAt,
      [
        hold.attribution.keyId,
        hold.attribution.userId,
        hold.attribution.model,
        ...(hold.attribution.tags ?? []),
      ]
        .filter((part) => part !== undefined)
        .join(", "),
    ]),
  );
}

/** Budgets and how they stand. */
export function budgetTable(terminal: Terminal, budgets: readonly LedgerBudget[]): string {
  return foreignTable(
    terminal,
    ["BUDGET", "SCOPE", "WINDOW", "USED", "LEFT", "LIMIT", "KIND"],
    budgets.map((budget) => [
      budget.budgetId,
      budget.scope.kind === "tenant" ? "tenant" : `${budget.scope.kind} ${budget.scope.value}`,
      budget.window.kind === "rolling" ? `${budget.window.durationSeconds} s` : budget.window.kind,
      unitsOf(budget.usedMicros),
      unitsOf(budget.leftMicros),
      `${unitsOf(budget.limitMicros)} ${budget.currency}`,
      budget.isHard ? "hard" : "soft",
    ]),
  );
}

/** What was used, the dearest first. */
export function usageTable(terminal: Terminal, usage: LedgerUsage): string {
  return foreignTable(
    terminal,
    [usage.by.toUpperCase(), "USES", "CHARGED", "INPUT", "OUTPUT"],
    usage.rows.map((row) => [
      row.name === "" ? "(not said)" : row.name,
      String(row.useCount),
      `${unitsOf(row.chargedMicros)} ${row.currency}`,
      String(row.inputTokens),
      String(row.outputTokens),
    ]),
  );
}

/** What an operation cost, line by line. */
export function costLines(terminal: Terminal, cost: OperationCost): string {
  const uses = cost.uses.map((use) => [
    use.usageId,
    unitsOf(use.amountMicros),
    use.details?.model ?? "",
    use.details?.priceVersion ?? "",
    tokensOf(use.details),
  ]);
  return [
    `${printable(cost.operationId)} was charged ${chargedText(cost)}.`,
    foreignTable(terminal, ["USE", "CHARGED", "MODEL", "PRICE", "TOKENS"], uses),
    holdTable(terminal, cost.holds),
    entryTable(terminal, cost.entries),
  ].join("\n\n");
}

function chargedText({ charged }: OperationCost): string {
  if (charged.length === 0) return "nothing";
  return charged
    .map(({ currency, amountMicros }) => `${unitsOf(amountMicros)} ${currency}`)
    .join(" and ");
}

function tokensOf(details: OperationCost["uses"][number]["details"]): string {
  const { inputTokens, cachedInputTokens, reasoningTokens, outputTokens } = details ?? {};
  return [
    inputTokens === undefined ? [] : `${inputTokens} in`,
    cachedInputTokens === undefined ? [] : `${cachedInputTokens} cached`,
    reasoningTokens === undefined ? [] : `${reasoningTokens} reasoning`,
    outputTokens === undefined ? [] : `${outputTokens} out`,
  ]
    .flat()
    .join(", ");
}
