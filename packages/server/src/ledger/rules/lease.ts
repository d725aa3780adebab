/** Leases: credit lent to one gateway process, out of which it admits operations by itself. */

import { assert } from "#kernel/index.ts";

import { budgetLeftMicros, closeShare, openShare, spendShare } from "./budgets.ts";
import { chargeUse } from "./charge.ts";
import type { BudgetAmount, CommandOf, LedgerOutcome, Refusal } from "./commands.ts";
import {
  accountOf,
  availableMicros,
  coverDebt,
  drawIntoHold,
  lesser,
  reservedMicros,
  returnReserved,
  takePortions,
} from "./credit.ts";
import type { Draft } from "./draft.ts";
import { creditShortage, exhausted } from "./shortage.ts";
import { ledgerLimits } from "./limits.ts";
import { checkAmount, checkDuration, isRefusal, openAccount, refuse } from "./refuse.ts";
import type { BudgetShare, CreditAccount, Lease, Portion } from "./types.ts";

/** Lends credit to a worker, and fences the earlier lives of that worker. */
export function lendLease(draft: Draft, command: CommandOf<"lease">): LedgerOutcome | Refusal {
  const { state, atMs } = draft;
  const { id, workerId, epoch, currency, amountMicros, minimumMicros, durationMs } = command;
  const invalid =
    checkAmount(minimumMicros, 1n) ??
    checkAmount(amountMicros, 1n) ??
    checkDuration(durationMs, ledgerLimits.leaseDurationMsMax) ??
    checkEpoch(draft, workerId, epoch) ??
    checkBudgetAmounts(command.budgets);
  if (invalid !== undefined) return invalid;
  const account = openAccount(state, currency);
  if (isRefusal(account)) return account;
  if (openLeaseCount(draft) >= ledgerLimits.openLeaseCountMax)
    return refuse("ledger_full", `${ledgerLimits.openLeaseCountMax} leases are open.`);
  const shortage = creditShortage(state, account, minimumMicros);
  if (shortage !== undefined)
    return exhausted(state, currency, { ...shortage, amountMicros: minimumMicros });
  const lentMicros = lentAmount(draft, account, command);
  state.workerEpochs.set(workerId, epoch);
  draft.touch("worker", workerId);
  const lease: Lease = {
    id,
    workerId,
    epoch,
    currency,
    portions: drawIntoHold(draft, account, { amountMicros: lentMicros, holdId: id }),
    chargedMicros: 0n,
    chargeCount: 0,
    lentAtMs: atMs,
    deadlineMs: atMs + durationMs,
    budgets: [],
    state: "open",
    unreadMicros: 0n,
    ...(command.isEscrow === true ? { isEscrow: true } : {}),
  };
  state.leases.set(id, lease);
  draft.touch("lease", id);
  const budgets = lendBudgets(draft, lease, command.budgets);
  const { deadlineMs } = lease;
  return { kind: "leased", leaseId: id, amountMicros: lentMicros, budgets, deadlineMs };
}

/** Moves the deadline of a lease and lends more. Where there is no more to lend, only the deadline moves. */
export function renewLease(
  draft: Draft,
  command: CommandOf<"renew-lease">,
): LedgerOutcome | Refusal {
  const { leaseId, epoch, durationMs } = command;
  const lease = draft.state.leases.get(leaseId);
  const invalid =
    checkAmount(command.amountMicros, 0n) ??
    checkDuration(durationMs, ledgerLimits.leaseDurationMsMax) ??
    checkLiving(draft, lease, { leaseId, epoch }) ??
    checkBudgetAmounts(command.budgets);
  if (invalid !== undefined) return invalid;
  assert(lease !== undefined, "a living lease is known");
  const account = openAccount(draft.state, lease.currency);
  if (isRefusal(account)) return account;
  const isBlocked = creditShortage(draft.state, account, 1n) !== undefined;
  const amountMicros =
    isBlocked || command.amountMicros === 0n
      ? 0n
      : lentAmount(draft, account, { amountMicros: command.amountMicros, minimumMicros: 0n });
  addPortions(lease, drawIntoHold(draft, account, { amountMicros, holdId: leaseId }));
  lease.deadlineMs = Math.max(lease.deadlineMs, draft.atMs + durationMs);
  draft.touch("lease", leaseId);
  const budgets = lendBudgets(draft, lease, command.budgets);
  return { kind: "leased", leaseId, amountMicros, budgets, deadlineMs: lease.deadlineMs };
}

/**
 * Charges what a worker admitted: from the worker or from its journal, in any order, at any time, each use once. After the
 * lease was lost its uses are found in what was counted as spent.
 */
