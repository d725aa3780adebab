/**
 * Journals on disk beside the books. A journal is written before its use is made and told to the ledger after it, so that while
 * a lease is open it may tell of more: the tail that was not reported yet. Anything else is a difference: a use of a lease that
 * has ended and that was never charged, one that was charged with another amount, and one that no journal tells of.
 */

import type { LedgerDifference } from "@faultline/protocol";
import { sql } from "kysely";

import type { Clock } from "#kernel/index.ts";
import type { Reader, Store, TenantScope } from "#storage/index.ts";

import { bookLimits } from "../books/limits.ts";
import type { Currency } from "../rules/types.ts";
import type { LeaseCharge } from "../rules/commands.ts";
import type { LedgerRequest } from "../service/ledger-request.ts";
import type { UsageRecord } from "../worker/journal-charges.ts";
import { unreadUsageId } from "../worker/recover-leases.ts";
import type { DifferenceSource, SourcedDifference } from "./difference-source.ts";
import type { JournalSource } from "./journal-source.ts";
import { reconcileLimits } from "./limits.ts";
import { proposalId } from "./proposal-id.ts";

const { differenceCountMax } = bookLimits;
const { committedMs, lateUseMs } = reconcileLimits;
const kind = "journal-differs";

export interface JournalDifferencesParts {
  readonly store: Store;
  readonly journals: JournalSource;
  readonly clock: Clock;
  /** Default: that of the limits. */
  readonly suspectCountMax?: number;
}

/** Compares what journals tell of uses with what was charged for them. */
export class JournalDifferences implements DifferenceSource {
  readonly #parts: JournalDifferencesParts;

  constructor(parts: JournalDifferencesParts) {
    this.#parts = parts;
  }

  async differences(scope: TenantScope): Promise<readonly SourcedDifference[]> {
    const {
      store,
      journals,
      clock,
      suspectCountMax = reconcileLimits.suspectCountMax,
    } = this.#parts;
    const nowMs = clock.nowMs();
    const tally = new JournalTally(nowMs - committedMs);
    const found: SourcedDifference[] = [];
    const judge = async (reader: Reader): Promise<void> => {
      // Of a kind that is told so often it is said that there may be more.
      const leftCount = differenceCountMax - found.length;
      const suspects = tally.takeSuspects();
      if (leftCount > 0)
        found.push(...(await judgeSuspects(reader, suspects, nowMs)).slice(0, leftCount));
    };
    const reading = journals.read(scope.tenantId, scope.signal);
    for (;;) {
      const next = await reading.next();
      if (next.done === true) {
        const { partialPrefixes } = next.value;
        const { reservePrefix } = journals;
        return store.read(scope, async (reader) => {
          await judge(reader);
          const untold = await untoldUses(reader, tally, { reservePrefix, partialPrefixes });
          return [...found, ...untold];
        });
      }
      const records = next.value;
      const charged = await store.read(scope, (reader) => readUses(reader, records));
      tally.add(records, charged);
      // Many are the tails of leases in use: judged now they make room, where dropped they might hide a difference.
      if (tally.suspectCount >= suspectCountMax) await store.read(scope, judge);
    }
  }
}

/** A use that stands in a journal and not, or with another amount, in the ledger. */
interface Suspect {
  readonly usageId: string;
  readonly charge: LeaseCharge;
  readonly reserveId: string;
  readonly journalMicros: bigint;
  readonly chargedMicros: bigint | undefined;
}

interface ChargedUse {
  readonly holdId: string;
  readonly micros: bigint;
  readonly atMs: number;
}

/** What was found so far of journals that are read in parts. */
class JournalTally {
  /** Charges up to then are committed. */
  readonly beforeMs: number;
  #suspects: Suspect[] = [];
  /** By reserve: the charges up to `beforeMs` that a journal tells of. */
  readonly told = new Map<string, { count: number; micros: bigint }>();

  constructor(beforeMs: number) {
    this.beforeMs = beforeMs;
  }

