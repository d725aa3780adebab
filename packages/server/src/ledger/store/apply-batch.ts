/** Writes a batch: one statement in one durable transaction, which PostgreSQL refuses where it would break an invariant. */

import { PlatformError } from "@faultline/protocol";
import { DatabaseError } from "pg";

import type { Store, TenantScope } from "#storage/index.ts";

import type { BatchParameter } from "./batch-parameters.ts";

/** Where a writer stands: the epoch that it claimed, the last transfer that it knows of, and how many batches there were. */
export interface WriterPosition {
  readonly epoch: bigint;
  readonly sequence: bigint;
  readonly batchCount: bigint;
}

/**
 * Why a batch was not written. `unavailable`: the database is away, or it is not known whether the batch was committed.
 * `fenced`: another writer took over. `overtaking`: the batch before it is not written. `reused`: an id was used before,
 * which the writer did not know. `fault`: what was decided breaks an invariant, so we are wrong.
 */
export interface WriteFailure {
  readonly kind: "unavailable" | "fenced" | "overtaking" | "reused" | "fault";
  readonly cause: unknown;
}

/** Resolves after the commit, or with why there was none. */
export async function applyBatch(
  store: Store,
  scope: TenantScope,
  batch: {
    readonly position: WriterPosition;
    readonly latestMs: number;
    readonly parameters: readonly BatchParameter[];
  },
): Promise<WriteFailure | undefined> {
  const { position, latestMs, parameters } = batch;
  const { epoch, sequence, batchCount } = position;
  const place = [epoch, sequence, batchCount, latestMs].map(String);
  try {
    await store.call(scope, { name: "ledger_apply", values: [...place, ...parameters] });
    return undefined;
  } catch (error) {
    return { kind: kindOf(error), cause: error };
  }
}

/** Refusals that say by their code what stood in the way. */
const kinds: ReadonlyMap<string, WriteFailure["kind"]> = new Map([
  ["FL001", "fenced"],
  ["FL002", "overtaking"],
  // A unique violation.
  ["23505", "reused"],
]);

function kindOf(error: unknown): WriteFailure["kind"] {
  if (error instanceof PlatformError || !(error instanceof DatabaseError)) return "unavailable";
  return kinds.get(error.code ?? "") ?? "fault";
}
