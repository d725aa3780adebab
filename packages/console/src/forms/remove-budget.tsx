/** Removes a budget, after asking once more. */

import { useState } from "react";

import { useRemoveBudget } from "../api/ledger-mutations.ts";
import { Button } from "../ui/button.tsx";
import { ErrorState } from "../ui/error-state.tsx";

export function RemoveBudget({ budgetId, onDone }: { budgetId: string; onDone: () => void }) {
  const [isAsked, setAsked] = useState(false);
  const remove = useRemoveBudget();
  if (!isAsked) {
    return (
      <Button variant="quiet" onClick={() => setAsked(true)}>
        Remove it…
      </Button>
    );
  }
  return (
    <div role="group" aria-label="Remove the budget" className="flex flex-col gap-2">
      <div className="flex flex-wrap items-center gap-2">
        <span className="text-sm text-ink-2">What it has counted is forgotten.</span>
        <Button
          autoFocus
          busy={remove.isPending}
          busyLabel="Removing…"
          onClick={() => remove.mutate(budgetId, { onSuccess: onDone })}
        >
          Remove the budget
        </Button>
        <Button variant="quiet" onClick={() => setAsked(false)}>
          Keep it
        </Button>
      </div>
      {remove.error !== null && <ErrorState error={remove.error} />}
    </div>
  );
}
