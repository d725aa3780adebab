/** What a region has written down: grant documents, its escrow, and what its ledger charged. */

import { assert } from "#kernel/index.ts";
import type { Reader, Store, TenantScope, Writer } from "#storage/index.ts";
import { PlatformError, type UseDetails } from "@faultline/protocol";
import { sql } from "kysely";

import type { LeaseCharge } from "../rules/commands.ts";
import { reservedMicros } from "../rules/credit.ts";
import type { AccountId, Attribution, Budget, Currency, Lease } from "../rules/types.ts";
import { readBudgets } from "../store/load-ledger.ts";
import { readRecord, writeRecord } from "../store/micros-text.ts";
import type { Escrow } from "./escrow.ts";
import { hearDocuments } from "./exchange.ts";
import type { DocumentVersion, GrantDocument } from "./grant-document.ts";
import { regionLimits } from "./limits.ts";
import {
  chargeIdOf,
  chargesOfTransfers,
  reportableCount,
  type UsageTransfer,
} from "./transfer-charges.ts";

/** An escrow, and how far the two regions know of one another's documents. */
export interface EscrowRecord {
  readonly escrow: Escrow;
  /** Of this region's documents, up to which revision the home has them. */
  readonly toldRevision: number;
  /** Of the home's documents, up to which revision they are here. */
  readonly heardRevision: number;
}

/** Documents that changed behind a revision, oldest change first. */
export interface ChangedDocuments {
  readonly documents: readonly GrantDocument[];
  /** Of the last of them, or the one that was asked for. */
  readonly revision: number;
}

/** Charges of transfers that follow one another. */
export interface UnreportedCharges {
  readonly charges: readonly LeaseCharge[];
  /** What the uses were, by their ids. */
  readonly details: ReadonlyMap<string, UseDetails>;
  readonly untilSequence: number;
}

/** What another region holds of the tenant's credit. */
export interface LentEscrow {
  readonly region: string;
  readonly currency: Currency;
  readonly heldMicros: bigint;
  readonly chargedMicros: bigint;
}

/** A region is a worker of this name to the ledger of its home. */
const workerPrefix = "region/";

/** Documents whose keys begin so, or that are named. */
export interface WhichDocuments {
  readonly prefix?: string;
  readonly keys?: readonly string[];
}

/** Reads the documents of the reader's tenant, in the order of their keys. */
export async function readDocuments(
  reader: Reader,
  { prefix, keys }: WhichDocuments = {},
): Promise<GrantDocument[]> {
  let query = selectDocuments(reader);
  if (prefix !== undefined) query = query.where("key", "like", `${prefix}%`);
  if (keys !== undefined) query = query.where("key", "in", [...keys]);
  const rows = await query.orderBy("key").execute();
  return rows.map(documentOf);
}

/** The open escrows that other regions have of the reader's ledger. */
export async function readLentEscrows(reader: Reader): Promise<LentEscrow[]> {
  const { rows } = await sql<{ record: unknown }>`
    select record from ledger_open_hold
    where kind = 'lease' and record ->> 'isEscrow' = 'true' order by id`.execute(reader.executor);
  return rows.map(({ record }) => {
    // A lease, as the ledger wrote it.
    const lease = readRecord(record) as Lease;
    const { currency, chargedMicros, workerId } = lease;
    const region = workerId.slice(workerPrefix.length);
    return { region, currency, heldMicros: reservedMicros(lease), chargedMicros };
  });
}

export class RegionStore {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  async documents(scope: TenantScope, which: WhichDocuments = {}): Promise<GrantDocument[]> {
    return this.#store.read(scope, (reader) => readDocuments(reader, which));
  }

  /** The budgets of the tenant's ledger. */
  async budgets(scope: TenantScope): Promise<Budget[]> {
    return this.#store.read(scope, readBudgets);
  }

