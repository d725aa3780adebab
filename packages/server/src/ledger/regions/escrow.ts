/**
 * What a region knows of the credit that another one, the home of the account, lent it: its escrow. The region's own ledger
 * spends out of it as out of any credit, so that all rules of money hold there too, cut off or not. Between the two ledgers
 * credit moves in steps:
 *
 * - borrow: the home lends, and only then is as much granted here;
 * - report: what was charged here is charged there, and what that did not take from the escrow is covered here;
 * - return: as much is taken here, and only then is the escrow shrunk there.
 *
 * So at every moment no more is here than is held there. A step is written down before it is sent and sent with the same ids and
 * content until it took effect, so that loss, repetition and crashes at any point change nothing. Pure.
 */

import type { BudgetAmount, LeaseCharge, LedgerOutcome, Refusal } from "../rules/commands.ts";
import type { Currency } from "../rules/types.ts";
import type { RegionRequest } from "./region-request.ts";

/** What is written down of an escrow. */
export interface Escrow {
  readonly region: string;
  readonly currency: Currency;
  /** Steps that are done. */
  readonly borrowCount: number;
  readonly returnCount: number;
  /** Transfers of the ledger here, by their sequence, up to which all use was reported. */
  readonly reportedSequence: number;
  /** Steps under way. */
  readonly borrowing: Borrowing | undefined;
  readonly reporting: { readonly untilSequence: number } | undefined;
  readonly returning: { readonly amountMicros: bigint } | undefined;
  /** Of each budget, what was lent of it in all. */
  readonly budgets: readonly BudgetAmount[];
  /** Sums over all steps. */
  readonly lentMicros: bigint;
  readonly reportedMicros: bigint;
  readonly coveredMicros: bigint;
  readonly returnedMicros: bigint;
}

interface Borrowing {
  readonly amountMicros: bigint;
  readonly budgets: readonly BudgetAmount[];
}

/** How the ledger here stands. */
export interface RegionStanding {
  /** May be held at this moment. */
  readonly availableMicros: bigint;
  /** What is left of what was lent of each budget that the home has. */
  readonly budgetsLeft: readonly BudgetAmount[];
  /** What operations lacked since the last step. */
  readonly lackMicros: bigint;
  /** Up to here use may be reported in one step. */
  readonly reportableSequence: number;
}

/** How much a region keeps. */
export interface EscrowTerms {
  /** It borrows when it has less than half of it, and returns what is beyond twice of it. */
  readonly keepMicros: bigint;
  /** Whether all goes back that can. */
  readonly isClosing: boolean;
}

/** An answer, as far as it changes anything. */
export interface EscrowProgress {
  readonly escrow: Escrow;
  /** What the ledger here must have done before `escrow` is written down. */
  readonly here: readonly RegionRequest[];
}

const leaseDurationMs = 600_000;

/** The escrow of a region that was lent nothing yet. */
export function openEscrow(region: string, currency: Currency): Escrow {
  const nothing = { lentMicros: 0n, reportedMicros: 0n, coveredMicros: 0n, returnedMicros: 0n };
  const steps = { borrowing: undefined, reporting: undefined, returning: undefined };
  const counts = { borrowCount: 0, returnCount: 0, reportedSequence: 0 };
  return { region, currency, ...counts, ...steps, budgets: [], ...nothing };
}

/** The id of the lease at the home. */
export function escrowId({ region, currency }: Pick<Escrow, "region" | "currency">): string {
  return `escrow/${region}/${currency}`;
}

/** Begins the steps that are due. What it gives must be written down before anything of it is sent. */
export function planSteps(escrow: Escrow, standing: RegionStanding, terms: EscrowTerms): Escrow {
  const { borrowing, reporting, returning } = escrow;
  return {
    ...escrow,
    borrowing: borrowing ?? planBorrowing(escrow, standing, terms),
    reporting: reporting ?? planReport(escrow, standing),
    returning: returning ?? planReturn(escrow, standing, terms),
  };
}

