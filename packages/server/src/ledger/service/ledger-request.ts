/** What a caller asks of the ledger, and what it is answered. */

import { PlatformError } from "@faultline/protocol";

import type { LedgerCommand, LedgerOutcome, Refusal } from "../rules/commands.ts";
import type { WantedRecords } from "../store/load-ledger.ts";
import { isStorable } from "./storable-text.ts";

type WithoutTime<Command> = Command extends unknown ? Omit<Command, "atMs"> : never;

/** A command whose time the service sets. */
export type LedgerRequest = WithoutTime<LedgerCommand>;

/** What the ledger answers to a command: what became of it, or why nothing did. */
export type LedgerAnswer = LedgerOutcome | Refusal;

/** How the answer to a kind of command looks when it took effect. */
export type OutcomeOf<Kind extends LedgerOutcome["kind"]> = Extract<
  LedgerOutcome,
  { readonly kind: Kind }
>;

/** A command on its way. */
export interface PendingCommand {
  readonly request: LedgerRequest;
  /** What its uses were, by their ids. */
  readonly details: ReadonlyMap<string, unknown> | undefined;
  /** In monotonic time. */
  readonly arrivedMs: number;
  attemptCount: number;
  /** A batch with it broke an invariant: it is decided alone, so that others do not fail with it. */
  isSuspect: boolean;
  readonly resolve: (answer: LedgerAnswer) => void;
  readonly reject: (error: unknown) => void;
}

/** Holds and leases that a command names. */
export function namedHolds(request: LedgerRequest): string[] {
  if ("holdId" in request) return [request.holdId];
  return "leaseId" in request ? [request.leaseId] : [];
}

/** Uses that a command charges. */
function namedUses(request: LedgerRequest): string[] {
  if (request.kind === "settle") return [request.charge.usageId];
  if (request.kind === "report-lease") return request.charges.map(({ usageId }) => usageId);
  return [];
}

/** What commands want of long ago. */
export function wantedBy(waiting: readonly PendingCommand[]): WantedRecords {
  const requests = waiting.map(({ request }) => request);
  return {
    commandIds: requests.map(({ id }) => id),
    holdIds: [...new Set(requests.flatMap((request) => namedHolds(request)))],
    usageIds: [...new Set(requests.flatMap((request) => namedUses(request)))],
  };
}

/** Refuses text that cannot be written down: it would fail everybody else's commands in the same transaction. */
export function refuseUnstorableText(value: unknown): void {
  if (typeof value === "string") {
    if (isStorable(value)) return;
    throw new PlatformError("request_invalid", "A text holds a character that cannot be stored.");
  }
  if (typeof value !== "object" || value === null) return;
  for (const name of Object.keys(value)) {
    refuseUnstorableText(name);
    // The name is one of its own.
    refuseUnstorableText(value[name as keyof typeof value]);
  }
}

/** Nothing is known of the command: it may have taken effect or not, and its repetition is safe. */
export function ledgerUnavailable(message: string, cause?: unknown): PlatformError {
  return new PlatformError("ledger_unavailable", message, {
    cause,
    hint: "Send it again with the same id: it takes effect once.",
  });
}
