/** The webhooks of a tenant and what was delivered to them, for whoever sets them up. */

import type { Clock, Ids, Random } from "#kernel/index.ts";
import type { Reader, Store, TenantScope } from "#storage/index.ts";
import {
  type LedgerDelivery,
  type LedgerDeliveriesQuery,
  type LedgerWebhook,
  PlatformError,
  type WebhookSecret,
} from "@faultline/protocol";
import { sql } from "kysely";

import { webhookLimits } from "./limits.ts";
import { deliveryColumns, showDelivery, showWebhook, webhookColumns } from "./shown-webhook.ts";
import type { SecretBox } from "./secret-box.ts";
import { newWebhookSecret } from "./sign-webhook.ts";
import { testEvent } from "./webhook-event.ts";
import { readWebhookUrl } from "./webhook-url.ts";

export interface WebhooksParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly random: Random;
  readonly secretBox: SecretBox;
  /** By the newest configuration: whether webhooks may reach addresses that are not of the internet. */
  readonly allowsPrivate: () => boolean;
  /** Something is to be delivered now. */
  readonly onDue: () => void;
}

/** Whose webhooks, and who changes them. */
export interface WebhookScope extends TenantScope {
  readonly actor: string;
}

/** What may be set of a webhook; an empty list of budgets means all of them. */
export interface WebhookTerms {
  readonly url: string;
  readonly budgetIds: readonly string[];
  readonly isEnabled: boolean;
}

export class Webhooks {
  readonly #parts: WebhooksParts;

  constructor(parts: WebhooksParts) {
    this.#parts = parts;
  }

