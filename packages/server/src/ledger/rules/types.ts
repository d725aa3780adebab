/**
 * The state of one tenant's ledger: plain data, which a store can write down and read back. Amounts are micros (millionths of
 * a unit of the currency) in `bigint`; times are milliseconds since the Unix epoch.
 */

export type Currency = "USD" | "credits";

/** What was used. `unread` is credit of a lease whose journal could not be read: it counts as spent. */
export type UsageKind =
  | "tokens"
  | "embedding"
  | "rerank"
  | "evaluation"
  | "tool"
  | "sandbox"
  | "compute"
  | "unread";

/**
 * The accounts of a tenant, one of each kind for a currency. `credit` is the sum of what is left in its lots, never below
 * zero. `holds` is what is reserved, never below zero. `debt` is below zero by what was held on the credit line or used
 * beyond all credit. `provider-cost` is what providers invoiced, which `provider-invoices` is below zero by. The others are where
 * money comes from and goes to.
 */
export type AccountKind =
  | "credit"
  | "holds"
  | "debt"
  | "grants"
  | "expiry"
  | "adjustments"
  | "conversion"
  | "provider-cost"
  | "provider-invoices"
  | `usage:${UsageKind}`;

/** `credit/USD`, `usage:tokens/credits`. */
export type AccountId = `${AccountKind}/${Currency}`;

export type TransferReason =
  | "granted"
  | "adjusted"
  | "converted"
  | "invoiced"
  | "held"
  | "charged"
  | "charged-beyond-hold"
  | "released"
  | "lot-expired"
  | "debt-covered"
  | "lease-lost"
  | "journal-found";

/** An immutable movement between two accounts of one currency: takes from one what it gives to the other. */
export interface Transfer {
  readonly commandId: string;
  /** Its place among the transfers of its command; with the command's id it names the transfer. */
  readonly index: number;
  readonly atMs: number;
  readonly from: AccountId;
  readonly to: AccountId;
  readonly amountMicros: bigint;
  readonly reason: TransferReason;
  /** The lot whose credit moves; none where the credit line or a debt moves. */
  readonly lotId: string | undefined;
  /** The hold or lease that it belongs to. */
  readonly holdId: string | undefined;
  /** The use that it pays for. */
  readonly usageId: string | undefined;
}

/** What a tenant owns in one currency. */
export interface CreditAccount {
  readonly currency: Currency;
  isOpen: boolean;
  /** How far the account may be used beyond its credit; zero where everything is paid in advance. */
  limitMicros: bigint;
  /** The part of the debt that is held and not yet used. */
  lineHeldMicros: bigint;
}

/** Credit that was granted at once and expires at once. */
export interface Lot {
  readonly id: string;
  readonly currency: Currency;
  readonly grantedMicros: bigint;
  remainingMicros: bigint;
  /** Among lots that expire together the lower is used first. */
  readonly priority: number;
  readonly grantedAtMs: number;
  readonly expiresAtMs: number | undefined;
}

/** Where a part of what is held comes from: a lot, or the credit line. */
export interface Portion {
  readonly lotId: string | undefined;
  amountMicros: bigint;
}

/** Who and what an operation is for; budgets are found by it. */
export interface Attribution {
  readonly keyId?: string;
  readonly userId?: string;
  readonly model?: string;
  readonly tags?: readonly string[];
}

/** A budget that a hold or a lease counts in, in the window in which it was admitted. */
export interface BudgetShare {
  readonly budgetId: string;
  readonly windowStartMs: number;
  /** What of the hold or lease is still counted as open there. */
  openMicros: bigint;
  /** Of a lost lease: the share counts as spent already. */
  isSpent: boolean;
}

export type HoldEnd = "settled" | "released" | "expired";

/** Credit reserved for one operation. Ends when it is settled, released or expired, whichever comes first. */
export interface Hold {
  readonly id: string;
  readonly currency: Currency;
  readonly attribution: Attribution;
  /** What is still reserved. */
  portions: Portion[];
  readonly heldMicros: bigint;
  chargedMicros: bigint;
  readonly placedAtMs: number;
  expiresAtMs: number;
  budgets: BudgetShare[];
  state: "open" | HoldEnd;
}

export type LeaseEnd = "returned" | "lost";

/** Credit lent to one gateway process, which admits operations out of it by itself until the deadline. */
export interface Lease {
  readonly id: string;
  readonly workerId: string;
  /** Of the worker's life in which it was lent; a later life fences it. */
  readonly epoch: number;
  readonly currency: Currency;
  portions: Portion[];
  chargedMicros: bigint;
  /** Distinct uses that were reported; a return must name as many. */
  chargeCount: number;
  readonly lentAtMs: number;
  /** The worker admits nothing from here on. */
  deadlineMs: number;
  budgets: BudgetShare[];
  state: "open" | LeaseEnd;
  /** Of a lost lease: what counts as spent and was not found in a journal since. */
  unreadMicros: bigint;
  /** Lent to another region: held until that has reported, however long it takes. */
  readonly isEscrow?: true;
}

export type BudgetScope =
  | { readonly kind: "tenant" }
  | { readonly kind: "key" | "user" | "model" | "tag"; readonly value: string };

/** Days and months are those of UTC. */
export type BudgetWindow =
  | { readonly kind: "day" }
  | { readonly kind: "month" }
  | { readonly kind: "rolling"; readonly durationMs: number }
  | { readonly kind: "total" };

/** What a budget is set to. */
export interface BudgetTerms {
  readonly budgetId: string;
  readonly currency: Currency;
  readonly scope: BudgetScope;
  readonly window: BudgetWindow;
  readonly limitMicros: bigint;
  /** A hard budget refuses; a soft one only tells. */
  readonly isHard: boolean;
  /** Shares of the limit, in per cent, of which passing one is told once in each window. */
  readonly thresholdPercents: readonly number[];
}

/** What counts in a window, or in a part of a rolling one. */
export interface BudgetCount {
  spentMicros: bigint;
  openMicros: bigint;
  /** The highest threshold that was told. */
  toldPercent: number;
}

export interface Budget {
  terms: BudgetTerms;
  readonly counts: Map<number, BudgetCount>;
}

/** A use that was charged, so that no other report of it is. */
export interface ChargedUse {
  readonly usageId: string;
  readonly holdId: string;
  readonly amountMicros: bigint;
  readonly atMs: number;
}

const accountKinds: readonly AccountKind[] = [
  "credit",
  "holds",
  "debt",
  "grants",
  "expiry",
  "adjustments",
  "conversion",
];
const accountIds: Readonly<Record<Currency, ReadonlyMap<AccountKind, AccountId>>> = {
  USD: new Map(accountKinds.map((kind) => [kind, `${kind}/USD`])),
  credits: new Map(accountKinds.map((kind) => [kind, `${kind}/credits`])),
};

/** The name of an account. */
export function accountId(kind: AccountKind, currency: Currency): AccountId {
  // The usual ones are looked up far more often than they could be put together.
  return accountIds[currency].get(kind) ?? `${kind}/${currency}`;
}