  add(records: readonly UsageRecord[], charged: ReadonlyMap<string, ChargedUse>): void {
    for (const record of records) {
      const { leaseId: reserveId } = record;
      const charge = record.kind === "settled" ? record.charge : record.bound;
      const { usageId, amountMicros } = charge;
      const use = charged.get(usageId);
      // One of this name that was charged to another reserve stands as it was charged first.
      if (use !== undefined && use.holdId !== reserveId) continue;
      if (record.kind === "admitted") this.#tell(reserveId, use);
      else if (use?.micros !== amountMicros)
        this.#suspects.push({
          usageId,
          charge,
          reserveId,
          journalMicros: amountMicros,
          chargedMicros: use?.micros,
        });
    }
  }

  /** Each use is admitted once, and told of by that. */
  #tell(reserveId: string, use: ChargedUse | undefined): void {
    if (use === undefined || use.micros === 0n || use.atMs > this.beforeMs) return;
    const told = this.told.get(reserveId) ?? { count: 0, micros: 0n };
    told.count += 1;
    told.micros += use.micros;
    this.told.set(reserveId, told);
  }

  get suspectCount(): number {
    return this.#suspects.length;
  }

  /** Gives them away. */
  takeSuspects(): readonly Suspect[] {
    const suspects = this.#suspects;
    this.#suspects = [];
    return suspects;
  }
}

async function readUses(
  reader: Reader,
  records: readonly UsageRecord[],
): Promise<Map<string, ChargedUse>> {
  const ids = records.map((record) =>
    record.kind === "settled" ? record.charge.usageId : record.bound.usageId,
  );
  return usesOf(reader, [...new Set(ids)]);
}

async function usesOf(reader: Reader, ids: readonly string[]): Promise<Map<string, ChargedUse>> {
  const { rows } = await sql<{ id: string; hold_id: string; micros: string; at_ms: string }>`
    select id, hold_id, amount_micros as micros, at_ms from ledger_use
    where id = any(${ids}::text[])`.execute(reader.executor);
  return new Map(
    rows.map(({ id, hold_id: holdId, micros, at_ms: atMs }) => [
      id,
      { holdId, micros: BigInt(micros), atMs: Number(atMs) },
    ]),
  );
}

interface ReserveRow {
  readonly id: string;
  readonly kind: "hold" | "lease";
  readonly state: string;
  readonly ends_at_ms: string;
  readonly currency: Currency;
}

/** Looks at suspects once more, after the journals: what was reported meanwhile, or may still be, is no difference. */
async function judgeSuspects(
  reader: Reader,
  suspects: readonly Suspect[],
  nowMs: number,
): Promise<SourcedDifference[]> {
  if (suspects.length === 0) return [];
  const reserveIds = [...new Set(suspects.map(({ reserveId }) => reserveId))];
  const uses = await usesOf(reader, [
    ...suspects.map(({ usageId }) => usageId),
    ...reserveIds.map(unreadUsageId),
  ]);
  const { rows } = await sql<ReserveRow>`
    select id, kind, state, ends_at_ms, record ->> 'currency' as currency from ledger_hold
    where id = any(${reserveIds}::text[])`.execute(reader.executor);
  const reserves = new Map(rows.map((row) => [row.id, row]));
  const found: SourcedDifference[] = [];
  for (const suspect of suspects) {
    if (found.length >= differenceCountMax) break;
    const reserve = reserves.get(suspect.reserveId);
    // All of a hold counted as spent when its journal could not be read: its use is paid already.
    const charged = uses.get(suspect.usageId) ?? uses.get(unreadUsageId(suspect.reserveId));
    const chargedMicros = charged?.micros;
    if (chargedMicros === suspect.journalMicros) continue;
    if (
      chargedMicros === undefined &&
      (mayBeReported(reserve, nowMs) || suspect.journalMicros === 0n)
    )
      continue;
    found.push(findingOf({ ...suspect, chargedMicros }, reserve));
  }
  return found;
}

