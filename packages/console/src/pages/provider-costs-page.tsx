/** `/ledger/provider-costs`: what providers invoiced, beside what was charged for the same. */

import type { BookedInvoice } from "@faultline/protocol";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";

import { balanceQuery, invoicesQuery } from "../api/ledger-queries.ts";
import { LedgerFrame } from "../components/ledger-frame.tsx";
import { Amount } from "../ui/amount.tsx";
import { CommandLine } from "../ui/command-line.tsx";
import { type Column, DataTable } from "../ui/data-table.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { Figure } from "../ui/figure.tsx";
import { Panel } from "../ui/panel.tsx";
import { QueryView } from "../ui/query-view.tsx";
import { Time } from "../ui/time.tsx";
import { plural } from "../util/format.ts";
import type { Currency } from "../util/money.ts";
import { paths } from "../util/paths.ts";

const currencies: readonly Currency[] = ["USD", "credits"];

export function ProviderCostsPage() {
  const invoices = useQuery(invoicesQuery);
  return (
    <LedgerFrame
      title="Provider costs"
      lead="What providers invoiced, beside what your calls were charged for the same. Entering an invoice moves no credit."
    >
      <QueryView query={invoices} loadingLabel="Loading the invoices" skeletonRows={6}>
        {(data) => (
          <>
            <Totals />
            <Panel title="Invoices" note={plural(data.invoices.length, "line")} flush>
              {data.invoices.length === 0 ? (
                <EmptyState icon="document" title="No invoice was entered yet">
                  <p>
                    Compare a provider's invoice with what was charged; with <code>--book</code> it
                    is entered as cost as well.
                  </p>
                  <CommandLine
                    label="From a terminal"
                    lines={[
                      "npx faultline ledger reconcile --invoice invoice.csv --from 2026-11-01 --until 2026-12-01 --book",
                    ]}
                  />
                </EmptyState>
              ) : (
                <DataTable
                  caption="Invoices"
                  columns={columns}
                  rows={data.invoices}
                  rowKey={(line) => line.commandId}
                />
              )}
            </Panel>
          </>
        )}
      </QueryView>
    </LedgerFrame>
  );
}

/** All that was invoiced and used so far, by currency. */
function Totals() {
  const balance = useQuery(balanceQuery);
  const balances = balance.data?.balances ?? [];
  const sumOf = (start: string, currency: Currency): bigint =>
    balances
      .filter(({ account }) => account.startsWith(start) && account.endsWith(`/${currency}`))
      .reduce((sum, { balanceMicros }) => sum + BigInt(balanceMicros), 0n);
  const shown = currencies.filter((currency) => sumOf("provider-cost/", currency) > 0n);
  return shown.map((currency) => {
    const [costMicros, usedMicros] = [sumOf("provider-cost/", currency), sumOf("usage:", currency)];
    return (
      <dl
        key={currency}
        aria-label={`Totals in ${currency}`}
        className="grid grid-cols-2 gap-x-6 gap-y-4 rounded-xl border border-line bg-surface p-4 shadow-panel sm:grid-cols-3"
      >
        <Figure label="Invoiced so far" note="by all providers">
          <Link
            {...paths.entries({ account: `provider-cost/${currency}` })}
            className="hover:text-accent hover:underline"
          >
            <Amount micros={costMicros} currency={currency} />
          </Link>
        </Figure>
        <Figure label="Charged so far" note="for all use">
          <Amount micros={usedMicros} currency={currency} />
        </Figure>
        <Figure label="Charged less invoiced" note="what is not invoiced yet counts in it">
          <Amount micros={usedMicros - costMicros} currency={currency} />
        </Figure>
      </dl>
    );
  });
}

const columns: readonly Column<BookedInvoice>[] = [
  {
    header: "Provider and model",
    rowHeader: true,
    width: "w-full sm:min-w-44",
    cell: (line) => <span className="font-medium wrap-anywhere">{line.name}</span>,
  },
  {
    header: "For",
    onCard: "broad",
    cell: (line) => (
      <span className="text-xs whitespace-nowrap">
        {dayOf(line.from)} to {dayOf(line.until)}
      </span>
    ),
  },
  {
    header: "Invoiced",
    numeric: true,
    cell: (line) => (
      <span className="font-medium">
        <Amount micros={line.amountMicros} currency={line.currency} />
      </span>
    ),
  },
  {
    header: "Charged",
    numeric: true,
    cell: (line) => <Amount micros={line.chargedMicros} currency={line.currency} />,
  },
  { header: "Difference", numeric: true, cell: (line) => <Difference line={line} /> },
  { header: "Entered", cell: (line) => <Time at={line.bookedAt} /> },
];

/** An invoice is of days, in UTC as providers count them. */
function dayOf(moment: string): string {
  return moment.slice(0, 10);
}

function Difference({ line }: { line: BookedInvoice }) {
  const micros = BigInt(line.amountMicros) - BigInt(line.chargedMicros);
  if (micros === 0n) return <span className="text-ink-3">none</span>;
  return (
    <span className={micros > 0n ? "text-bad" : ""}>
      <Amount micros={micros} currency={line.currency} />
    </span>
  );
}
