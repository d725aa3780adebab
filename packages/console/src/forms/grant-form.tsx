/** Grants credit as a lot. */

import { useState } from "react";

import { useGrantCredit } from "../api/ledger-mutations.ts";
import { Amount } from "../ui/amount.tsx";
import { Button } from "../ui/button.tsx";
import { ErrorState } from "../ui/error-state.tsx";
import { SelectField, TextField } from "../ui/field.tsx";
import { Icon } from "../ui/icon.tsx";
import { freshId } from "../util/fresh-id.ts";
import { type Currency, formatMicros, fromDecimalField } from "../util/money.ts";
import { fromLocalField } from "../util/time.ts";

interface Draft {
  /** Sent again after a failure, the same grant takes effect once. */
  id: string;
  amount: string;
  currency: Currency;
  expires: string;
  priority: string;
}

const emptyDraft = (currency: Currency): Draft => ({
  id: freshId("console-grant"),
  amount: "",
  currency,
  expires: "",
  priority: "0",
});

export function GrantForm(props: {
  currencies: readonly Currency[];
  disabledReason: string | undefined;
}) {
  const [draft, setDraft] = useState(() => emptyDraft(props.currencies[0] ?? "USD"));
  const grant = useGrantCredit();
  const micros = fromDecimalField(draft.amount);
  const expiresAt = fromLocalField(draft.expires);
  // Another content is another grant.
  const change = (part: Partial<Draft>): void =>
    setDraft({ ...draft, id: freshId("console-grant"), ...part });
  return (
    <form
      aria-label="Grant credit"
      className="flex flex-col gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        if (micros === undefined || props.disabledReason !== undefined) return;
        const body = {
          id: draft.id,
          currency: draft.currency,
          amountMicros: String(micros),
          priority: Number(draft.priority),
          ...(expiresAt === undefined ? {} : { expiresAt: expiresAt.toISOString() }),
        };
        grant.mutate(body, { onSuccess: () => setDraft(emptyDraft(draft.currency)) });
      }}
    >
      <div className="grid grid-cols-[minmax(0,1fr)_7rem] gap-3">
        <TextField
          label="Amount"
          inputMode="decimal"
          autoComplete="off"
          required
          placeholder="25.00"
          value={draft.amount}
          onChange={(event) => change({ amount: event.target.value })}
        />
        <SelectField
          label="Currency"
          value={draft.currency}
          // The options are currencies.
          onChange={(event) => change({ currency: event.target.value as Currency })}
        >
          {props.currencies.map((currency) => (
            <option key={currency}>{currency}</option>
          ))}
        </SelectField>
        <TextField
          label="Expires (optional, local time)"
          type="datetime-local"
          hint="Empty means never."
          value={draft.expires}
          onChange={(event) => change({ expires: event.target.value })}
        />
        <TextField
          label="Priority"
          type="number"
          step={1}
          min={-1_000_000}
          max={1_000_000}
          required
          hint="Lower is used first."
          value={draft.priority}
          onChange={(event) => change({ priority: event.target.value })}
        />
      </div>
      {draft.amount !== "" && micros === undefined && (
        <p role="alert" className="text-xs text-bad">
          An amount has digits and up to six decimals, such as 25 or 0.000125.
        </p>
      )}
      {grant.error !== null && (
        <div className="-mx-4 -my-2">
          <ErrorState error={grant.error} />
        </div>
      )}
      {grant.data !== undefined && grant.variables !== undefined && (
        <p role="status" className="flex items-center gap-2 text-sm text-good">
          <Icon name="check" className="size-3.5" />
          <span>
            {formatMicros(grant.variables.amountMicros, draft.currency)} granted
            {BigInt(grant.data.coveredMicros) > 0n && (
              <>
                ; <Amount micros={grant.data.coveredMicros} currency={draft.currency} /> of it
                covered debt
              </>
            )}
            .
          </span>
        </p>
      )}
      <div>
        <Button
          type="submit"
          variant="primary"
          busy={grant.isPending}
          busyLabel="Granting…"
          disabledReason={props.disabledReason}
        >
          {micros === undefined || micros === 0n
            ? "Grant credit"
            : `Grant ${formatMicros(micros, draft.currency)}`}
        </Button>
      </div>
    </form>
  );
}