/** Of an open lease the tail; of a lost one all counts as spent; to a hold that expired its worker's word may come late. */
function mayBeReported(reserve: ReserveRow | undefined, nowMs: number): boolean {
  if (reserve === undefined) return false;
  const { state, ends_at_ms: endsAtMs } = reserve;
  if (state === "expired") return Number(endsAtMs) > nowMs - lateUseMs;
  return state === "open" || state === "lost";
}

function findingOf(suspect: Suspect, reserve: ReserveRow | undefined): SourcedDifference {
  const { usageId, reserveId, journalMicros, chargedMicros } = suspect;
  const differenceMicros = journalMicros - (chargedMicros ?? 0n);
  const isTaken = differenceMicros > 0n;
  const was = chargedMicros === undefined ? "it was never charged" : `${chargedMicros} was charged`;
  const commandId = proposalId("journal", [usageId, differenceMicros]);
  const isOwed = chargedMicros === undefined && reserve !== undefined;
  return {
    kind,
    subject: usageId,
    expectedMicros: String(journalMicros),
    actualMicros: String(chargedMicros ?? 0n),
    message: `The journal of ${reserveId} says that ${usageId} cost ${journalMicros}; ${was}.`,
    evidence: [reserveId, usageId],
    proposal: {
      commandId,
      currency: reserve?.currency ?? "USD",
      direction: isTaken ? "take" : "give",
      amountMicros: String(isTaken ? differenceMicros : -differenceMicros),
      ...(isOwed ? { holdId: reserveId } : {}),
    },
    ...(isOwed ? { request: chargeRequest(commandId, suspect, reserve) } : {}),
  };
}

/**
 * What was never charged is charged as the use that it was: its worker's word may still come, and a use is charged once, whoever
 * comes first.
 */
function chargeRequest(id: string, { charge }: Suspect, reserve: ReserveRow): LedgerRequest {
  const { usageId, usageKind, amountMicros } = charge;
  return reserve.kind === "lease"
    ? { kind: "report-lease", id, leaseId: reserve.id, charges: [charge] }
    : {
        kind: "settle",
        id,
        holdId: reserve.id,
        charge: { usageId, usageKind, amountMicros },
        isFinal: true,
      };
}

interface LeaseRow {
  readonly id: string;
  readonly count: string;
  readonly micros: string;
}

/** Open leases out of which was charged what no journal tells of. Of one that has ended the journal may be gone. */
async function untoldUses(
  reader: Reader,
  { told, beforeMs }: JournalTally,
  journals: { readonly reservePrefix: string; readonly partialPrefixes: readonly string[] },
): Promise<LedgerDifference[]> {
  const { reservePrefix, partialPrefixes } = journals;
  const { rows } = await sql<LeaseRow>`
    with lease as materialized (
      select id, (record ->> 'lentAtMs')::bigint as lent_at_ms from ledger_open_hold
      where kind = 'lease' and id like ${`${reservePrefix}%`}
    )
    select lease.id, count(use.id) as count, coalesce(sum(use.amount_micros), 0) as micros
    from lease join ledger_use use on use.hold_id = lease.id
    where use.at_ms >= (select min(lent_at_ms) from lease) and use.at_ms <= ${beforeMs} and use.amount_micros > 0
    group by lease.id order by lease.id`.execute(reader.executor);
  return rows
    .filter(({ id, count }) => {
      const isWhole = !partialPrefixes.some((prefix) => id.startsWith(prefix));
      return isWhole && BigInt(count) > BigInt(told.get(id)?.count ?? 0);
    })
    .slice(0, differenceCountMax)
    .map(({ id, count, micros }) => {
      const known = told.get(id) ?? { count: 0, micros: 0n };
      return {
        kind,
        subject: id,
        expectedMicros: String(known.micros),
        actualMicros: micros,
        message: `Out of the lease ${id} ${count} uses of ${micros} were charged; its journal tells of ${known.count} of them, of ${known.micros}.`,
        evidence: [id],
      };
    });
}
