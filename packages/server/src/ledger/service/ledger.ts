/** The ledgers of all tenants: each has one writer, is read when somebody asks for it, and leaves the memory when nobody does. */

import type { Logger } from "pino";

import type { Clock, EventLoop, Ids } from "#kernel/index.ts";
import type { Store, TenantScope } from "#storage/index.ts";
import type { TenantId } from "@faultline/protocol";

import { blockingDebt } from "../rules/credit.ts";
import type { LedgerState } from "../rules/ledger-state.ts";
import type { Currency, Lease } from "../rules/types.ts";
import { LedgerCounts } from "./ledger-counts.ts";
import {
  type LedgerAnswer,
  type LedgerRequest,
  ledgerUnavailable,
  refuseUnstorableText,
} from "./ledger-request.ts";
import { ledgerServiceLimits } from "./limits.ts";
import { dueSweeps, findDueTenants } from "./sweep.ts";
import { TenantLedger } from "./tenant-ledger.ts";

export interface LedgerParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly eventLoop: EventLoop;
  readonly logger: Logger;
  /** Ends all work. */
  readonly signal: AbortSignal;
}

export interface SubmitOptions {
  /** What the uses of the command were, by their ids: provider, model, tokens, price version. */
  readonly details?: ReadonlyMap<string, unknown>;
}

/** What is in memory; accounts count as indebted where their debt blocks them. */
export interface LedgerUse {
  readonly tenantCount: number;
  /** Of the tenant with the most. */
  readonly waitingCountMax: number;
  readonly openHoldCount: number;
  readonly openLeaseCount: number;
  readonly indebtedCount: number;
}

/** Decides and writes commands. Of one tenant there is one writer at a time; a second process that writes is fenced. */
export class Ledger implements AsyncDisposable {
  readonly #parts: LedgerParts;
  readonly #tenants = new Map<TenantId, TenantLedger>();
  /** What was done since it was opened. */
  readonly counts = new LedgerCounts();
  readonly #ending = new AbortController();
  readonly #accountListeners = new Set<() => Promise<void>>();
  #sweepCount = 0;
  #isSearching = false;

  private constructor(parts: LedgerParts) {
    this.#parts = parts;
  }

