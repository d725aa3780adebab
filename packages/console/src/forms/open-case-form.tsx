/** Opens a case: what is wrong, where, since when, what should be and what is. */

import type { ServiceList } from "@faultline/protocol";
import { useState } from "react";

import { useOpenCase } from "../api/mutations.ts";
import { Button } from "../ui/button.tsx";
import { ErrorState } from "../ui/error-state.tsx";
import { SelectField, TextArea, TextField } from "../ui/field.tsx";
import { fromLocalField, toLocalField } from "../util/time.ts";

interface Draft {
  symptom: string;
  service: string;
  operation: string;
  from: string;
  to: string;
  expected: string;
  actual: string;
}

export function OpenCaseForm(props: {
  services: ServiceList["services"];
  start: { service?: string; operation?: string };
  disabledReason: string | undefined;
  onOpened: (caseNumber: number) => void;
}) {
  const [draft, setDraft] = useState<Draft>(() => ({
    symptom: "",
    service: props.start.service ?? busiestService(props.services),
    operation: props.start.operation ?? "",
    from: toLocalField(new Date(Date.now() - 15 * 60_000)),
    to: "",
    expected: "",
    actual: "",
  }));
  const openCase = useOpenCase();
  const field = (name: keyof Draft) => ({
    name,
    value: draft[name],
    onChange: (event: { target: { value: string } }) =>
      setDraft({ ...draft, [name]: event.target.value }),
  });
  const names = props.services.map((service) => service.name);
  const operations = props.services.find((service) => service.name === draft.service)?.operations;
  return (
    <form
      aria-label="Open a case"
      className="flex flex-col gap-4"
      onSubmit={(event) => {
        event.preventDefault();
        const from = fromLocalField(draft.from);
        if (from === undefined || props.disabledReason !== undefined) return;
        openCase.mutate(toRequest(draft, from), {
          onSuccess: (detail) => props.onOpened(detail.summary.number),
        });
      }}
    >
      <TextField
        label="Symptom"
        hint="One sentence: what a user or a monitor noticed."
        placeholder="The list of orders takes three seconds since this morning"
        required
        maxLength={1_024}
        autoFocus
        {...field("symptom")}
      />
      <div className="grid gap-4 sm:grid-cols-2">
        <SelectField label="Service" required {...field("service")}>
          {(names.includes(draft.service) || draft.service === ""
            ? names
            : [draft.service, ...names]
          ).map((name) => (
            <option key={name}>{name}</option>
          ))}
        </SelectField>
        <TextField
          label="Operation (optional)"
          placeholder="All operations of the service"
          list="case-operations"
          autoComplete="off"
          maxLength={1_024}
          {...field("operation")}
        />
        <datalist id="case-operations">
          {operations?.map((name) => (
            <option key={name} value={name} />
          ))}
        </datalist>
        <TextField
          label="Since (local time)"
          type="datetime-local"
          step={1}
          required
          {...field("from")}
        />
        <TextField
          label="Until (optional)"
          hint="Empty means now."
          type="datetime-local"
          step={1}
          {...field("to")}
        />
        <TextArea label="Expected (optional)" maxLength={2_048} {...field("expected")} />
        <TextArea label="Actual (optional)" maxLength={2_048} {...field("actual")} />
      </div>
      {openCase.error !== null && (
        <div className="-mx-4 -my-2">
          <ErrorState error={openCase.error} />
        </div>
      )}
      <div>
        <Button
          type="submit"
          variant="primary"
          busy={openCase.isPending}
          busyLabel="Freezing the evidence…"
          disabledReason={
            props.disabledReason ??
            (draft.service === "" ? "No service has sent spans yet." : undefined)
          }
        >
          Open the case
        </Button>
      </div>
    </form>
  );
}

/** The service that sent most; the platform's own come after every other. */
function busiestService(services: ServiceList["services"]): string {
  const isOwn = (name: string): boolean => /^faultline(-|$)/.test(name);
  const [busiest] = services.toSorted(
    (one, other) =>
      Number(isOwn(one.name)) - Number(isOwn(other.name)) || other.spanCount - one.spanCount,
  );
  return busiest?.name ?? "";
}

function toRequest(draft: Draft, from: Date) {
  const to = fromLocalField(draft.to);
  return {
    symptom: draft.symptom.trim(),
    subject: {
      kind: "service" as const,
      name: draft.service,
      ...(draft.operation.trim() === "" ? {} : { operation: draft.operation.trim() }),
    },
    from: from.toISOString(),
    ...(to === undefined ? {} : { to: to.toISOString() }),
    ...(draft.expected.trim() === "" ? {} : { expected: draft.expected.trim() }),
    ...(draft.actual.trim() === "" ? {} : { actual: draft.actual.trim() }),
  };
}