  /** By the time at which they were added. */
  async list(scope: TenantScope): Promise<LedgerWebhook[]> {
    return await this.#parts.store.read(scope, async (reader) => {
      const rows = await reader
        .selectFrom("webhook")
        .select([...webhookColumns])
        .orderBy("created_at")
        .orderBy("id")
        .execute();
      const counts = await countDeliveries(reader);
      return rows.map((row) => showWebhook(row, counts.get(row.id)));
    });
  }

  /** Adds one. Its secret is told here and never again. Throws `request_invalid` and `limit_exceeded`. */
  async add(scope: WebhookScope, terms: WebhookTerms): Promise<WebhookSecret> {
    const { store, clock, ids, random, secretBox, allowsPrivate } = this.#parts;
    const url = readWebhookUrl(terms.url, allowsPrivate());
    const id = ids.next();
    const secret = newWebhookSecret(random);
    const sealed = secretBox.seal(secret, { tenantId: scope.tenantId, webhookId: id });
    await store.transact(scope, async (writer) => {
      const turn = `webhook/${scope.tenantId}`;
      await sql`select pg_advisory_xact_lock(hashtextextended(${turn}, 0))`.execute(writer);
      const { count } = await writer
        .selectFrom("webhook")
        .select((select) => select.fn.count<string>("id").as("count"))
        .executeTakeFirstOrThrow();
      if (Number(count) >= webhookLimits.countMax)
        throw new PlatformError(
          "limit_exceeded",
          `The tenant has ${count} webhooks, and no more than ${webhookLimits.countMax} are allowed.`,
          { hint: "Remove one: `faultline ledger webhook remove ID`." },
        );
      await writer
        .insertInto("webhook")
        .values({
          tenant_id: scope.tenantId,
          id,
          url,
          budget_ids: listed(terms.budgetIds),
          is_enabled: terms.isEnabled,
          created_at: new Date(clock.nowMs()).toISOString(),
          actor: scope.actor,
          secret: sealed,
        })
        .execute();
    });
    return { webhook: await this.#shown(scope, id), secret };
  }

  /** Changes what is named. Throws `not_found` and `request_invalid`. */
  async change(
    scope: TenantScope,
    id: string,
    change: Partial<WebhookTerms>,
  ): Promise<LedgerWebhook> {
    const { store, allowsPrivate, onDue } = this.#parts;
    const { url, budgetIds, isEnabled } = change;
    const set = {
      ...(url === undefined ? {} : { url: readWebhookUrl(url, allowsPrivate()) }),
      ...(budgetIds === undefined ? {} : { budget_ids: listed(budgetIds) }),
      ...(isEnabled === undefined ? {} : { is_enabled: isEnabled }),
    };
    if (Object.keys(set).length > 0)
      await store.transact(scope, (writer) =>
        writer.updateTable("webhook").set(set).where("id", "=", id).execute(),
      );
    onDue();
    return await this.#shown(scope, id);
  }

  /** Removes one with all of its deliveries. Throws `not_found`. */
  async remove(scope: TenantScope, id: string): Promise<void> {
    await this.#parts.store.transact(scope, async (writer) => {
      const removed = await writer
        .deleteFrom("webhook")
        .where("id", "=", id)
        .returning("id")
        .execute();
      if (removed.length === 0) throw noWebhook(id);
      await writer.deleteFrom("webhook_delivery").where("webhook_id", "=", id).execute();
    });
  }

  /** Makes another secret; the one before signs beside it until its grace is over. Throws `not_found`. */
  async rotate(scope: TenantScope, id: string, graceMs: number): Promise<WebhookSecret> {
    const { store, clock, random, secretBox } = this.#parts;
    const secret = newWebhookSecret(random);
    const sealed = secretBox.seal(secret, { tenantId: scope.tenantId, webhookId: id });
    const until = graceMs === 0 ? null : new Date(clock.nowMs() + graceMs).toISOString();
    const found = await store.transact(scope, async (writer) => {
      const { rows } = await sql<{ found: boolean }>`
        select webhook_rotate(${id}, ${sealed}, ${until}) as found`.execute(writer);
      return rows[0]?.found === true;
    });
    if (!found) throw noWebhook(id);
    return { webhook: await this.#shown(scope, id), secret };
  }

  /** Puts a test into the outbox. Throws `not_found` and `limit_exceeded`. */
  async test(scope: TenantScope, webhookId: string): Promise<LedgerDelivery> {
    const { store, clock, ids, onDue } = this.#parts;
    const id = ids.next();
    const nowMs = clock.nowMs();
    const now = new Date(nowMs).toISOString();
    const row = await store.transact(scope, async (writer) => {
      const known = await writer
        .selectFrom("webhook")
        .select("id")
        .where("id", "=", webhookId)
        .executeTakeFirst();
      if (known === undefined) throw noWebhook(webhookId);
      const waiting = await writer
        .selectFrom("webhook_delivery")
        .select("id")
        .where("webhook_id", "=", webhookId)
        .where("state", "=", "waiting")
        .where("notice_sequence", "is", null)
        .limit(webhookLimits.waitingTestCountMax)
        .execute();
      if (waiting.length >= webhookLimits.waitingTestCountMax)
        throw new PlatformError("limit_exceeded", `${waiting.length} tests of it wait already.`);
      return await writer
        .insertInto("webhook_delivery")
        .values({
          tenant_id: scope.tenantId,
          id,
          webhook_id: webhookId,
          body: JSON.stringify(testEvent(id, scope.tenantId, nowMs)),
          state: "waiting",
          created_at: now,
          attempt_count: 0,
          next_attempt_at: now,
        })
        .returning([...deliveryColumns])
        .executeTakeFirstOrThrow();
    });
    onDue();
    return showDelivery(row);
  }

  /** Newest first. */
  async deliveries(scope: TenantScope, query: LedgerDeliveriesQuery): Promise<LedgerDelivery[]> {
    const { id, webhookId, state, limit = webhookLimits.deliveryCount } = query;
    return await this.#parts.store.read(scope, async (reader) => {
      let found = reader.selectFrom("webhook_delivery").select([...deliveryColumns]);
      if (id !== undefined) found = found.where("id", "=", id);
      if (webhookId !== undefined) found = found.where("webhook_id", "=", webhookId);
      if (state !== undefined) found = found.where("state", "=", state);
      const rows = await found.orderBy("created_at", "desc").orderBy("id").limit(limit).execute();
      return rows.map((row) => showDelivery(row));
    });
  }

  /** Begins a delivery anew, with all of its attempts; its receivers see the same id. Throws `not_found`. */
  async retry(scope: TenantScope, id: string): Promise<LedgerDelivery> {
    const { store, clock, onDue } = this.#parts;
    const row = await store.transact(scope, (writer) =>
      writer
        .updateTable("webhook_delivery")
        .set({
          state: "waiting",
          attempt_count: 0,
          next_attempt_at: new Date(clock.nowMs()).toISOString(),
          attempt_id: null,
          ended_at: null,
        })
        .where("id", "=", id)
        .returning([...deliveryColumns])
        .executeTakeFirst(),
    );
    if (row === undefined)
      throw new PlatformError(
        "not_found",
        `There is no delivery '${id}', or it is dropped already.`,
      );
    onDue();
    return showDelivery(row);
  }

  async #shown(scope: TenantScope, id: string): Promise<LedgerWebhook> {
    const all = await this.list(scope);
    const webhook = all.find((one) => one.id === id);
    if (webhook === undefined) throw noWebhook(id);
    return webhook;
  }
}

/** As the table has it: where all are meant, no list. */
function listed(budgetIds: readonly string[]): string[] | null {
  return budgetIds.length === 0 ? null : [...budgetIds];
}

function noWebhook(id: string): PlatformError {
  return new PlatformError("not_found", `There is no webhook '${id}'.`, {
    hint: "`faultline ledger webhook list` shows them.",
  });
}

/** By the webhook: how many wait and how many failed. */
async function countDeliveries(
  reader: Pick<Reader, "selectFrom">,
): Promise<Map<string, { readonly waiting: number; readonly failed: number }>> {
  const rows = await reader
    .selectFrom("webhook_delivery")
    .select(["webhook_id", "state"])
    .select((select) => select.fn.count<string>("id").as("count"))
    .where("state", "<>", "delivered")
    .groupBy(["webhook_id", "state"])
    .execute();
  const counts = new Map<string, { waiting: number; failed: number }>();
  for (const { webhook_id: id, state, count } of rows) {
    const known = counts.get(id) ?? { waiting: 0, failed: 0 };
    counts.set(id, known);
    if (state === "waiting") known.waiting = Number(count);
    else known.failed = Number(count);
  }
  return counts;
}