  /** Opens the ledger and begins to sweep. Reads nothing yet. */
  static open(parts: LedgerParts): Ledger {
    const ledger = new Ledger(parts);
    const signal = AbortSignal.any([parts.signal, ledger.#ending.signal]);
    parts.clock.every(ledgerServiceLimits.sweepIntervalMs, signal, () => ledger.sweep());
    return ledger;
  }

  /**
   * Decides a command; resolves once it is committed, or when nothing had to be. Throws `ledger_unavailable` when that cannot be
   * known: the command may have taken effect, and is sent again with its id. Who leaves by the signal leaves the command.
   */
  async submit(
    scope: TenantScope,
    request: LedgerRequest,
    options: SubmitOptions = {},
  ): Promise<LedgerAnswer> {
    scope.signal.throwIfAborted();
    this.#parts.signal.throwIfAborted();
    if (this.#ending.signal.aborted) throw ledgerUnavailable("The ledger is closing.");
    refuseUnstorableText(request);
    if (options.details !== undefined) refuseUnstorableText([...options.details]);
    const tenant = this.#tenant(scope.tenantId);
    const { promise, resolve, reject } = Promise.withResolvers<LedgerAnswer>();
    tenant.submit({
      request,
      details: options.details,
      arrivedMs: this.#parts.clock.monotonicMs(),
      attemptCount: 0,
      isSuspect: false,
      resolve,
      reject,
    });
    const leave = (): void => reject(scope.signal.reason);
    // When the ledger's own signal ends, its writers answer all that wait. Thousands of listeners on one signal are slow.
    if (scope.signal !== this.#parts.signal) scope.signal.addEventListener("abort", leave);
    let answer: LedgerAnswer;
    try {
      answer = await promise;
    } finally {
      scope.signal.removeEventListener("abort", leave);
    }
    if (answer.kind === "account-opened")
      await Promise.all([...this.#accountListeners].map((listener) => listener()));
    return answer;
  }

  /** Calls `listener` when an account was opened; whoever opened it is answered once that is known everywhere. */
  onAccountOpened(listener: () => Promise<void>): void {
    this.#accountListeners.add(listener);
  }

  /** An id for a command whose client gave none. */
  newId(): string {
    return this.#parts.ids.next();
  }

  /** The state that all commands so far lead to, when the ledger is in memory. For looking, never for changing. */
  stateOf(tenantId: TenantId): LedgerState | undefined {
    return this.#tenants.get(tenantId)?.state;
  }

  /** Tenants whose ledgers are in memory. */
  loadedTenants(): TenantId[] {
    return [...this.#tenants]
      .filter(([, tenant]) => tenant.state !== undefined)
      .map(([tenantId]) => tenantId);
  }

  /** How much is in memory, waiting and open at this moment. */
  use(): LedgerUse {
    const tenants = [...this.#tenants.values()];
    const states = tenants.map((tenant) => tenant.state).filter((state) => state !== undefined);
    const accounts = states.flatMap((state) =>
      [...state.accounts.values()].filter((account) => blockingDebt(state, account) > 0n),
    );
    return {
      tenantCount: states.length,
      waitingCountMax: tenants.reduce((most, { waitingCount }) => Math.max(most, waitingCount), 0),
      openHoldCount: states.reduce((sum, { openHoldCount }) => sum + openHoldCount, 0),
      openLeaseCount: this.#openLeases().length,
      indebtedCount: accounts.length,
    };
  }

  /** What the open leases in memory hold, by currency. */
  leasedMicros(): ReadonlyMap<Currency, bigint> {
    const sums = new Map<Currency, bigint>();
    for (const { currency, portions } of this.#openLeases())
      for (const { amountMicros } of portions)
        sums.set(currency, (sums.get(currency) ?? 0n) + amountMicros);
    return sums;
  }

  /** Open holds that nobody renewed, and open leases past their deadline: they wait for the sweeper or for recovery. */
  overdueCount(): number {
    const nowMs = this.#parts.clock.nowMs();
    let count = this.#openLeases().filter(
      ({ deadlineMs, isEscrow }) => isEscrow === undefined && deadlineMs < nowMs,
    ).length;
    for (const { state } of this.#tenants.values())
      for (const hold of state?.holds.values() ?? [])
        if (hold.state === "open" && hold.expiresAtMs < nowMs) count += 1;
    return count;
  }

  #openLeases(): Lease[] {
    return [...this.#tenants.values()].flatMap(({ state }) =>
      [...(state?.leases.values() ?? [])].filter((lease) => lease.state === "open"),
    );
  }

  /** Ends holds, lots and leases whose time is over. Runs by itself; tests call it when they have moved the clock. */
  sweep(): void {
    const { clock, ids } = this.#parts;
    for (const [tenantId, tenant] of this.#tenants) {
      const { state } = tenant;
      if (state === undefined) continue;
      const loadedForMs = clock.monotonicMs() - tenant.loadedMs;
      for (const request of dueSweeps(state, { nowMs: clock.nowMs(), loadedForMs, ids }))
        this.#sweepOne(tenantId, request);
    }
    this.#dropIdle(ledgerServiceLimits.tenantCountMax);
    this.#sweepCount += 1;
    if (this.#sweepCount % ledgerServiceLimits.sweepsPerSearch === 1) void this.#search();
  }

  /** How many commands may be under way or waiting is bounded; disposal waits for all of them. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    await Promise.all([...this.#tenants.values()].map((tenant) => tenant.whenIdle()));
  }

  #tenant(tenantId: TenantId): TenantLedger {
    const known = this.#tenants.get(tenantId);
    if (known !== undefined) return known;
    this.#dropIdle(ledgerServiceLimits.tenantCountMax - 1);
    if (this.#tenants.size >= ledgerServiceLimits.tenantCountMax)
      throw ledgerUnavailable(`The ledgers of ${this.#tenants.size} tenants are in use.`);
    const made = new TenantLedger({ ...this.#parts, tenantId, counts: this.counts });
    this.#tenants.set(tenantId, made);
    return made;
  }

  /** Drops ledgers that nobody asked for in a while, and the longest idle ones beyond the count. */
  #dropIdle(countMax: number): void {
    const nowMs = this.#parts.clock.monotonicMs();
    const idle = [...this.#tenants]
      .filter(([, tenant]) => !tenant.isBusy)
      .sort(([, left], [, right]) => left.lastUsedMs - right.lastUsedMs);
    for (const [tenantId, { lastUsedMs }] of idle) {
      const isOld = nowMs - lastUsedMs > ledgerServiceLimits.idleMsMax;
      if (!isOld && this.#tenants.size <= countMax) return;
      this.#tenants.delete(tenantId);
    }
  }

  /** Looks in the database for tenants in which something ran out while their ledgers were not in memory. */
  async #search(): Promise<void> {
    if (this.#isSearching) return;
    this.#isSearching = true;
    const { store, clock, logger, ids, signal } = this.#parts;
    try {
      const found = await findDueTenants(store, { nowMs: clock.nowMs(), signal });
      for (const tenantId of found) {
        if (this.#tenants.get(tenantId)?.state !== undefined) continue;
        // Reading the ledger is enough: later sweeps see what is due in it. Holds and leases wait for their owners first.
        this.#sweepOne(tenantId, { kind: "expire-lots", id: `sweep-${ids.next()}` });
      }
    } catch (error) {
      if (!signal.aborted) logger.warn({ err: error }, "the ledger was not searched");
    } finally {
      this.#isSearching = false;
    }
  }

  #sweepOne(tenantId: TenantId, request: LedgerRequest): void {
    const { signal, logger } = this.#parts;
    this.submit({ tenantId, signal }, request).catch((error: unknown) => {
      if (!signal.aborted) logger.warn({ err: error, tenantId }, "the ledger was not swept");
    });
  }
}
