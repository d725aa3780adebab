/** Sets, changes and removes a budget. */

import type { LedgerBudget } from "@faultline/protocol";
import { useState } from "react";

import { useKeyNames } from "../api/ledger-queries.ts";
import { useSetBudget } from "../api/ledger-mutations.ts";
import { Button } from "../ui/button.tsx";
import { ErrorState } from "../ui/error-state.tsx";
import { SelectField, TextField } from "../ui/field.tsx";
import { type BudgetDraft, countsAnew, draftOf, requestOf } from "./budget-draft.ts";
import { RemoveBudget } from "./remove-budget.tsx";

interface BudgetFormProps {
  /** The one that is changed; absent for a new one. */
  budget: LedgerBudget | undefined;
  takenIds: readonly string[];
  disabledReason: string | undefined;
  onDone: () => void;
}

export function BudgetForm({ budget, takenIds, disabledReason, onDone }: BudgetFormProps) {
  const [draft, setDraft] = useState(() => draftOf(budget));
  const setBudget = useSetBudget();
  const request = requestOf(draft);
  const isTaken = budget === undefined && takenIds.includes(draft.budgetId.trim());
  const fault = isTaken
    ? "A budget of this name is set already."
    : typeof request === "string" && draft.limit !== ""
      ? request
      : undefined;
  return (
    <form
      aria-label={budget === undefined ? "Set a budget" : "Change the budget"}
      className="flex flex-col gap-4"
      onSubmit={(event) => {
        event.preventDefault();
        if (typeof request === "string" || isTaken || disabledReason !== undefined) return;
        setBudget.mutate(request, { onSuccess: onDone });
      }}
    >
      <div className="grid gap-3 sm:grid-cols-2 lg:grid-cols-4">
        <TextField
          label="Name"
          required
          maxLength={128}
          pattern="[!-~]+"
          title="Letters, digits and signs without spaces"
          autoComplete="off"
          readOnly={budget !== undefined}
          autoFocus={budget === undefined}
          hint={budget === undefined ? "Without spaces, such as team-search." : undefined}
          value={draft.budgetId}
          onChange={(event) => setDraft({ ...draft, budgetId: event.target.value })}
        />
        <TextField
          label={`Limit (${draft.currency})`}
          inputMode="decimal"
          required
          autoComplete="off"
          placeholder="100.00"
          value={draft.limit}
          onChange={(event) => setDraft({ ...draft, limit: event.target.value })}
        />
        <ScopeFields draft={draft} onChange={setDraft} />
        <WindowFields draft={draft} onChange={setDraft} />
        <KindFields draft={draft} onChange={setDraft} />
      </div>
      {budget !== undefined && countsAnew(budget, request) && (
        <p role="status" className="text-xs text-warn">
          With another scope, window or currency the budget starts to count anew.
        </p>
      )}
      {setBudget.error !== null && (
        <div className="-mx-4 -my-2">
          <ErrorState error={setBudget.error} />
        </div>
      )}
      <div className="flex flex-wrap items-start gap-3">
        <Button
          type="submit"
          variant="primary"
          busy={setBudget.isPending}
          busyLabel="Setting…"
          disabledReason={disabledReason ?? fault}
        >
          {budget === undefined ? "Set the budget" : "Change the budget"}
        </Button>
        {budget !== undefined && disabledReason === undefined && (
          <RemoveBudget budgetId={budget.budgetId} onDone={onDone} />
        )}
      </div>
    </form>
  );
}

interface FieldsProps {
  draft: BudgetDraft;
  onChange: (draft: BudgetDraft) => void;
}

function ScopeFields({ draft, onChange }: FieldsProps) {
  const keyNames = useKeyNames();
  return (
    <>
      <SelectField
        label="For"
        value={draft.scopeKind}
        onChange={(event) =>
          // The options are the kinds.
          onChange({
            ...draft,
            scopeKind: event.target.value as BudgetDraft["scopeKind"],
            scopeValue: "",
          })
        }
      >
        <option value="tenant">the whole tenant</option>
        <option value="key">a key</option>
        <option value="user">a user</option>
        <option value="model">a model</option>
        <option value="tag">a tag</option>
      </SelectField>
      {draft.scopeKind !== "tenant" && (
        <>
          <TextField
            label={draft.scopeKind === "key" ? "Id of the key" : `Name of the ${draft.scopeKind}`}
            required
            maxLength={128}
            autoComplete="off"
            list={draft.scopeKind === "key" ? "budget-keys" : undefined}
            value={draft.scopeValue}
            onChange={(event) => onChange({ ...draft, scopeValue: event.target.value })}
          />
          <datalist id="budget-keys">
            {[...keyNames].map(([id, name]) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </datalist>
        </>
      )}
    </>
  );
}

function WindowFields({ draft, onChange }: FieldsProps) {
  return (
    <>
      <SelectField
        label="Counted"
        value={draft.windowKind}
        onChange={(event) =>
          // The options are the kinds.
          onChange({ ...draft, windowKind: event.target.value as BudgetDraft["windowKind"] })
        }
      >
        <option value="day">each day (UTC)</option>
        <option value="month">each month (UTC)</option>
        <option value="rolling">over a rolling time</option>
        <option value="total">in all</option>
      </SelectField>
      {draft.windowKind === "rolling" && (
        <div className="grid grid-cols-2 gap-3">
          <TextField
            label="Length"
            type="number"
            min={1}
            step="any"
            required
            value={draft.rollingCount}
            onChange={(event) => onChange({ ...draft, rollingCount: event.target.value })}
          />
          <SelectField
            label="Unit"
            value={draft.rollingUnit}
            onChange={(event) =>
              // The options are the units.
              onChange({ ...draft, rollingUnit: event.target.value as BudgetDraft["rollingUnit"] })
            }
          >
            <option>hours</option>
            <option>days</option>
          </SelectField>
        </div>
      )}
    </>
  );
}

function KindFields({ draft, onChange }: FieldsProps) {
  return (
    <>
      <SelectField
        label="When it is used up"
        value={draft.kind}
        onChange={(event) =>
          // The options are the kinds.
          onChange({ ...draft, kind: event.target.value as BudgetDraft["kind"] })
        }
      >
        <option value="hard">refuse calls (hard)</option>
        <option value="soft">only tell (soft)</option>
      </SelectField>
      <TextField
        label="Tell at (per cent)"
        autoComplete="off"
        hint="Each is told once in a window."
        value={draft.thresholds}
        onChange={(event) => onChange({ ...draft, thresholds: event.target.value })}
      />
      <SelectField
        label="Currency"
        value={draft.currency}
        onChange={(event) =>
          // The options are the currencies.
          onChange({ ...draft, currency: event.target.value as BudgetDraft["currency"] })
        }
      >
        <option>USD</option>
        <option>credits</option>
      </SelectField>
    </>
  );
}
