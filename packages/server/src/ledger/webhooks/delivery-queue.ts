/** The outbox of webhooks in PostgreSQL: what is handed to it, who attempts what, and how that ended. */

import type { Ids } from "#kernel/index.ts";
import type { Store, Writer } from "#storage/index.ts";
import type { TenantId } from "@faultline/protocol";
import { sql } from "kysely";

import { webhookLimits } from "./limits.ts";
import { thresholdEvent } from "./webhook-event.ts";

/** A delivery that this process attempts; `attemptId` is told by nobody else. */
export interface TakenDelivery {
  readonly tenantId: TenantId;
  readonly id: string;
  readonly attemptId: string;
  readonly webhookId: string;
  readonly url: string;
  readonly body: string;
  /** With the attempt that begins. */
  readonly attemptCount: number;
  /** Those that are valid now, the newest first; as they are kept, which may be sealed. */
  readonly secrets: readonly string[];
}

/** How an attempt ended, and what follows. */
export type AttemptEnd =
  | { readonly kind: "delivered"; readonly status: number }
  | {
      readonly kind: "again";
      readonly status: number | null;
      readonly failure: string;
      readonly atMs: number;
    }
  | { readonly kind: "failed"; readonly status: number | null; readonly failure: string }
  /** This process ends: it was no attempt. */
  | { readonly kind: "given-back"; readonly atMs: number };

interface NoticeRow {
  readonly tenant_id: TenantId;
  readonly sequence: string;
  readonly at_ms: string;
  readonly record: {
    readonly budgetId: string;
    readonly percent: number;
    readonly windowStartMs: number;
    readonly usedMicros: string;
  };
  readonly terms: {
    readonly limitMicros: string;
    readonly currency: string;
    readonly isHard: boolean;
  } | null;
}

export class DeliveryQueue {
  readonly #store: Store;
  readonly #ids: Ids;

  constructor({ store, ids }: { readonly store: Store; readonly ids: Ids }) {
    this.#store = store;
    this.#ids = ids;
  }

