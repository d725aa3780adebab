/** `/ledger/spend`: what was charged, told apart by what it was for. */

import type { SpendGroup, SpendGrouping, SpendSeries } from "@faultline/protocol";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";

import { balanceQuery, spendSeriesQuery, useKeyNames } from "../api/ledger-queries.ts";
import { LedgerFrame } from "../components/ledger-frame.tsx";
import { SpendChart } from "../components/spend-chart.tsx";
import { WindowSegments } from "../components/window-segments.tsx";
import { Amount } from "../ui/amount.tsx";
import { buttonClass } from "../ui/button.tsx";
import { type Column, DataTable } from "../ui/data-table.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { Icon } from "../ui/icon.tsx";
import { Panel } from "../ui/panel.tsx";
import { QueryView } from "../ui/query-view.tsx";
import { Segments, segmentClass } from "../ui/segments.tsx";
import { formatCompact, formatCount, plural } from "../util/format.ts";
import { type SpendSearch, spendGroupings, windowParts } from "../util/ledger-search.ts";
import { shareOf } from "../util/money.ts";
import { downloads, paths } from "../util/paths.ts";
import { groupColor, groupName } from "../util/spend-group.ts";

export function SpendPage({ search }: { search: SpendSearch }) {
  const balance = useQuery(balanceQuery);
  const currencies = (balance.data?.accounts ?? []).map(({ currency }) => currency);
  const by = search.by ?? "model";
  const chosen = {
    currency: search.currency ?? currencies[0] ?? "USD",
    window: search.window ?? "7d",
  };
  const spend = useQuery(spendSeriesQuery(by, chosen.window, chosen.currency));
  const from = new Date(Date.now() - windowParts[chosen.window].durationMs).toISOString();
  return (
    <LedgerFrame
      title="Spend"
      lead="What was charged in a window, and for what."
      actions={
        <>
          <WindowSegments
            search={chosen}
            currencies={currencies}
            linkTo={(change) => paths.spend({ ...search, ...change })}
          />
          <a href={downloads.usage({ from })} download className={buttonClass()}>
            <Icon name="download" className="size-3.5" />
            Uses as CSV
          </a>
        </>
      }
    >
      <Panel
        title={`By ${by}`}
        note={`${chosen.currency}, last ${chosen.window}`}
        actions={<Groupings search={search} by={by} />}
        flush
      >
        <QueryView query={spend} loadingLabel="Loading the spend" skeletonRows={8}>
          {(series) => <SpendPanel series={series} />}
        </QueryView>
      </Panel>
    </LedgerFrame>
  );
}

function Groupings({ search, by }: { search: SpendSearch; by: SpendGrouping }) {
  return (
    <Segments label="Told apart by">
      {spendGroupings.map((grouping) => (
        <Link
          key={grouping}
          {...paths.spend({ ...search, by: grouping })}
          activeProps={{}}
          aria-current={grouping === by ? "page" : undefined}
          className={segmentClass}
        >
          {grouping}
        </Link>
      ))}
    </Segments>
  );
}

function SpendPanel({ series }: { series: SpendSeries }) {
  if (series.useCount === 0) {
    return (
      <EmptyState icon="credit" title="Nothing was charged in this window">
        <p>
          Model calls of a tenant with an account are charged when they end, and so are tools,
          sandboxes and compute. Models whose price is zero are free, and leave nothing here.
        </p>
      </EmptyState>
    );
  }
  return (
    <>
      <div className="border-b border-line p-4">
        <p className="mb-3 text-2xl font-semibold tracking-tight">
          <Amount micros={series.totalMicros} currency={series.currency} />{" "}
          <span className="text-sm font-normal tracking-normal text-ink-2">
            for {plural(series.useCount, "use")}
          </span>
        </p>
        <SpendChart series={series} />
      </div>
      <SpendTable series={series} />
      {series.by === "tag" && (
        <p className="border-t border-line px-4 py-2 text-xs text-ink-3">
          A use with several tags counts in each of them, so that the rows may sum to more than the
          whole.
        </p>
      )}
    </>
  );
}

type Row = SpendGroup & { readonly color: string; readonly label: string };

function SpendTable({ series }: { series: SpendSeries }) {
  const keyNames = useKeyNames();
  const columns: readonly Column<Row>[] = [
    {
      header: `${series.by.slice(0, 1).toUpperCase()}${series.by.slice(1)}`,
      rowHeader: true,
      width: "w-full sm:min-w-48",
      cell: (row) => (
        <span className="inline-flex items-center gap-2 font-medium wrap-anywhere" title={row.name}>
          <span
            aria-hidden="true"
            className="size-2.5 shrink-0 rounded-sm"
            style={{ background: row.color }}
          />
          {row.label}
        </span>
      ),
    },
    {
      header: "Spent",
      numeric: true,
      cell: (row) => (
        <span className="font-medium">
          <Amount micros={row.totalMicros} currency={series.currency} />
        </span>
      ),
    },
    {
      header: "Share",
      numeric: true,
      cell: (row) => `${shareOf(row.totalMicros, series.totalMicros).toFixed(1)} %`,
    },
    { header: "Uses", numeric: true, cell: (row) => formatCount(row.useCount) },
    { header: "Tokens in", numeric: true, cell: (row) => formatCompact(row.inputTokens) },
    { header: "Tokens out", numeric: true, cell: (row) => formatCompact(row.outputTokens) },
  ];
  const rows = series.groups.map((group, index) => ({
    ...group,
    color: groupColor(group, index),
    label: groupName(series.by, group, keyNames),
  }));
  return (
    <DataTable
      caption={`Spend by ${series.by}`}
      columns={columns}
      rows={rows}
      rowKey={(row) => `${row.kind} ${row.name}`}
    />
  );
}