  async changedDocuments(scope: TenantScope, afterRevision: number): Promise<ChangedDocuments> {
    return this.#store.read(scope, async (reader) => {
      const rows = await selectDocuments(reader)
        .where("revision", ">", String(afterRevision))
        .orderBy("revision")
        .limit(regionLimits.documentsPerMessageMax)
        .execute();
      const revision = Number(rows.at(-1)?.revision ?? afterRevision);
      return { documents: rows.map(documentOf), revision };
    });
  }

  /** How many documents changed behind a revision. */
  async countBehind(scope: TenantScope, revision: number): Promise<number> {
    return this.#store.read(scope, async (reader) => {
      const { count } = await reader
        .selectFrom("region_document")
        .select(({ fn }) => fn.countAll<string>().as("count"))
        .where("revision", ">", String(revision))
        .executeTakeFirstOrThrow();
      return Number(count);
    });
  }

  /** Adds what was heard of documents; gives those that changed, as they are now. Throws `request_invalid` for what is too much. */
  async hear(scope: TenantScope, heard: readonly GrantDocument[]): Promise<GrantDocument[]> {
    if (heard.length === 0) return [];
    return this.#store.transact(scope, async (writer) => {
      await lockDocuments(writer, scope);
      const keys = heard.map(({ key }) => key);
      const rows = await selectDocuments(writer).where("key", "in", keys).execute();
      const known = new Map(rows.map((row) => [row.key, documentOf(row)]));
      const changed = hearDocuments(known, heard);
      refuseTooLarge(changed);
      await putDocuments(writer, scope, changed);
      return changed;
    });
  }

  /** Edits one document: `edit` sees the versions that stand, and gives those that shall. */
  async edit(
    scope: TenantScope,
    key: string,
    edit: (known: readonly DocumentVersion[]) => readonly DocumentVersion[],
  ): Promise<GrantDocument> {
    return this.#store.transact(scope, async (writer) => {
      await lockDocuments(writer, scope);
      const row = await selectDocuments(writer).where("key", "=", key).executeTakeFirst();
      const known = row === undefined ? [] : documentOf(row).versions;
      const versions = edit(known);
      const document = { key, versions };
      if (versions !== known) await putDocuments(writer, scope, [document]);
      return document;
    });
  }

  async readEscrow(scope: TenantScope, opened: Escrow): Promise<EscrowRecord> {
    return this.#store.read(scope, async (reader) => {
      const row = await reader
        .selectFrom("region_escrow")
        .select("record")
        .where("currency", "=", opened.currency)
        .executeTakeFirst();
      if (row === undefined) return { escrow: opened, toldRevision: 0, heardRevision: 0 };
      // Written by `saveEscrow` alone.
      return readRecord(row.record) as EscrowRecord;
    });
  }

  async saveEscrow(scope: TenantScope, record: EscrowRecord): Promise<void> {
    await this.#store.transact(scope, async (writer) => {
      const text = writeRecord(record);
      await writer
        .insertInto("region_escrow")
        .values({ tenant_id: scope.tenantId, currency: record.escrow.currency, record: text })
        .onConflict((conflict) =>
          conflict.columns(["tenant_id", "currency"]).doUpdateSet({ record: text }),
        )
        .execute();
    });
  }

  /** What was charged behind a transfer, up to another one or as far as one report goes. */
  async charges(
    scope: TenantScope,
    range: { readonly region: string; readonly after: number; readonly until?: number },
  ): Promise<UnreportedCharges> {
    const { region, after, until } = range;
    return this.#store.read(scope, async (reader) => {
      const transfers = await readTransfers(reader, after, until);
      const isAll = until !== undefined || transfers.length < regionLimits.readTransferCountMax;
      const count = reportableCount(transfers, isAll);
      const reportable = transfers.slice(0, count);
      if (until !== undefined) return readCharges(reader, reportable, range);
      // Names and tags are of very different lengths: a report that would not fit into a message is halved until it does.
      let useCount: number = regionLimits.reportedUseCountMax;
      for (;;) {
        const taken = takeUses(reportable, region, useCount);
        const charges = await readCharges(reader, taken, range);
        if (useCount === 1 || bytesOf(charges) <= regionLimits.reportBytesMax) return charges;
        useCount = Math.floor(useCount / 2);
      }
    });
  }
}

interface SequencedTransfer extends UsageTransfer {
  readonly sequence: number;
}

/** The transfers of so many uses. Those of one use follow one another, so that none is charged in part. */
function takeUses(
  transfers: readonly SequencedTransfer[],
  region: string,
  useCount: number,
): readonly SequencedTransfer[] {
  const uses = new Set<string>();
  const end = transfers.findIndex(
    (transfer) => uses.add(chargeIdOf(transfer, region)).size > useCount,
  );
  return end === -1 ? transfers : transfers.slice(0, end);
}

async function readCharges(
  reader: Reader,
  taken: readonly SequencedTransfer[],
  { region, after }: { readonly region: string; readonly after: number },
): Promise<UnreportedCharges> {
  const details = await readDetails(reader, taken);
  const attributionOf = ({ usageId = "", holdId = "" }: UsageTransfer): Attribution =>
    attributionIn(details.uses.get(usageId)) ?? details.holds.get(holdId) ?? {};
  const charges = chargesOfTransfers(taken, { region, attributionOf });
  const untilSequence = taken.at(-1)?.sequence ?? after;
  return { charges, details: details.uses, untilSequence };
}

/** The text of a message stands quoted in its body. */
function bytesOf({ charges, details }: UnreportedCharges): number {
  return Buffer.byteLength(JSON.stringify(writeRecord({ charges, details: [...details] })));
}