/** What must be taken here before the return under way is sent; a refusal ends the step: see `abandonReturn`. */
export function takeForReturn(escrow: Escrow): RegionRequest | undefined {
  const { returning, returnCount, currency } = escrow;
  if (returning === undefined) return undefined;
  const { amountMicros } = returning;
  const id = `${escrowId(escrow)}/take${returnCount}`;
  return { kind: "adjust", id, currency, direction: "take", amountMicros, isCovered: true };
}

/** Gives up a return of what was not there to be taken. */
export function abandonReturn(escrow: Escrow): Escrow {
  return { ...escrow, returning: undefined };
}

/** What is to be sent to the home. `charges` are those of the report under way; a return is sent once it was taken here. */
export function stepsToSend(escrow: Escrow, charges: readonly LeaseCharge[]): RegionRequest[] {
  const { borrowing, reporting, returning } = escrow;
  const leaseId = escrowId(escrow);
  const requests: RegionRequest[] = [];
  if (reporting !== undefined)
    requests.push({ kind: "report-lease", id: reportId(escrow, reporting), leaseId, charges });
  if (returning !== undefined) {
    const { amountMicros } = returning;
    const id = `${leaseId}/return${escrow.returnCount}`;
    requests.push({ kind: "shrink-lease", id, leaseId, epoch: 1, amountMicros, budgets: [] });
  }
  if (borrowing !== undefined) requests.push(borrowRequest(escrow, borrowing));
  return requests;
}

/** Takes an answer of the home. One to a step that is done already changes nothing, as a refusal does. */
export function takeAnswer(
  escrow: Escrow,
  commandId: string,
  reply: {
    readonly answer: LedgerOutcome | Refusal;
    /** Of the report under way. */
    readonly charges: readonly LeaseCharge[];
  },
): EscrowProgress | undefined {
  const { answer, charges } = reply;
  const { borrowing, reporting, returning } = escrow;
  if (borrowing !== undefined && commandId === borrowRequest(escrow, borrowing).id)
    return answer.kind === "leased" ? borrowed(escrow, answer) : undefined;
  if (reporting !== undefined && commandId === reportId(escrow, reporting))
    return answer.kind === "lease-reported"
      ? reported(escrow, { ...answer, known: charges, reporting })
      : undefined;
  if (returning !== undefined && commandId === `${escrowId(escrow)}/return${escrow.returnCount}`)
    return answer.kind === "lease-shrunk" ? returned(escrow, returning.amountMicros) : undefined;
  return undefined;
}

function planBorrowing(
  escrow: Escrow,
  standing: RegionStanding,
  { keepMicros, isClosing }: EscrowTerms,
): Borrowing | undefined {
  const { availableMicros, lackMicros, budgetsLeft } = standing;
  if (isClosing) return undefined;
  const isShort = availableMicros < keepMicros / 2n || availableMicros < lackMicros;
  const shortBudgets = budgetsLeft.filter(
    ({ amountMicros }) => amountMicros < keepMicros / 2n || amountMicros < lackMicros,
  );
  if (!isShort && shortBudgets.length === 0) return undefined;
  const goalMicros = keepMicros + lackMicros;
  const missingMicros = isShort ? goalMicros - availableMicros : 0n;
  return {
    // The first lease is of something.
    amountMicros: escrow.borrowCount === 0 && missingMicros === 0n ? 1n : missingMicros,
    budgets: shortBudgets.map(({ budgetId, amountMicros }) => ({
      budgetId,
      amountMicros: goalMicros - amountMicros,
    })),
  };
}

function planReport(
  { reportedSequence, borrowCount }: Escrow,
  { reportableSequence }: RegionStanding,
): Escrow["reporting"] {
  if (borrowCount === 0 || reportableSequence <= reportedSequence) return undefined;
  return { untilSequence: reportableSequence };
}

function planReturn(
  { borrowCount }: Escrow,
  { availableMicros }: RegionStanding,
  { keepMicros, isClosing }: EscrowTerms,
): Escrow["returning"] {
  const stayMicros = isClosing ? 0n : keepMicros;
  const isSurplus = isClosing ? availableMicros > 0n : availableMicros > keepMicros * 2n;
  if (borrowCount === 0 || !isSurplus) return undefined;
  return { amountMicros: availableMicros - stayMicros };
}

