/**
 * What one worker may spend of one account without asking: it admits operations against its lease in memory, and keeps what
 * they cost until the ledger has it. Pure: times are monotonic milliseconds and come as arguments.
 */

import { assert } from "#kernel/index.ts";

import type { BudgetAmount, LeaseCharge } from "../rules/commands.ts";
import type { Attribution, UsageKind } from "../rules/types.ts";
import { type BudgetRule, type BudgetSlice, findSlices, scopeSlices } from "./budget-rules.ts";
import { BurnRate } from "./burn-rate.ts";
import {
  costBoundMicros,
  exactMicros,
  outputTokensWithin,
  type TokenPrice,
} from "./exact-micros.ts";
import { HeldLease } from "./held-lease.ts";

/** What is asked of the book: an operation that is about to be made. */
export interface AdmissionRequest {
  readonly usageId: string;
  readonly usageKind: UsageKind;
  readonly attribution: Attribution;
  /** Of the version that is valid now; none where the model has no price. */
  readonly price: TokenPrice | undefined;
  /** Bounds of the tokens that may be charged: never fewer than the provider can count. */
  readonly inputTokensMax: number;
  readonly outputTokensMax: number;
  /** Whether the output may be bounded by what the lease has left; when not, more is asked for first. */
  readonly isClampable: boolean;
}

/** An operation that was admitted, until it is settled. */
export interface AdmittedOperation {
  readonly kind: "admitted";
  readonly lease: HeldLease;
  readonly usageId: string;
  readonly usageKind: UsageKind;
  readonly attribution: Attribution;
  readonly heldMicros: number;
  /** What must be sent as `max_tokens`: no more than that is paid for. */
  readonly outputTokensMax: number;
  readonly slices: readonly BudgetSlice[];
  isOpen: boolean;
}

/** Why the lease does not admit an operation. */
export type NotAdmitted =
  | { readonly kind: "price-unknown" }
  /** There is no lease, or its deadline has passed. */
  | { readonly kind: "no-lease"; readonly neededMicros: number }
  /** What is left does not suffice, of the lease or of a budget. */
  | {
      readonly kind: "short";
      readonly neededMicros: number;
      readonly leftMicros: number;
      readonly budgetId: string | undefined;
      /** With so few output tokens it would fit; below 1 it would not. */
      readonly outputTokensFitting: number;
    };

/** A lease as the ledger gave it, and when the worker asked for it. */
export interface LentLease {
  readonly leaseId: string;
  readonly amountMicros: bigint;
  readonly budgets: readonly BudgetAmount[];
  readonly durationMs: number;
  readonly askedAtMonotonicMs: number;
}

const priceUnknown: NotAdmitted = { kind: "price-unknown" };
const noSlices: readonly BudgetSlice[] = [];

export class LeaseBook {
  readonly burn = new BurnRate();
  #rules: readonly BudgetRule[] = [];
  #current: HeldLease | undefined;
  readonly #found: BudgetSlice[] = [];

  /** The lease that admits, or admitted until its deadline. */
  get current(): HeldLease | undefined {
    return this.#current;
  }

  get rules(): readonly BudgetRule[] {
    return this.#rules;
  }

  /** Takes the budgets that hold from now on. Of a new one nothing was lent yet, so what counts in it is short. */
  setRules(rules: readonly BudgetRule[]): void {
    this.#rules = rules;
    const lease = this.#current;
    if (lease !== undefined) lease.scoped = scopeSlices(rules, lease.slices);
  }

