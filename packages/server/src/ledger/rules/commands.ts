/** What the ledger is asked, and what it answers. */

import type {
  Attribution,
  BudgetScope,
  BudgetTerms,
  Currency,
  Transfer,
  UsageKind,
} from "./types.ts";

/** `id` is the client's and unique in its tenant; a hold, lot or lease bears the id of the command that made it. */
interface CommandBase {
  readonly id: string;
  readonly atMs: number;
}

/** What was used and what it costs. */
export interface Charge {
  /** Unique in the tenant: an operation, an attempt of it, or a job and an interval. */
  readonly usageId: string;
  readonly usageKind: UsageKind;
  readonly amountMicros: bigint;
}

/** A charge that a worker admitted by itself. */
export interface LeaseCharge extends Charge {
  readonly attribution: Attribution;
}

/** How much of a budget a worker asks for, or was lent. */
export interface BudgetAmount {
  readonly budgetId: string;
  readonly amountMicros: bigint;
}

export type LedgerCommand =
  | (CommandBase & {
      readonly kind: "open-account";
      readonly currency: Currency;
      readonly limitMicros: bigint;
    })
  | (CommandBase & { readonly kind: "close-account"; readonly currency: Currency })
  | (CommandBase & {
      readonly kind: "grant";
      readonly currency: Currency;
      readonly amountMicros: bigint;
      readonly priority: number;
      readonly expiresAtMs: number | undefined;
    })
  | (CommandBase & {
      /** What a provider invoiced, for whatever the tenant was charged; its credit does not move. */
      readonly kind: "book-cost";
      readonly currency: Currency;
      readonly amountMicros: bigint;
    })
  | (CommandBase & {
      /** A compensating entry: gives credit, as a lot of its own, or takes it. */
      readonly kind: "adjust";
      readonly currency: Currency;
      readonly direction: "give" | "take";
      readonly amountMicros: bigint;
      /** Takes only what lies in lots: refused where that is less, instead of making a debt. */
      readonly isCovered?: true;
    })
  | (CommandBase & {
      /** Credit of one currency becomes a lot of another: `amount × numerator / denominator`, rounded down. */
      readonly kind: "convert";
      readonly currency: Currency;
      readonly amountMicros: bigint;
      readonly toCurrency: Currency;
      readonly rateNumerator: bigint;
      readonly rateDenominator: bigint;
    })
  | (CommandBase & { readonly kind: "expire-lots" })
  | (CommandBase & {
      readonly kind: "hold";
      readonly currency: Currency;
      readonly amountMicros: bigint;
      readonly durationMs: number;
      readonly attribution: Attribution;
    })
  | (CommandBase & {
      readonly kind: "renew";
      readonly holdId: string;
      readonly durationMs: number;
    })
  | (CommandBase & {
      readonly kind: "settle";
      readonly holdId: string;
      readonly charge: Charge;
      /** Whether the hold ends and what is left of it is free again. */
      readonly isFinal: boolean;
    })
  | (CommandBase & { readonly kind: "release"; readonly holdId: string })
  | (CommandBase & { readonly kind: "expire-holds" })
  | (CommandBase & {
      /** Asks for at least the minimum, and at most the amount. */
      readonly kind: "lease";
      readonly workerId: string;
      readonly epoch: number;
      readonly currency: Currency;
      readonly amountMicros: bigint;
      readonly minimumMicros: bigint;
      readonly durationMs: number;
      readonly budgets: readonly BudgetAmount[];
      /** Lent to the ledger of another region, which may be cut off for long: no time ends it. */
      readonly isEscrow?: true;
    })
  | (CommandBase & {
      /** Moves the deadline, and lends as much more as there is, up to the amounts. */
      readonly kind: "renew-lease";
      readonly leaseId: string;
      readonly epoch: number;
      readonly amountMicros: bigint;
      readonly durationMs: number;
      readonly budgets: readonly BudgetAmount[];
    })
  | (CommandBase & {
      readonly kind: "report-lease";
      readonly leaseId: string;
      readonly charges: readonly LeaseCharge[];
    })
  | (CommandBase & {
      /** Gives back a part of a living lease. */
      readonly kind: "shrink-lease";
      readonly leaseId: string;
      readonly epoch: number;
      readonly amountMicros: bigint;
      readonly budgets: readonly BudgetAmount[];
    })
  | (CommandBase & {
      /**
       * Ends a lease of which everything was reported: `chargeCount` uses in all. The worker says so itself, or who read its
       * journal to the end.
       */
      readonly kind: "return-lease";
      readonly leaseId: string;
      readonly from: "worker" | "journal";
      readonly chargeCount: number;
    })
  | (CommandBase & { readonly kind: "lose-lease"; readonly leaseId: string })
  | (CommandBase & {
      readonly kind: "set-budget";
      readonly terms: BudgetTerms;
      /** What was spent in the current window before the budget was set. */
      readonly spentMicros: bigint;
    })
  | (CommandBase & { readonly kind: "remove-budget"; readonly budgetId: string });

