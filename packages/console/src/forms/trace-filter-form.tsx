/** The filters of the list of traces. What is chosen goes to the URL at once; what is typed goes there when it is done. */

import type { ServiceList } from "@faultline/protocol";
import { useNavigate } from "@tanstack/react-router";

import { Button } from "../ui/button.tsx";
import { SelectField, TextField } from "../ui/field.tsx";
import { paths } from "../util/paths.ts";
import { type TraceFilters, countFilters, readTraceFilters, traceWindows } from "../util/search.ts";
import { fromLocalField, toLocalField } from "../util/time.ts";

type Services = ServiceList["services"];

const windowNames: Readonly<Record<(typeof traceWindows)[number], string>> = {
  "15m": "Last 15 minutes",
  "1h": "Last hour",
  "6h": "Last 6 hours",
  "24h": "Last 24 hours",
  "7d": "Last 7 days",
};

export function TraceFilterForm({
  filters,
  services,
}: {
  filters: TraceFilters;
  services: Services;
}) {
  const navigate = useNavigate();
  const apply = (change: Record<string, unknown>): void => {
    void navigate(paths.traces(readTraceFilters({ ...filters, ...change })));
  };
  return (
    <form
      role="search"
      aria-label="Filter traces"
      className="grid grid-cols-2 items-start gap-3 sm:grid-cols-3 lg:grid-cols-[1.2fr_1.8fr_1.2fr_0.9fr_0.9fr_auto]"
      onSubmit={(event) => {
        event.preventDefault();
        const data = new FormData(event.currentTarget);
        apply({ operation: data.get("operation"), ...duration(data.get("minDurationMs")) });
      }}
    >
      <SelectField
        label="Service"
        value={filters.service ?? ""}
        onChange={(event) => apply({ service: event.target.value, operation: undefined })}
      >
        <option value="">All services</option>
        {serviceNames(services, filters.service).map((name) => (
          <option key={name}>{name}</option>
        ))}
      </SelectField>
      <TextField
        // The field starts anew from what the URL says.
        key={`operation ${filters.operation ?? ""} ${filters.service ?? ""}`}
        label="Operation"
        name="operation"
        placeholder="Any operation"
        list="trace-operations"
        autoComplete="off"
        maxLength={1_024}
        defaultValue={filters.operation ?? ""}
        onBlur={(event) => {
          if (event.target.value !== (filters.operation ?? ""))
            apply({ operation: event.target.value });
        }}
      />
      <datalist id="trace-operations">
        {operationNames(services, filters.service).map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
      <TimeFields filters={filters} apply={apply} />
      <TextField
        key={`duration ${filters.minDurationMs ?? ""}`}
        label="At least (ms)"
        name="minDurationMs"
        type="number"
        min={0}
        step="any"
        inputMode="decimal"
        placeholder="0"
        defaultValue={filters.minDurationMs ?? ""}
        onBlur={(event) => {
          if (event.target.value !== String(filters.minDurationMs ?? ""))
            apply(duration(event.target.value));
        }}
      />
      <SelectField
        label="Status"
        value={filters.status ?? ""}
        onChange={(event) => apply({ status: event.target.value })}
      >
        <option value="">Any</option>
        <option value="ok">ok</option>
        <option value="error">error</option>
      </SelectField>
      <div className="flex items-end gap-2 self-end">
        <Button type="submit" variant="primary">
          Apply
        </Button>
        {countFilters(filters) > 0 && (
          <Button variant="quiet" onClick={() => void navigate(paths.traces())}>
            Clear
          </Button>
        )}
      </div>
    </form>
  );
}

function TimeFields({
  filters,
  apply,
}: {
  filters: TraceFilters;
  apply: (change: Record<string, unknown>) => void;
}) {
  const fixed = filters.from !== undefined || filters.to !== undefined;
  return (
    <>
      <SelectField
        label="Time"
        value={fixed ? "fixed" : (filters.since ?? "")}
        onChange={(event) => {
          const choice = event.target.value;
          if (choice !== "fixed") apply({ since: choice, from: undefined, to: undefined });
          else apply({ since: undefined, ...lastHour() });
        }}
      >
        <option value="">Any time</option>
        {traceWindows.map((window) => (
          <option key={window} value={window}>
            {windowNames[window]}
          </option>
        ))}
        <option value="fixed">Between two times</option>
      </SelectField>
      {fixed && (
        <div className="order-last col-span-full grid gap-3 sm:max-w-xl sm:grid-cols-2">
          {(["from", "to"] as const).map((end) => (
            <TextField
              key={`${end} ${filters[end] ?? ""}`}
              label={end === "from" ? "From (local time)" : "To (local time)"}
              type="datetime-local"
              step={1}
              defaultValue={filters[end] === undefined ? "" : toLocalField(new Date(filters[end]))}
              onBlur={({ target }) => {
                if (target.value === target.defaultValue) return;
                apply({ [end]: fromLocalField(target.value)?.toISOString() });
              }}
            />
          ))}
        </div>
      )}
    </>
  );
}

function lastHour(): { from: string; to: string } {
  const now = new Date();
  return { from: new Date(now.getTime() - 3_600_000).toISOString(), to: now.toISOString() };
}

function duration(text: FormDataEntryValue | null): { minDurationMs: number | undefined } {
  return { minDurationMs: text === null || text === "" ? undefined : Number(text) };
}

/** The known services, and the chosen one even when nothing of it is stored. */
function serviceNames(services: Services, chosen: string | undefined): string[] {
  const names = services.map((service) => service.name);
  return chosen === undefined || names.includes(chosen) ? names : [chosen, ...names];
}

function operationNames(services: Services, chosen: string | undefined): string[] {
  const shown =
    chosen === undefined ? services : services.filter((service) => service.name === chosen);
  return [...new Set(shown.flatMap((service) => service.operations))].slice(0, 200);
}