export function reportLease(
  draft: Draft,
  command: CommandOf<"report-lease">,
): LedgerOutcome | Refusal {
  const { leaseId, charges } = command;
  if (charges.length > ledgerLimits.chargesPerReportMax)
    return refuse(
      "ledger_command_invalid",
      `A report holds at most ${ledgerLimits.chargesPerReportMax} charges.`,
    );
  for (const { amountMicros } of charges) {
    const invalid = checkAmount(amountMicros, 0n);
    if (invalid !== undefined) return invalid;
  }
  const lease = draft.state.leases.get(leaseId);
  if (lease === undefined) return notFound(leaseId);
  const results = charges.map((charge) => {
    if (!draft.state.uses.has(charge.usageId)) lease.chargeCount += 1;
    return chargeUse(draft, lease, { charge, attribution: charge.attribution });
  });
  draft.touch("lease", leaseId);
  return { kind: "lease-reported", charges: results };
}

/** Takes back what a living worker does not need. It has stopped counting on it before it said so. */
export function shrinkLease(
  draft: Draft,
  command: CommandOf<"shrink-lease">,
): LedgerOutcome | Refusal {
  const { leaseId, epoch, amountMicros } = command;
  const lease = draft.state.leases.get(leaseId);
  const invalid =
    checkAmount(amountMicros, 0n) ??
    checkLiving(draft, lease, { leaseId, epoch }) ??
    checkBudgetAmounts(command.budgets);
  if (invalid !== undefined) return invalid;
  assert(lease !== undefined, "a living lease is known");
  if (amountMicros > reservedMicros(lease))
    return refuse("amount_invalid", `The lease has ${reservedMicros(lease)} micros left.`);
  for (const { budgetId, amountMicros: asked } of command.budgets) {
    let missingMicros = asked;
    for (const share of lease.budgets) {
      if (share.budgetId !== budgetId) continue;
      const partMicros = lesser(missingMicros, share.openMicros);
      closeShare(draft, share, partMicros);
      missingMicros -= partMicros;
    }
  }
  draft.touch("lease", leaseId);
  return { kind: "lease-shrunk", returnedMicros: returnReserved(draft, lease, amountMicros) };
}

/** Ends a lease of which everything was reported, and frees what is left of it. */
export function returnLease(
  draft: Draft,
  command: CommandOf<"return-lease">,
): LedgerOutcome | Refusal {
  const { leaseId, chargeCount, from } = command;
  const lease = draft.state.leases.get(leaseId);
  if (lease === undefined) return notFound(leaseId);
  if (lease.state !== "open") return refuse("lease_ended", `The lease is ${lease.state} already.`);
  const latestEpoch = draft.state.workerEpochs.get(lease.workerId) ?? lease.epoch;
  if (from === "journal" && latestEpoch === lease.epoch && draft.atMs < lease.deadlineMs)
    return refuse("lease_unreported", `The worker may use the lease until ${lease.deadlineMs}.`);
  // A worker whose disk is full reports what it could not write down: then the journal tells of fewer.
  const isReported =
    from === "journal" ? lease.chargeCount >= chargeCount : lease.chargeCount === chargeCount;
  if (!isReported)
    return refuse(
      "lease_unreported",
      `${lease.chargeCount} of ${chargeCount} uses of the lease were reported.`,
    );
  for (const share of lease.budgets) closeShare(draft, share, share.openMicros);
  lease.state = "returned";
  draft.touch("lease", leaseId);
  const returnedMicros = returnReserved(draft, lease, reservedMicros(lease));
  return { kind: "lease-returned", returnedMicros };
}

/** Counts all that is left of a lease as spent: its journal could not be read by the deadline. */
export function loseLease(draft: Draft, command: CommandOf<"lose-lease">): LedgerOutcome | Refusal {
  const { leaseId } = command;
  const lease = draft.state.leases.get(leaseId);
  if (lease === undefined) return notFound(leaseId);
  if (lease.state !== "open") return refuse("lease_ended", `The lease is ${lease.state} already.`);
  // Its region may be spending out of it, however long nobody has heard of that.
  if (lease.isEscrow === true)
    return refuse("lease_unreported", "An escrow is held until its region has reported.");
  const dueAtMs = lease.deadlineMs + ledgerLimits.leaseGraceMs;
  if (draft.atMs < dueAtMs)
    return refuse("lease_unreported", `The lease may be reported until ${dueAtMs}.`);
  const { currency } = lease;
  const unreadMicros = reservedMicros(lease);
  for (const { lotId, amountMicros } of takePortions(lease, unreadMicros, "front")) {
    if (lotId === undefined) {
      accountOf(draft.state, currency).lineHeldMicros -= amountMicros;
      draft.touch("account", currency);
    }
    const movement = { from: "holds", to: "usage:unread", reason: "lease-lost" } as const;
    draft.transfer({ ...movement, currency, amountMicros, lotId, holdId: leaseId });
  }
  lease.unreadMicros = unreadMicros;
  // What the budgets lent counts as spent likewise, until uses of it are found.
  for (const share of lease.budgets) spendShare(draft, share);
  lease.state = "lost";
  draft.touch("lease", leaseId);
  coverDebt(draft, currency);
  draft.notice({ kind: "lease-lost", leaseId, unreadMicros });
  return { kind: "lease-lost", unreadMicros };
}

