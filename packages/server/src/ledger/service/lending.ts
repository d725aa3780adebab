/** The ledger as those see it who lend its credit to processes that admit by themselves. */

import type { TenantId } from "@faultline/protocol";

import type { Store } from "#storage/index.ts";

import type { BudgetRule } from "../worker/budget-rules.ts";
import type { Ledger } from "./ledger.ts";
import type { LedgerAnswer, LedgerRequest } from "./ledger-request.ts";
import { ledgerServiceLimits } from "./limits.ts";

/** A hold or a lease that has not ended. Its id begins with the worker and the epoch of the life that asked for it. */
export interface OpenReserve {
  readonly tenantId: TenantId;
  readonly kind: "hold" | "lease";
  readonly id: string;
  readonly remainingMicros: bigint;
}

export interface LendingParts {
  readonly ledger: Ledger;
  readonly store: Store;
  /** Ends all work. */
  readonly signal: AbortSignal;
}

export class Lending {
  readonly #parts: LendingParts;

  constructor(parts: LendingParts) {
    this.#parts = parts;
  }

  /** As `submit` of the ledger; `details` say what each use was. */
  async submit(
    tenantId: TenantId,
    request: LedgerRequest,
    details?: ReadonlyMap<string, unknown>,
  ): Promise<LedgerAnswer> {
    const { ledger, signal } = this.#parts;
    return ledger.submit({ tenantId, signal }, request, details === undefined ? {} : { details });
  }

  /** The budgets of a tenant, as far as its ledger is in memory: after an answer it is. */
  budgetRules(tenantId: TenantId): readonly BudgetRule[] {
    const budgets = this.#parts.ledger.stateOf(tenantId)?.budgets.values() ?? [];
    return [...budgets].map(({ terms: { budgetId, scope, isHard } }) => ({
      budgetId,
      scope,
      isHard,
    }));
  }

  /** Tenants that have an account, open or closed: what they use is paid for, or not done. */
  async payingTenants(signal: AbortSignal): Promise<TenantId[]> {
    const rows = await this.#parts.store.system(signal, (writer) =>
      writer
        .selectFrom("ledger_credit")
        .select("tenant_id")
        .distinct()
        .orderBy("tenant_id")
        .execute(),
    );
    return rows.map((row) => row.tenant_id);
  }

  /** Open holds and leases whose ids begin so; the oldest ends first, and no more than one reading takes. */
  async openReserves(prefix: string, signal: AbortSignal): Promise<OpenReserve[]> {
    const rows = await this.#parts.store.system(signal, (writer) =>
      writer
        .selectFrom("ledger_hold")
        .select(["tenant_id", "kind", "id", "remaining_micros"])
        .where("state", "=", "open")
        .where("id", "like", `${prefix}%`)
        .orderBy("ends_at_ms")
        .limit(ledgerServiceLimits.openReserveCountMax)
        .execute(),
    );
    return rows.map((row) => ({
      tenantId: row.tenant_id,
      kind: row.kind,
      id: row.id,
      remainingMicros: BigInt(row.remaining_micros),
    }));
  }
}
