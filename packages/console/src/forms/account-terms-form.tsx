/** The credit line of an account, and whether it is open. */

import type { LedgerAccount } from "@faultline/protocol";
import { useState } from "react";

import { useCloseAccount, useOpenAccount } from "../api/ledger-mutations.ts";
import { Button } from "../ui/button.tsx";
import { ErrorState } from "../ui/error-state.tsx";
import { TextField } from "../ui/field.tsx";
import { fromDecimalField, toDecimalField } from "../util/money.ts";

export function AccountTermsForm(props: {
  account: LedgerAccount;
  disabledReason: string | undefined;
}) {
  const { account, disabledReason } = props;
  const { currency, isOpen } = account;
  const [line, setLine] = useState(() => toDecimalField(account.limitMicros));
  const open = useOpenAccount();
  const close = useCloseAccount();
  const micros = fromDecimalField(line);
  const isChanged = micros !== undefined && micros !== BigInt(account.limitMicros);
  const nothingToDo = isOpen && !isChanged ? "The credit line is this already." : undefined;
  const error = open.error ?? close.error;
  return (
    <form
      aria-label={`Terms of the ${currency} account`}
      className="flex flex-col gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        if (micros === undefined || disabledReason !== undefined) return;
        open.mutate({ currency, limitMicros: String(micros) });
      }}
    >
      <div className="flex flex-wrap items-end gap-3">
        <div className="w-44">
          <TextField
            label={`Credit line (${currency})`}
            inputMode="decimal"
            autoComplete="off"
            required
            value={line}
            onChange={(event) => setLine(event.target.value)}
          />
        </div>
        <Button
          type="submit"
          busy={open.isPending}
          busyLabel="Setting…"
          disabledReason={
            disabledReason ??
            (micros === undefined ? "An amount has up to six decimals." : nothingToDo)
          }
        >
          {isOpen ? "Set the credit line" : "Open the account again"}
        </Button>
        {isOpen && disabledReason === undefined && (
          <Button
            variant="quiet"
            busy={close.isPending}
            busyLabel="Closing…"
            onClick={() => close.mutate({ currency })}
          >
            Close the account
          </Button>
        )}
      </div>
      <p className="text-xs text-ink-3">
        The line is how far the account may be used beyond what it was granted; zero means paid in
        advance. A closed account takes nothing new, and what is held is settled as before.
      </p>
      {error !== null && (
        <div className="-mx-4 -my-2">
          <ErrorState error={error} />
        </div>
      )}
    </form>
  );
}