  /** Makes a delivery of each notice for each webhook that wants it, once. Gives how many notices there were. */
  async handOver(nowMs: number, signal: AbortSignal): Promise<number> {
    return await this.#store.system(signal, async (writer) => {
      const notices = await takeNotices(writer);
      if (notices.length === 0) return 0;
      const tenants = [...new Set(notices.map(({ tenant_id: tenantId }) => tenantId))];
      const webhooks = await writer
        .selectFrom("webhook")
        .select(["tenant_id", "id", "budget_ids"])
        .where("tenant_id", "in", tenants)
        .where("is_enabled", "=", true)
        .execute();
      const now = new Date(nowMs).toISOString();
      const deliveries = notices.flatMap((notice) =>
        webhooks
          .filter(
            ({ tenant_id: tenantId, budget_ids: budgetIds }) =>
              tenantId === notice.tenant_id &&
              (budgetIds === null || budgetIds.includes(notice.record.budgetId)),
          )
          .map((webhook) => this.#deliveryOf(notice, webhook.id, now)),
      );
      if (deliveries.length > 0)
        await writer
          .insertInto("webhook_delivery")
          .values(deliveries)
          .onConflict((conflict) =>
            conflict.columns(["tenant_id", "webhook_id", "notice_sequence"]).doNothing(),
          )
          .execute();
      for (const { tenant_id: tenantId, sequence } of notices)
        await writer
          .updateTable("ledger_notice")
          .set({ delivered_at_ms: String(nowMs) })
          .where("tenant_id", "=", tenantId)
          .where("sequence", "=", sequence)
          .execute();
      return notices.length;
    });
  }

  /** Takes the delivery that is due for longest, save of busy webhooks. Nobody else takes it before `untilMs`. */
  async take(
    { nowMs, untilMs, busy }: { nowMs: number; untilMs: number; busy: readonly string[] },
    signal: AbortSignal,
  ): Promise<TakenDelivery | undefined> {
    const now = new Date(nowMs).toISOString();
    const attemptId = this.#ids.next();
    return await this.#store.system(signal, async (writer) => {
      const due = await writer
        .selectFrom("webhook_delivery")
        .innerJoin("webhook", (join) =>
          join
            .onRef("webhook.tenant_id", "=", "webhook_delivery.tenant_id")
            .onRef("webhook.id", "=", "webhook_delivery.webhook_id"),
        )
        .select([
          "webhook_delivery.tenant_id as tenant_id",
          "webhook_delivery.id as id",
          "webhook_delivery.body as body",
          "webhook_delivery.attempt_count as attempt_count",
          "webhook.id as webhook_id",
          "webhook.url as url",
          "webhook.secret as secret",
          "webhook.previous_secret as previous_secret",
          "webhook.previous_secret_until as previous_secret_until",
        ])
        .where("webhook_delivery.state", "=", "waiting")
        .where("webhook_delivery.next_attempt_at", "<=", sql<Date>`${now}::timestamptz`)
        .where("webhook.is_enabled", "=", true)
        .where(sql<boolean>`webhook.tenant_id || '/' || webhook.id <> all (${busy}::text[])`)
        .orderBy("webhook_delivery.next_attempt_at")
        .limit(1)
        .forUpdate("webhook_delivery")
        .skipLocked()
        .executeTakeFirst();
      if (due === undefined) return undefined;
      const attemptCount = due.attempt_count + 1;
      await writer
        .updateTable("webhook_delivery")
        .set({
          attempt_count: attemptCount,
          attempt_id: attemptId,
          next_attempt_at: new Date(untilMs).toISOString(),
        })
        .where("tenant_id", "=", due.tenant_id)
        .where("id", "=", due.id)
        .execute();
      const { previous_secret: previous, previous_secret_until: until } = due;
      const isGraced = previous !== null && until !== null && until.getTime() > nowMs;
      return {
        tenantId: due.tenant_id,
        id: due.id,
        attemptId,
        webhookId: due.webhook_id,
        url: due.url,
        body: due.body,
        attemptCount,
        secrets: isGraced ? [due.secret, previous] : [due.secret],
      };
    });
  }

  /** Writes down how an attempt ended, unless it was taken for dead and somebody else began another. */
  async end(
    { tenantId, id, attemptId, attemptCount }: TakenDelivery,
    end: AttemptEnd,
    { nowMs, signal }: { readonly nowMs: number; readonly signal: AbortSignal },
  ): Promise<void> {
    const now = new Date(nowMs).toISOString();
    await this.#store.system(signal, (writer) =>
      writer
        .updateTable("webhook_delivery")
        .set({ attempt_id: null, ...changeOf(end, { now, attemptCount }) })
        .where("tenant_id", "=", tenantId)
        .where("id", "=", id)
        .where("attempt_id", "=", attemptId)
        .execute(),
    );
  }

  /** Drops what ended long ago. */
  async dropOld(nowMs: number, signal: AbortSignal): Promise<void> {
    const before = new Date(nowMs - webhookLimits.keptMs).toISOString();
    await this.#store.system(signal, (writer) =>
      sql`delete from webhook_delivery where ctid in (
        select ctid from webhook_delivery
        where state <> 'waiting' and ended_at < ${before}::timestamptz
        limit ${webhookLimits.droppedCountMax})`.execute(writer),
    );
  }

  /** How many wait, of all tenants. */
  async countWaiting(signal: AbortSignal): Promise<number> {
    const { count } = await this.#store.system(signal, (writer) =>
      writer
        .selectFrom("webhook_delivery")
        .select((select) => select.fn.count<string>("id").as("count"))
        .where("state", "=", "waiting")
        .executeTakeFirstOrThrow(),
    );
    return Number(count);
  }

  #deliveryOf({ record, terms, ...notice }: NoticeRow, webhookId: string, now: string) {
    const id = this.#ids.next();
    const { budgetId, percent, windowStartMs, usedMicros } = record;
    const event = thresholdEvent(id, {
      tenantId: notice.tenant_id,
      atMs: Number(notice.at_ms),
      budgetId,
      percent,
      windowStartMs,
      usedMicros,
      terms:
        terms === null
          ? undefined
          : {
              limitMicros: terms.limitMicros,
              currency: terms.currency,
              isHard: terms.isHard,
            },
    });
    return {
      tenant_id: notice.tenant_id,
      id,
      webhook_id: webhookId,
      notice_sequence: notice.sequence,
      body: JSON.stringify(event),
      state: "waiting" as const,
      created_at: now,
      attempt_count: 0,
      next_attempt_at: now,
    };
  }
}

/** Notices that nobody else is handing over at this moment. */
async function takeNotices(writer: Writer): Promise<readonly NoticeRow[]> {
  const { rows } = await sql<NoticeRow>`
    select notice.tenant_id, notice.sequence, notice.at_ms, notice.record, budget.terms
    from ledger_notice notice
    left join ledger_budget budget
      on budget.tenant_id = notice.tenant_id and budget.id = notice.record ->> 'budgetId'
    where notice.delivered_at_ms is null and notice.record ->> 'kind' = 'budget-threshold-passed'
    order by notice.tenant_id, notice.sequence
    limit ${webhookLimits.noticeCountMax}
    for update of notice skip locked`.execute(writer);
  return rows;
}

function changeOf(
  end: AttemptEnd,
  { now, attemptCount }: { readonly now: string; readonly attemptCount: number },
) {
  switch (end.kind) {
    case "delivered":
      return {
        state: "delivered" as const,
        ended_at: now,
        last_status: end.status,
        last_failure: null,
      };
    case "failed":
      return {
        state: "failed" as const,
        ended_at: now,
        last_status: end.status,
        last_failure: end.failure,
      };
    case "again":
      return {
        next_attempt_at: new Date(end.atMs).toISOString(),
        last_status: end.status,
        last_failure: end.failure,
      };
    case "given-back":
      return {
        next_attempt_at: new Date(end.atMs).toISOString(),
        attempt_count: attemptCount - 1,
      };
  }
}