/** Those alone that charge use: a region's ledger moves much that the home need not hear of. */
async function readTransfers(
  reader: Reader,
  after: number,
  until: number | undefined,
): Promise<SequencedTransfer[]> {
  let query = reader
    .selectFrom("ledger_transfer")
    .select([
      "sequence",
      "command_id",
      "from_account",
      "to_account",
      "amount_micros",
      "usage_id",
      "hold_id",
    ])
    .where("sequence", ">", String(after))
    .where("batch_first", ">=", sql<string>`(select ledger_batch_of(${after + 1}))`)
    .where("to_account", "like", "usage:%")
    .where("from_account", "not like", "usage:%");
  if (until !== undefined) query = query.where("sequence", "<=", String(until));
  const rows = await query
    .orderBy("batch_first")
    .orderBy("sequence")
    .limit(regionLimits.readTransferCountMax)
    .execute();
  return rows.map((row) => ({
    sequence: Number(row.sequence),
    commandId: row.command_id,
    // The ledger writes no other accounts.
    from: row.from_account as AccountId,
    to: row.to_account as AccountId,
    amountMicros: BigInt(row.amount_micros),
    usageId: row.usage_id ?? undefined,
    holdId: row.hold_id ?? undefined,
  }));
}

/** What uses were, and whom holds are for. */
async function readDetails(
  reader: Reader,
  transfers: readonly SequencedTransfer[],
): Promise<{ uses: Map<string, UseDetails>; holds: Map<string, Attribution> }> {
  const usageIds = [...new Set(transfers.flatMap(({ usageId }) => usageId ?? []))];
  const holdIds = [...new Set(transfers.flatMap(({ holdId }) => holdId ?? []))];
  const uses = await sql<{ id: string; details: UseDetails }>`
    select id, details from ledger_use
    where id = any(${usageIds}::text[]) and details is not null`.execute(reader.executor);
  const holds = await sql<{ id: string; attribution: Attribution }>`
    select id, record -> 'attribution' as attribution from ledger_hold
    where id = any(${holdIds}::text[]) and kind = 'hold'`.execute(reader.executor);
  return {
    uses: new Map(uses.rows.map(({ id, details }) => [id, details])),
    holds: new Map(holds.rows.map(({ id, attribution }) => [id, attribution])),
  };
}

/** Whom a use was for, as its worker said it. */
function attributionIn(details: UseDetails | undefined): Attribution | undefined {
  if (details === undefined) return undefined;
  const { keyId, userId, model, tags } = details;
  return {
    ...(keyId === undefined ? {} : { keyId }),
    ...(userId === undefined ? {} : { userId }),
    ...(model === undefined ? {} : { model }),
    ...(tags === undefined ? {} : { tags }),
  };
}

/** Another region may have made more edits of one document than there is room for. */
function refuseTooLarge(documents: readonly GrantDocument[]): void {
  const { versionCountMax, documentBytesMax } = regionLimits;
  for (const { key, versions } of documents) {
    const isTooLarge =
      versions.length > versionCountMax ||
      Buffer.byteLength(writeRecord(versions)) > documentBytesMax;
    if (!isTooLarge) continue;
    throw new PlatformError(
      "request_invalid",
      `Of '${key}' more edits would stand side by side than are kept.`,
      { hint: "`faultline ledger conflicts resolve` decides which of the known ones holds." },
    );
  }
}

type DocumentReader = Pick<Reader, "selectFrom">;

function selectDocuments(reader: DocumentReader) {
  return reader.selectFrom("region_document").select(["key", "revision", "versions"]);
}

function documentOf(row: { readonly key: string; readonly versions: unknown }): GrantDocument {
  const { key } = row;
  // Written by `putDocuments` alone.
  return { key, versions: readRecord(row.versions) as DocumentVersion[] };
}

/** One edit at a time: revisions follow one another, and no edit is made past another. */
async function lockDocuments(writer: Writer, { tenantId }: TenantScope): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`region_document ${tenantId}`}, 0))`.execute(
    writer,
  );
}

async function putDocuments(
  writer: Writer,
  { tenantId }: TenantScope,
  documents: readonly GrantDocument[],
): Promise<void> {
  if (documents.length === 0) return;
  const { last } = await writer
    .selectFrom("region_document")
    .select(({ fn }) => fn.max("revision").as("last"))
    .executeTakeFirstOrThrow();
  let revision = Number(last ?? 0);
  for (const { key, versions } of documents) {
    assert(versions.length <= regionLimits.versionCountMax, "few regions edit one document");
    revision += 1;
    const text = writeRecord(versions);
    const changed = { revision: String(revision), versions: text };
    await writer
      .insertInto("region_document")
      .values({ tenant_id: tenantId, key, ...changed })
      .onConflict((conflict) => conflict.columns(["tenant_id", "key"]).doUpdateSet(changed))
      .execute();
  }
}