function borrowRequest(escrow: Escrow, { amountMicros, budgets }: Borrowing): RegionRequest {
  const { region, currency, borrowCount } = escrow;
  const leaseId = escrowId(escrow);
  // The region's own database has one writer; what it was lent is of one life.
  const terms = { epoch: 1, amountMicros, durationMs: leaseDurationMs, budgets } as const;
  if (borrowCount > 0)
    return { kind: "renew-lease", id: `${leaseId}/borrow${borrowCount}`, leaseId, ...terms };
  const who = { workerId: `region/${region}`, currency, minimumMicros: 1n } as const;
  return { kind: "lease", id: leaseId, ...who, ...terms, isEscrow: true };
}

function borrowed(
  escrow: Escrow,
  answer: Extract<LedgerOutcome, { readonly kind: "leased" }>,
): EscrowProgress {
  const { currency, borrowCount } = escrow;
  const { amountMicros } = answer;
  const id = `${escrowId(escrow)}/lot${borrowCount}`;
  const lot = { currency, amountMicros, priority: 0, expiresAtMs: undefined } as const;
  return {
    escrow: {
      ...escrow,
      borrowCount: borrowCount + 1,
      borrowing: undefined,
      budgets: addBudgets(escrow.budgets, answer.budgets),
      lentMicros: escrow.lentMicros + amountMicros,
    },
    here: amountMicros === 0n ? [] : [{ kind: "grant", id, ...lot }],
  };
}

/** What the home paid beside the escrow, because it was used up or the use was charged before, is covered here. */
function reported(
  escrow: Escrow,
  report: Extract<LedgerOutcome, { readonly kind: "lease-reported" }> & {
    readonly known: readonly LeaseCharge[];
    readonly reporting: { readonly untilSequence: number };
  },
): EscrowProgress {
  const { currency, reportedSequence } = escrow;
  const { untilSequence } = report.reporting;
  const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((all, one) => all + one, 0n);
  const amounts = new Map(report.known.map((charge) => [charge.usageId, charge.amountMicros]));
  const amountMicros = sum(
    report.charges.map(({ usageId, isRepeated, beyondHoldMicros }) =>
      isRepeated ? (amounts.get(usageId) ?? 0n) : beyondHoldMicros,
    ),
  );
  const id = `${escrowId(escrow)}/cover${reportedSequence}-${untilSequence}`;
  const cover = { kind: "adjust", id, currency, direction: "give", amountMicros } as const;
  return {
    escrow: {
      ...escrow,
      reportedSequence: untilSequence,
      reporting: undefined,
      reportedMicros: escrow.reportedMicros + sum([...amounts.values()]),
      coveredMicros: escrow.coveredMicros + amountMicros,
    },
    here: amountMicros === 0n ? [] : [cover],
  };
}

function returned(escrow: Escrow, amountMicros: bigint): EscrowProgress {
  const { returnCount, returnedMicros } = escrow;
  const done = { returning: undefined, returnCount: returnCount + 1 };
  return {
    escrow: { ...escrow, ...done, returnedMicros: returnedMicros + amountMicros },
    here: [],
  };
}

function reportId(escrow: Escrow, { untilSequence }: { readonly untilSequence: number }): string {
  return `${escrowId(escrow)}/report${escrow.reportedSequence}-${untilSequence}`;
}

function addBudgets(known: readonly BudgetAmount[], more: readonly BudgetAmount[]): BudgetAmount[] {
  const sums = new Map(known.map(({ budgetId, amountMicros }) => [budgetId, amountMicros]));
  for (const { budgetId, amountMicros } of more)
    sums.set(budgetId, (sums.get(budgetId) ?? 0n) + amountMicros);
  return [...sums].map(([budgetId, amountMicros]) => ({ budgetId, amountMicros }));
}