export type CommandOf<Kind extends LedgerCommand["kind"]> = Extract<
  LedgerCommand,
  { readonly kind: Kind }
>;

/** What stands in the way of an amount. */
export type Obstacle =
  | { readonly kind: "account"; readonly currency: Currency }
  /** Use beyond all credit must be covered first. */
  | { readonly kind: "debt"; readonly debtMicros: bigint }
  | { readonly kind: "budget"; readonly budgetId: string; readonly scope: BudgetScope };

/** The obstacle to an amount, and what would be given instead. */
export interface Shortage {
  readonly obstacle: Obstacle;
  readonly leftMicros: bigint;
}

/** Nothing moved, and the command's id is free for another try. */
export type Refusal =
  | {
      readonly kind: "refused";
      readonly code: "credit_exhausted";
      readonly obstacle: Obstacle;
      readonly askedMicros: bigint;
      readonly leftMicros: bigint;
      /** What open leases hold of it: some of that may lie idle and come back when it is recalled. */
      readonly leasedMicros: bigint;
    }
  | {
      readonly kind: "refused";
      readonly code: Exclude<RefusalCode, "credit_exhausted">;
      /** In one sentence, for the caller. */
      readonly detail: string;
    };

export type RefusalCode =
  | "credit_exhausted"
  | "amount_invalid"
  | "ledger_command_invalid"
  | "currency_mismatch"
  | "ledger_id_reused"
  | "ledger_full"
  | "lot_expired"
  | "account_closed"
  | "hold_not_found"
  | "hold_ended"
  | "lease_not_found"
  | "lease_ended"
  | "lease_fenced"
  | "lease_unreported"
  | "budget_not_found";

/** How one use was paid. */
export interface ChargeResult {
  readonly usageId: string;
  /** What was charged by this command, or by an earlier one when `isRepeated`. */
  readonly chargedMicros: bigint;
  /** The part that was beyond the hold or lease, paid out of other credit or owed. */
  readonly beyondHoldMicros: bigint;
  /** The part for which there was no credit at all. */
  readonly debtMicros: bigint;
  readonly isRepeated: boolean;
}

export type LedgerOutcome =
  | { readonly kind: "account-opened" }
  | { readonly kind: "account-closed" }
  | { readonly kind: "granted"; readonly lotId: string; readonly coveredMicros: bigint }
  | { readonly kind: "adjusted"; readonly debtMicros: bigint }
  | { readonly kind: "cost-booked" }
  | { readonly kind: "converted"; readonly lotId: string; readonly convertedMicros: bigint }
  | { readonly kind: "lots-expired"; readonly lotIds: readonly string[] }
  | { readonly kind: "held"; readonly holdId: string; readonly expiresAtMs: number }
  | { readonly kind: "renewed"; readonly expiresAtMs: number }
  | ({
      readonly kind: "settled";
      readonly releasedMicros: bigint;
      /** Whether the hold had ended before, so that all was paid out of other credit. */
      readonly isLate: boolean;
    } & ChargeResult)
  | { readonly kind: "released"; readonly releasedMicros: bigint }
  | { readonly kind: "holds-expired"; readonly holdIds: readonly string[] }
  | {
      readonly kind: "leased";
      readonly leaseId: string;
      readonly amountMicros: bigint;
      readonly budgets: readonly BudgetAmount[];
      readonly deadlineMs: number;
    }
  | { readonly kind: "lease-reported"; readonly charges: readonly ChargeResult[] }
  | { readonly kind: "lease-shrunk"; readonly returnedMicros: bigint }
  | { readonly kind: "lease-returned"; readonly returnedMicros: bigint }
  | { readonly kind: "lease-lost"; readonly unreadMicros: bigint }
  | {
      readonly kind: "budget-set";
      /** Workers that hold older leases know nothing of it until then. */
      readonly effectiveAtMs: number;
    }
  | { readonly kind: "budget-removed" };

/** What somebody should be told. */
export type LedgerNotice =
  | {
      readonly kind: "budget-threshold-passed";
      readonly budgetId: string;
      readonly percent: number;
      readonly windowStartMs: number;
      readonly usedMicros: bigint;
    }
  | {
      readonly kind: "charged-beyond-hold";
      readonly usageId: string;
      readonly holdId: string;
      readonly beyondHoldMicros: bigint;
      readonly debtMicros: bigint;
    }
  | { readonly kind: "lease-lost"; readonly leaseId: string; readonly unreadMicros: bigint };

/** A record of the state that a command changed; its new form stands in the state. */
export interface Touched {
  readonly kind: "account" | "lot" | "hold" | "lease" | "worker" | "budget" | "use";
  readonly id: string;
}

/** The answer to one command, and all that must be written down before it is given. */
export interface Decision {
  readonly commandId: string;
  readonly answer: LedgerOutcome | Refusal;
  /** Whether the command was done before: the answer is the earlier one, and nothing is to be written. */
  readonly isRepeated: boolean;
  readonly transfers: readonly Transfer[];
  readonly touched: readonly Touched[];
  readonly notices: readonly LedgerNotice[];
}