  /** Begins to admit out of a new lease. The one before it must have been detached. */
  begin(lent: LentLease): HeldLease {
    assert(this.#current === undefined, "a book admits out of one lease");
    const lease = new HeldLease(lent.leaseId);
    this.#current = lease;
    this.extend(lease, lent);
    return lease;
  }

  /** Adds what was lent since, and moves the deadline. It counts from when the worker asked: the ledger's is later. */
  extend(lease: HeldLease, lent: LentLease): void {
    lease.idleMicros += exactMicros(lent.amountMicros);
    for (const { budgetId, amountMicros } of lent.budgets) {
      const slice = lease.slices.get(budgetId);
      if (slice !== undefined) slice.idleMicros += exactMicros(amountMicros);
      else {
        const isHard = this.#rules.find((rule) => rule.budgetId === budgetId)?.isHard ?? true;
        lease.slices.set(budgetId, { budgetId, isHard, idleMicros: exactMicros(amountMicros) });
      }
    }
    lease.scoped = scopeSlices(this.#rules, lease.slices);
    const deadlineMs = lent.askedAtMonotonicMs + lent.durationMs;
    lease.deadlineMonotonicMs = Math.max(lease.deadlineMonotonicMs, deadlineMs);
  }

  /** Admits nothing more out of the current lease. Its open operations go on. */
  detach(): HeldLease | undefined {
    const lease = this.#current;
    this.#current = undefined;
    return lease;
  }

  /** Decides about an operation; when it is admitted, what it may cost is held. */
  admit(request: AdmissionRequest, monotonicMs: number): AdmittedOperation | NotAdmitted {
    const { price, inputTokensMax, isClampable } = request;
    if (price === undefined) return priceUnknown;
    let outputTokensMax = request.outputTokensMax;
    let heldMicros = costBoundMicros(price, inputTokensMax, outputTokensMax);
    const lease = this.#current;
    if (lease === undefined || monotonicMs >= lease.deadlineMonotonicMs)
      return { kind: "no-lease", neededMicros: heldMicros };
    const found = this.#found;
    const count = findSlices(lease.scoped, request.attribution, found);
    let leftMicros = lease.idleMicros;
    for (let index = 0; index < count; index += 1) {
      const slice = found[index];
      if (slice !== undefined && slice.isHard && slice.idleMicros < leftMicros)
        leftMicros = slice.idleMicros;
    }
    if (heldMicros > leftMicros) {
      const fitting = outputTokensWithin(price, inputTokensMax, leftMicros);
      if (!isClampable || fitting < 1 || outputTokensMax < 1)
        return this.#short({ heldMicros, leftMicros, fitting, count });
      outputTokensMax = Math.min(outputTokensMax, fitting);
      heldMicros = costBoundMicros(price, inputTokensMax, outputTokensMax);
      assert(heldMicros <= leftMicros, "what is clamped fits");
    }
    lease.idleMicros -= heldMicros;
    for (let index = 0; index < count; index += 1) {
      const slice = found[index];
      if (slice !== undefined) slice.idleMicros -= heldMicros;
    }
    lease.openCount += 1;
    this.burn.add(heldMicros, monotonicMs);
    return {
      kind: "admitted",
      lease,
      usageId: request.usageId,
      usageKind: request.usageKind,
      attribution: request.attribution,
      heldMicros,
      outputTokensMax,
      slices: count === 0 ? noSlices : found.slice(0, count),
      isOpen: true,
    };
  }

  /**
   * Ends an operation with what it cost, which may be nothing, or more than was held. Once. `charge` says the same as the
   * ledger will be told it, where somebody has that already.
   */
  settle(
    operation: AdmittedOperation,
    amountMicros: number,
    charge: LeaseCharge = chargeOf(operation, amountMicros),
  ): LeaseCharge {
    assert(operation.isOpen, "an operation is settled once");
    const isExact = Number.isSafeInteger(amountMicros) && amountMicros >= 0;
    assert(isExact, "a cost is a whole number of micros");
    operation.isOpen = false;
    const { lease, heldMicros, slices } = operation;
    lease.openCount -= 1;
    lease.idleMicros += heldMicros - amountMicros;
    for (const slice of slices) slice.idleMicros += heldMicros - amountMicros;
    lease.addCharge(charge);
    return charge;
  }

  #short(shortage: {
    readonly heldMicros: number;
    readonly leftMicros: number;
    readonly fitting: number;
    readonly count: number;
  }): NotAdmitted {
    const { heldMicros, leftMicros, fitting, count } = shortage;
    const tightest = this.#found
      .slice(0, count)
      .find((slice) => slice.isHard && slice.idleMicros === leftMicros);
    return {
      kind: "short",
      neededMicros: heldMicros,
      leftMicros: Math.max(0, leftMicros),
      budgetId: tightest?.budgetId,
      outputTokensFitting: fitting,
    };
  }
}

function chargeOf(
  { usageId, usageKind, attribution }: AdmittedOperation,
  amountMicros: number,
): LeaseCharge {
  return { usageId, usageKind, amountMicros: BigInt(amountMicros), attribution };
}
