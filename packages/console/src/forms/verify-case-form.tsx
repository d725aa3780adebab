/** Takes the *after* snapshot and lets the contracts decide. */

import { useState } from "react";

import { useVerifyCase } from "../api/mutations.ts";
import { Button } from "../ui/button.tsx";
import { ErrorState } from "../ui/error-state.tsx";
import { TextField } from "../ui/field.tsx";
import { fromLocalField, toLocalField } from "../util/time.ts";

export function VerifyCaseForm(props: { caseId: string; disabledReason: string | undefined }) {
  const [draft, setDraft] = useState(() => ({
    from: toLocalField(new Date(Date.now() - 5 * 60_000)),
    to: "",
  }));
  const verify = useVerifyCase(props.caseId);
  return (
    <form
      aria-label="Verify the repair"
      className="flex flex-col gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        const from = fromLocalField(draft.from);
        const to = fromLocalField(draft.to);
        if (from === undefined || props.disabledReason !== undefined) return;
        verify.mutate({
          from: from.toISOString(),
          ...(to === undefined ? {} : { to: to.toISOString() }),
        });
      }}
    >
      <p className="text-sm text-ink-2">
        Repair the cause, send the same load again, then take the <em>after</em> snapshot. The case
        is proved only when its contract failed before and holds after, and the control did not
        change.
      </p>
      <div className="grid gap-3 sm:grid-cols-2 xl:grid-cols-1">
        <TextField
          label="Repaired since (local time)"
          hint="No request from before the repair may lie in the window."
          type="datetime-local"
          step={1}
          required
          value={draft.from}
          onChange={(event) => setDraft({ ...draft, from: event.target.value })}
        />
        <TextField
          label="Until (optional)"
          type="datetime-local"
          step={1}
          value={draft.to}
          onChange={(event) => setDraft({ ...draft, to: event.target.value })}
        />
      </div>
      {verify.error !== null && (
        <div className="-mx-4 -my-2">
          <ErrorState error={verify.error} />
        </div>
      )}
      <div>
        <Button
          type="submit"
          variant="primary"
          busy={verify.isPending}
          busyLabel="Comparing before and after…"
          disabledReason={props.disabledReason}
        >
          Verify the repair
        </Button>
      </div>
    </form>
  );
}
