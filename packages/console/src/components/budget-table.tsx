/** Budgets: what they limit, how they stand, and when they will be used up. */

import type { BudgetForecast, LedgerBudget } from "@faultline/protocol";
import { Link } from "@tanstack/react-router";

import { useKeyNames } from "../api/ledger-queries.ts";
import { Amount } from "../ui/amount.tsx";
import { Badge, type Tone } from "../ui/badge.tsx";
import { type Column, DataTable } from "../ui/data-table.tsx";
import type { IconName } from "../ui/icon.tsx";
import { Time } from "../ui/time.tsx";
import { type OutlookTone, outlookText, scopeText, windowText } from "../util/budget-words.ts";
import { percentOf } from "../util/money.ts";
import { paths } from "../util/paths.ts";
import { ShareBar } from "./share-bar.tsx";

type Row = LedgerBudget & { readonly forecast: BudgetForecast | undefined };

export function BudgetTable(props: {
  budgets: readonly LedgerBudget[];
  forecasts: ReadonlyMap<string, BudgetForecast>;
}) {
  const keyNames = useKeyNames();
  const columns: readonly Column<Row>[] = [
    {
      header: "Budget",
      rowHeader: true,
      width: "sm:min-w-44",
      cell: (row) => (
        <>
          <Link
            {...paths.budgets({ edit: row.budgetId })}
            className="font-medium wrap-anywhere text-ink hover:text-accent hover:underline"
          >
            {row.budgetId}
          </Link>
          <span className="block text-xs wrap-anywhere text-ink-3">
            {scopeText(row.scope, keyNames)}, {windowText(row.window)}
          </span>
        </>
      ),
    },
    {
      header: "Kind",
      cell: (row) => (
        <span className="inline-flex flex-col gap-0.5">
          {row.isHard ? "hard" : "soft"}
          {row.thresholdPercents.length > 0 && (
            <span className="text-xs text-ink-3">
              tells at {row.thresholdPercents.map((percent) => `${percent} %`).join(", ")}
            </span>
          )}
        </span>
      ),
    },
    { header: "Used", width: "sm:min-w-48", onCard: "broad", cell: (row) => <Used row={row} /> },
    {
      header: "Left",
      numeric: true,
      cell: (row) => (
        <span className="font-medium">
          <Amount micros={row.leftMicros} currency={row.currency} />
        </span>
      ),
    },
    { header: "Pace", numeric: true, cell: (row) => <Pace row={row} /> },
    {
      header: "Forecast",
      width: "sm:min-w-56",
      onCard: "broad",
      cell: (row) => <Forecast forecast={row.forecast} />,
    },
  ];
  const rows = props.budgets.map((budget) => ({
    ...budget,
    forecast: props.forecasts.get(budget.budgetId),
  }));
  return (
    <DataTable caption="Budgets" columns={columns} rows={rows} rowKey={(row) => row.budgetId} />
  );
}

function Used({ row }: { row: Row }) {
  const percent = percentOf(row.usedMicros, row.limitMicros);
  const open = row.forecast?.openMicros ?? "0";
  return (
    <div className="flex flex-col gap-1">
      <span>
        <Amount micros={row.usedMicros} currency={row.currency} />{" "}
        <span className="text-ink-3">
          of <Amount micros={row.limitMicros} currency={row.currency} /> ({String(percent)} %)
        </span>
      </span>
      <ShareBar
        label={`Used of the budget ${row.budgetId}`}
        part={row.usedMicros}
        whole={row.limitMicros}
        tone={percent >= 100n ? "bad" : percent >= 80n ? "warn" : "accent"}
      />
      {BigInt(open) > 0n && (
        <span className="text-xs text-ink-3">
          <Amount micros={open} currency={row.currency} /> of it held
        </span>
      )}
    </div>
  );
}

function Pace({ row }: { row: Row }) {
  const pace = row.forecast?.pace;
  if (pace === undefined) return <span className="text-ink-3">none</span>;
  return (
    <span className="inline-flex flex-col sm:items-end">
      <span>
        <Amount micros={pace.perDayMicros} currency={row.currency} /> / day
      </span>
      <span className="text-xs text-ink-3">
        since <Time at={pace.from} />
      </span>
    </span>
  );
}

const looks: Readonly<Record<OutlookTone, { readonly tone: Tone; readonly icon: IconName }>> = {
  good: { tone: "good", icon: "check" },
  warn: { tone: "warn", icon: "clock" },
  bad: { tone: "bad", icon: "warning" },
  plain: { tone: "plain", icon: "question" },
};

function Forecast({ forecast }: { forecast: BudgetForecast | undefined }) {
  if (forecast === undefined) return <span className="text-ink-3">…</span>;
  const { outlook, currency } = forecast;
  const { text, tone } = outlookText(outlook, new Date());
  return (
    <div className="flex flex-col items-start gap-1">
      <Badge {...looks[tone]}>{text}</Badge>
      {outlook.kind === "runs-out" && (
        <span className="text-xs text-ink-2">
          <Time at={outlook.at} />
        </span>
      )}
      {outlook.kind === "lasts" && (
        <span className="text-xs text-ink-2">
          <Amount micros={outlook.expectedMicros} currency={currency} />{" "}
          {forecast.windowUntil === undefined ? "expected" : "expected by the end"}
        </span>
      )}
      {outlook.kind !== "used-up" && outlook.kind !== "idle" && (
        <details className="text-xs text-ink-3">
          <summary className="hover:text-ink">How this is found</summary>
          <p className="mt-0.5 max-w-80">{forecast.method}</p>
        </details>
      )}
    </div>
  );
}
