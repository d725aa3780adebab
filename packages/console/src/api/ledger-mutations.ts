/** What the forms of the ledger and of compute change, and which answers that makes stale. */

import type { ApiInput } from "@faultline/protocol";
import { type QueryKey, useMutation, useQueryClient } from "@tanstack/react-query";

import { client } from "./client.ts";
import { computeKey, ledgerKey } from "./ledger-queries.ts";
import { untilAnswered } from "./mutations.ts";

type Body<Name extends "grantCredit" | "openLedgerAccount" | "closeLedgerAccount" | "setBudget"> =
  ApiInput<Name>["body"];

export function useGrantCredit() {
  return useChange(ledgerKey, (body: Body<"grantCredit">) =>
    client.grantCredit({ body }, untilAnswered()),
  );
}

export function useOpenAccount() {
  return useChange(ledgerKey, (body: Body<"openLedgerAccount">) =>
    client.openLedgerAccount({ body }, untilAnswered()),
  );
}

export function useCloseAccount() {
  return useChange(ledgerKey, (body: Body<"closeLedgerAccount">) =>
    client.closeLedgerAccount({ body }, untilAnswered()),
  );
}

export function useSetBudget() {
  return useChange(ledgerKey, (body: Body<"setBudget">) =>
    client.setBudget({ body }, untilAnswered()),
  );
}

export function useRemoveBudget() {
  return useChange(ledgerKey, (id: string) =>
    client.removeBudget({ params: { id } }, untilAnswered()),
  );
}

/** Compares; with `apply` it makes the entries that the last comparison proposed. */
export function useReconcile() {
  return useChange(ledgerKey, (apply: boolean) =>
    client.reconcileLedger({ body: { apply } }, untilAnswered()),
  );
}

/** Wants back what a region was lent; for 0 seconds it is lent to again. */
export function useRecallEscrow() {
  return useChange(ledgerKey, (body: ApiInput<"recallEscrow">["body"]) =>
    client.recallEscrow({ body }, untilAnswered()),
  );
}

export function useWithdrawReservation() {
  return useChange(computeKey, (id: string) =>
    client.withdrawReservation({ params: { id } }, untilAnswered()),
  );
}

function useChange<Input, Output>(
  staleKey: QueryKey,
  mutationFn: (input: Input) => Promise<Output>,
) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn,
    onSuccess: () => queries.invalidateQueries({ queryKey: staleKey }),
  });
}
