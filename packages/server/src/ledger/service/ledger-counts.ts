/** What the ledger did since it was opened, for metrics. */

import type { WriteFailure } from "../store/apply-batch.ts";
import type { LedgerAnswer, LedgerRequest } from "./ledger-request.ts";

/** `ok`, `repeated`, the code of a refusal, or `unknown` where the caller was told that it is not known. */
export type CommandOutcome = string;

export class LedgerCounts {
  /** By the kind of command and its outcome. */
  readonly commands = new Map<LedgerRequest["kind"], Map<CommandOutcome, number>>();
  /** Batches by how their writing ended. */
  readonly batches = new Map<"written" | WriteFailure["kind"], number>();
  writeMsSum = 0;
  loadCount = 0;

  /** Counts a command that was answered. */
  answered(kind: LedgerRequest["kind"], answer: LedgerAnswer, isRepeated: boolean): void {
    const outcome = answer.kind === "refused" ? answer.code : isRepeated ? "repeated" : "ok";
    this.#count(kind, outcome);
  }

  /** Counts a command of which nothing is known. */
  unknown(kind: LedgerRequest["kind"]): void {
    this.#count(kind, "unknown");
  }

  /** Counts a batch and what it took. */
  wrote(outcome: "written" | WriteFailure["kind"], durationMs: number): void {
    this.batches.set(outcome, (this.batches.get(outcome) ?? 0) + 1);
    this.writeMsSum += durationMs;
  }

  #count(kind: LedgerRequest["kind"], outcome: CommandOutcome): void {
    let outcomes = this.commands.get(kind);
    if (outcomes === undefined) {
      outcomes = new Map();
      this.commands.set(kind, outcomes);
    }
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }
}
