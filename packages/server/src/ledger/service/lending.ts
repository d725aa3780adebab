/** The ledger as those see it who lend its credit to processes that admit by themselves. */

import type { TenantId } from "@faultline/protocol";
import { sql } from "kysely";

import type { Store } from "#storage/index.ts";

import type { BudgetRule } from "../worker/budget-rules.ts";
import type { Ledger } from "./ledger.ts";
import { type LedgerAnswer, type LedgerRequest, ledgerUnavailable } from "./ledger-request.ts";
import { ledgerServiceLimits } from "./limits.ts";

/** A hold or a lease that has not ended. Its id begins with the worker and the epoch of the life that asked for it. */
export interface OpenReserve {
  readonly tenantId: TenantId;
  readonly kind: "hold" | "lease";
  readonly id: string;
  readonly remainingMicros: bigint;
  /** When a hold expires, or the deadline of a lease. */
  readonly endsAtMs: number;
}

/** What one reading found. */
export interface OpenReserves {
  readonly reserves: readonly OpenReserve[];
  /** False when there may be more. */
  readonly isWhole: boolean;
}

export interface ReserveSearch {
  /** What the ids begin with. */
  readonly prefix: string;
  /** Ids that begin with one of these are left out. */
  readonly exceptPrefixes: readonly string[];
}

/** Tenants whose credit is lent by another region. */
export interface RemoteCredit {
  isAway(tenantId: TenantId): boolean;
  /** Asks that region for more. */
  replenish(tenantId: TenantId, lackMicros: bigint): Promise<"asked" | "cut-off">;
}

export interface LendingParts {
  readonly ledger: Ledger;
  readonly store: Store;
  /** Default: no account is shared with another region. */
  readonly remote?: RemoteCredit;
  /** Ends all work. */
  readonly signal: AbortSignal;
}

export class Lending {
  readonly #parts: LendingParts;

  constructor(parts: LendingParts) {
    this.#parts = parts;
  }

  /**
   * As `submit` of the ledger; `details` say what each use was. What another region lends is asked for once more before it is
   * refused; when that region is not heard, nobody knows what the account has: `ledger_unavailable`.
   */
  async submit(
    tenantId: TenantId,
    request: LedgerRequest,
    details?: ReadonlyMap<string, unknown>,
  ): Promise<LedgerAnswer> {
    const { ledger, signal, remote } = this.#parts;
    const options = details === undefined ? {} : { details };
    const ask = (): Promise<LedgerAnswer> => ledger.submit({ tenantId, signal }, request, options);
    const answer = await ask();
    if (remote === undefined || !remote.isAway(tenantId) || !isLack(answer)) return answer;
    if ((await remote.replenish(tenantId, answer.askedMicros)) === "asked") return ask();
    throw ledgerUnavailable("The region that lends the account's credit is not heard.");
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

  /** The latest epoch that any tenant's ledger knows of workers whose ids begin so; 0 when none does. */
  async latestEpoch(workerPrefix: string, signal: AbortSignal): Promise<number> {
    const row = await this.#parts.store.system(signal, (writer) =>
      writer
        .selectFrom("ledger_worker")
        .select(({ fn }) => fn.max("epoch").as("epoch"))
        .where("id", "like", `${workerPrefix}%`)
        .executeTakeFirst(),
    );
    return Number(row?.epoch ?? 0);
  }

  /** Lost leases whose ids begin so and of which not all was found in a journal yet; the latest, and no more than one reading takes. */
  async unreadLeases(
    prefix: string,
    signal: AbortSignal,
  ): Promise<readonly Pick<OpenReserve, "tenantId" | "id">[]> {
    const rows = await this.#parts.store.system(signal, (writer) =>
      writer
        .selectFrom("ledger_hold")
        .select(["tenant_id", "id"])
        .where("kind", "=", "lease")
        .where("state", "=", "lost")
        .where("id", "like", `${prefix}%`)
        .where(sql<boolean>`(record ->> 'unreadMicros')::bigint > 0`)
        .orderBy("ends_at_ms", "desc")
        .limit(ledgerServiceLimits.openReserveCountMax)
        .execute(),
    );
    return rows.map(({ tenant_id: tenantId, id }) => ({ tenantId, id }));
  }

  /** Open holds and leases by their ids; the one that ends first comes first, and no more than one reading takes. */
  async openReserves(search: ReserveSearch, signal: AbortSignal): Promise<OpenReserves> {
    const { prefix, exceptPrefixes } = search;
    const countMax = ledgerServiceLimits.openReserveCountMax;
    const rows = await this.#parts.store.system(signal, (writer) =>
      writer
        .selectFrom("ledger_open_hold")
        .select(["tenant_id", "kind", "id", "remaining_micros", "ends_at_ms"])
        .where("id", "like", `${prefix}%`)
        .where((where) =>
          where.and(exceptPrefixes.map((except) => where("id", "not like", `${except}%`))),
        )
        .orderBy("ends_at_ms")
        .limit(countMax)
        .execute(),
    );
    const reserves = rows.map((row) => ({
      tenantId: row.tenant_id,
      kind: row.kind,
      id: row.id,
      remainingMicros: BigInt(row.remaining_micros),
      endsAtMs: Number(row.ends_at_ms),
    }));
    return { reserves, isWhole: reserves.length < countMax };
  }
}

function isLack(
  answer: LedgerAnswer,
): answer is Extract<LedgerAnswer, { readonly code: "credit_exhausted" }> {
  return answer.kind === "refused" && answer.code === "credit_exhausted";
}
