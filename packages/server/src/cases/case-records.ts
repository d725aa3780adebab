/** Cases in PostgreSQL: facts are inserted, the state they lead to is written in the same transaction. */

import type { CaseQuery, CaseSummary, TenantId } from "@faultline/protocol";
import { PlatformError } from "@faultline/protocol";
import { sql } from "kysely";

import { assert } from "#kernel/index.ts";
import type { Reader, Writer } from "#storage/index.ts";

import type { CaseFact, RecordedFact } from "./fact.ts";
import { caseLimits } from "./limits.ts";
import { applyFact, type CaseState, toCaseSummary } from "./state.ts";

type Selects = Pick<Reader, "selectFrom">;

/** A case by its id or by its number, as text. */
export type CaseReference = string;

/** The next case number of the tenant. Openers of one tenant take turns. */
export async function takeNumber(writer: Writer, tenantId: TenantId): Promise<number> {
  const row = await writer
    .insertInto("case_counter")
    .values({ tenant_id: tenantId, last_number: 1 })
    .onConflict((conflict) =>
      conflict
        .column("tenant_id")
        .doUpdateSet({ last_number: sql<number>`case_counter.last_number + 1` }),
    )
    .returning("last_number")
    .executeTakeFirstOrThrow();
  return row.last_number;
}

/** Reads a case, or throws `not_found`. */
export async function readCase(reader: Selects, reference: CaseReference): Promise<CaseState> {
  const row = await selectCase(reader, reference).executeTakeFirst();
  return stateOf(row, reference);
}

/** Reads a case and holds it until the transaction ends, so that steps of one case follow one another. */
export async function lockCase(writer: Writer, reference: CaseReference): Promise<CaseState> {
  const row = await selectCase(writer, reference).forUpdate().executeTakeFirst();
  return stateOf(row, reference);
}

/** All facts of a case, in order. */
export async function readHistory(reader: Selects, caseId: string): Promise<RecordedFact[]> {
  const rows = await reader
    .selectFrom("case_event")
    .select(["sequence", "at", "actor", "fact"])
    .where("case_id", "=", caseId)
    .orderBy("sequence")
    .execute();
  return rows.map((row) => ({
    sequence: row.sequence,
    at: row.at.toISOString(),
    actor: row.actor,
    // Facts are written by `appendFacts` alone, and never changed.
    fact: row.fact as CaseFact,
  }));
}

/** Appends facts to a case, or opens one, and stores the state that they lead to. */
export async function appendFacts(
  writer: Writer,
  tenantId: TenantId,
  step: {
    readonly state: CaseState | undefined;
    readonly facts: readonly CaseFact[];
    readonly at: string;
    readonly actor: string;
  },
): Promise<CaseState> {
  let state = step.state;
  const recorded: RecordedFact[] = [];
  for (const fact of step.facts) {
    const next = { sequence: (state?.sequence ?? 0) + 1, at: step.at, actor: step.actor, fact };
    state = applyFact(state, next);
    recorded.push(next);
  }
  assert(state !== undefined && recorded.length > 0, "a step has at least one fact");
  const values = { status: state.status, sequence: state.sequence, state: toJson(state) };
  if (step.state === undefined) {
    await writer
      .insertInto("case_record")
      .values({
        tenant_id: tenantId,
        id: state.id,
        number: state.number,
        opened_at: state.openedAt,
        ...values,
      })
      .execute();
  } else {
    await writer.updateTable("case_record").set(values).where("id", "=", state.id).execute();
  }
  const { id } = state;
  await writer
    .insertInto("case_event")
    .values(
      recorded.map(({ sequence, at, actor, fact }) => ({
        tenant_id: tenantId,
        case_id: id,
        sequence,
        at,
        actor,
        fact: toJson(fact),
      })),
    )
    .execute();
  return state;
}

/** One page of cases, newest first. */
export async function listCases(
  reader: Selects,
  query: CaseQuery,
): Promise<{ cases: CaseSummary[]; nextCursor?: string }> {
  const limit = Math.min(query.limit ?? caseLimits.pageSizeDefault, caseLimits.pageSizeMax);
  let select = reader
    .selectFrom("case_record")
    // A line of the list needs none of what makes a case large.
    .select(sql<unknown>`state - '{findings,verifications}'::text[]`.as("state"))
    .orderBy("number", "desc")
    .limit(limit + 1);
  if (query.status !== undefined) select = select.where("status", "=", query.status);
  if (query.cursor !== undefined) select = select.where("number", "<", readCursor(query.cursor));
  const rows = await select.execute();
  const cases = rows.slice(0, limit).map((row) => toCaseSummary(row.state as CaseState));
  const last = cases.at(-1);
  return rows.length > limit && last !== undefined
    ? { cases, nextCursor: String(last.number) }
    : { cases };
}

function selectCase(reader: Selects, reference: CaseReference) {
  const select = reader.selectFrom("case_record").select("state");
  return /^[0-9]+$/.test(reference)
    ? select.where("number", "=", Number(reference))
    : select.where("id", "=", reference);
}

function stateOf(row: { state: unknown } | undefined, reference: CaseReference): CaseState {
  if (row === undefined) {
    throw new PlatformError("not_found", `There is no case ${reference}.`, {
      hint: "The list of cases names those that there are.",
    });
  }
  // The column is written by `appendFacts` alone.
  return row.state as CaseState;
}

function readCursor(cursor: string): number {
  if (/^[1-9][0-9]{0,8}$/.test(cursor)) return Number(cursor);
  throw new PlatformError(
    "request_invalid",
    "The cursor should be one that a list of cases gave.",
    {
      where: "/cursor",
      hint: "Leave it out to begin with the newest case.",
    },
  );
}

/** JSON that PostgreSQL takes: its text holds neither NUL nor half a surrogate pair, which spans may quote. */
function toJson(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === "string" ? part.replaceAll("\0", "\uFFFD").toWellFormed() : part,
  );
}