/** What is lent: at most a share of what there is, but the minimum where that is more. */
function lentAmount(
  draft: Draft,
  account: CreditAccount,
  want: { readonly amountMicros: bigint; readonly minimumMicros: bigint },
): bigint {
  const shareMicros = shareOf(availableMicros(draft.state, account));
  const wishMicros = lesser(want.amountMicros, shareMicros);
  return wishMicros > want.minimumMicros ? wishMicros : want.minimumMicros;
}

/** Lends of each budget what was asked, as far as it goes. */
function lendBudgets(draft: Draft, lease: Lease, asked: readonly BudgetAmount[]): BudgetAmount[] {
  const lent: BudgetShare[] = [];
  for (const { budgetId, amountMicros } of asked) {
    const budget = draft.state.budgets.get(budgetId);
    if (budget === undefined || budget.terms.currency !== lease.currency) continue;
    const leftMicros = shareOf(budgetLeftMicros(budget, draft.atMs));
    const lentMicros = budget.terms.isHard ? lesser(amountMicros, leftMicros) : amountMicros;
    lent.push(openShare(draft, budget, lentMicros));
  }
  const amounts = lent.map(({ budgetId, openMicros: amountMicros }) => ({
    budgetId,
    amountMicros,
  }));
  for (const share of lent) addShare(lease, share);
  lease.budgets = lease.budgets.filter((share) => share.openMicros > 0n);
  return amounts;
}

function shareOf(leftMicros: bigint): bigint {
  const divisor = ledgerLimits.leaseShareDivisor;
  return (leftMicros + divisor - 1n) / divisor;
}

function addShare(lease: Lease, added: BudgetShare): void {
  const known = lease.budgets.find(
    ({ budgetId, windowStartMs }) =>
      budgetId === added.budgetId && windowStartMs === added.windowStartMs,
  );
  if (known === undefined) lease.budgets.push(added);
  else known.openMicros += added.openMicros;
}

function addPortions(lease: Lease, added: readonly Portion[]): void {
  for (const portion of added) {
    const known = lease.portions.find(({ lotId }) => lotId === portion.lotId);
    if (known === undefined) lease.portions.push(portion);
    else known.amountMicros += portion.amountMicros;
  }
}

function checkEpoch(draft: Draft, workerId: string, epoch: number): Refusal | undefined {
  if (!Number.isSafeInteger(epoch) || epoch < 1)
    return refuse("ledger_command_invalid", "The epoch of a worker is a whole number from 1 on.");
  const latestEpoch = draft.state.workerEpochs.get(workerId) ?? 0;
  if (epoch >= latestEpoch) return undefined;
  return refuse("lease_fenced", `The worker lives in epoch ${latestEpoch}, and not in ${epoch}.`);
}

/** Refuses who is not the present life of the worker that the lease was lent to. */
function checkLiving(
  draft: Draft,
  lease: Lease | undefined,
  claim: { readonly leaseId: string; readonly epoch: number },
): Refusal | undefined {
  if (lease === undefined) return notFound(claim.leaseId);
  if (lease.state !== "open") return refuse("lease_ended", `The lease is ${lease.state} already.`);
  const latestEpoch = draft.state.workerEpochs.get(lease.workerId);
  if (claim.epoch === lease.epoch && claim.epoch === latestEpoch) return undefined;
  return refuse(
    "lease_fenced",
    `The lease is of epoch ${lease.epoch}, its worker lives in ${latestEpoch}, and not in ${claim.epoch}.`,
  );
}

function checkBudgetAmounts(budgets: readonly BudgetAmount[]): Refusal | undefined {
  if (budgets.length > ledgerLimits.budgetCountMax)
    return refuse(
      "ledger_full",
      `A lease counts in at most ${ledgerLimits.budgetCountMax} budgets.`,
    );
  for (const { amountMicros } of budgets) {
    const invalid = checkAmount(amountMicros, 0n);
    if (invalid !== undefined) return invalid;
  }
  return undefined;
}

function openLeaseCount(draft: Draft): number {
  let count = 0;
  for (const { state } of draft.state.leases.values()) if (state === "open") count += 1;
  return count;
}

function notFound(leaseId: string): Refusal {
  return refuse("lease_not_found", `There is no lease '${leaseId}'.`);
}
