/** Reservations in the database: they outlive the process that schedules them. */

import type { Reader, Store, TenantScope } from "#storage/index.ts";
import type { TenantId } from "@faultline/protocol";
import { sql } from "kysely";

import { reservationListCountMax } from "./limits.ts";
import type { KeptRecord, ReservationKeeper, ReservationRecord } from "./reservation-record.ts";

export class ReservationStore implements ReservationKeeper {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Adds a new one; false when there is one of its name. */
  async add(scope: TenantScope, record: ReservationRecord): Promise<boolean> {
    const { id, submittedAtMs } = record.request;
    return this.#store.transact(scope, async (writer) => {
      const added = await writer
        .insertInto("compute_reservation")
        .values({
          tenant_id: scope.tenantId,
          id: localIdOf(id),
          submitted_at: timestampOf(submittedAtMs),
          is_ended: false,
          record: writeRecord(record),
        })
        .onConflict((conflict) => conflict.columns(["tenant_id", "id"]).doNothing())
        .returning("id")
        .executeTakeFirst();
      return added !== undefined;
    });
  }

  async save(records: readonly KeptRecord[], signal: AbortSignal): Promise<void> {
    for (const [tenantId, own] of Map.groupBy(records, ({ request }) => request.tenantId)) {
      const ids = own.map(({ request }) => localIdOf(request.id));
      const closed = own.map(({ isClosed }) => isClosed);
      const texts = own.map((record) => writeRecord(record));
      await this.#store.transact({ tenantId, signal }, async (writer) => {
        await sql`update compute_reservation known set is_ended = given.is_ended, record = given.record::jsonb
          from unnest(${ids}::text[], ${closed}::boolean[], ${texts}::text[]) as given (id, is_ended, record)
          where known.tenant_id = ${tenantId} and known.id = given.id and not known.is_ended`.execute(
          writer,
        );
      });
    }
  }

  async find(scope: TenantScope, localId: string): Promise<ReservationRecord | undefined> {
    return this.#store.read(scope, async (reader) => {
      const row = await selectRecords(reader).where("id", "=", localId).executeTakeFirst();
      return row === undefined ? undefined : readRecord(row.record);
    });
  }

  /** The newest first, and of ended ones only as many as there is place for. */
  async list(scope: TenantScope): Promise<ReservationRecord[]> {
    return this.#store.read(scope, async (reader) => {
      const rows = await selectRecords(reader)
        .orderBy("is_ended")
        .orderBy("submitted_at", "desc")
        .orderBy("id")
        .limit(reservationListCountMax)
        .execute();
      return rows.map(({ record }) => readRecord(record));
    });
  }

  /** Those of all tenants that a process takes up, oldest first. */
  async readOpen(signal: AbortSignal): Promise<ReservationRecord[]> {
    return this.#store.system(signal, async (writer) => {
      const rows = await writer
        .selectFrom("compute_reservation")
        .select("record")
        .where("is_ended", "=", false)
        .orderBy("submitted_at")
        .orderBy("tenant_id")
        .orderBy("id")
        .execute();
      return rows.map(({ record }) => readRecord(record));
    });
  }
}

/** The name of a reservation among those of all tenants. */
export function globalIdOf(tenantId: TenantId, localId: string): string {
  return `${tenantId}/${localId}`;
}

/** Its name in its tenant. */
export function localIdOf(globalId: string): string {
  return globalId.slice(globalId.indexOf("/") + 1);
}

function selectRecords(reader: Reader) {
  return reader.selectFrom("compute_reservation").select("record");
}

function timestampOf(timeMs: number): Date {
  return new Date(timeMs);
}

function writeRecord({ request, stage, placement, worked }: ReservationRecord): string {
  const costMicros = String(request.costMicros);
  return JSON.stringify({ request: { ...request, costMicros }, stage, placement, worked });
}

function readRecord(value: unknown): ReservationRecord {
  // What stands in the column was written by `writeRecord`.
  const record = value as Omit<ReservationRecord, "request"> & {
    readonly request: Omit<ReservationRecord["request"], "costMicros"> & {
      readonly costMicros: string;
    };
  };
  const { request } = record;
  return { ...record, request: { ...request, costMicros: BigInt(request.costMicros) } };
}
