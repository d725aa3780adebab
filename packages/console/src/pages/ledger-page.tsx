/** `/ledger`: what the tenant's accounts hold, and how that came over time. */

import type { BalanceSeries, LedgerBalance } from "@faultline/protocol";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";

import { balanceQuery, balanceSeriesQuery, spendSeriesQuery } from "../api/ledger-queries.ts";
import { AccountFigures } from "../components/account-figures.tsx";
import { LedgerFrame } from "../components/ledger-frame.tsx";
import { MoneyChart } from "../components/money-chart.tsx";
import { NoAccount } from "../components/no-account.tsx";
import { SpendChart } from "../components/spend-chart.tsx";
import { WindowSegments } from "../components/window-segments.tsx";
import { AccountTermsForm } from "../forms/account-terms-form.tsx";
import { useRefusal } from "../api/permission.ts";
import { Icon } from "../ui/icon.tsx";
import { Panel } from "../ui/panel.tsx";
import { QueryView } from "../ui/query-view.tsx";
import type { LedgerSearch } from "../util/ledger-search.ts";
import { paths } from "../util/paths.ts";

export function LedgerPage({ search }: { search: LedgerSearch }) {
  const balance = useQuery(balanceQuery);
  const accounts = balance.data?.accounts ?? [];
  const chosen = {
    currency: search.currency ?? accounts[0]?.currency ?? "USD",
    window: search.window ?? "7d",
  };
  return (
    <LedgerFrame
      title="Credit"
      lead="What may be spent, what is reserved for work under way, and what is owed."
      actions={
        <WindowSegments
          search={chosen}
          currencies={accounts.map(({ currency }) => currency)}
          linkTo={(change) => paths.ledger({ ...search, ...change })}
        />
      }
    >
      <QueryView query={balance} loadingLabel="Loading the balance" skeletonRows={8}>
        {(data) => <Account balance={data} chosen={chosen} />}
      </QueryView>
    </LedgerFrame>
  );
}

function Account({ balance, chosen }: { balance: LedgerBalance; chosen: Required<LedgerSearch> }) {
  const { currency, window } = chosen;
  const series = useQuery(balanceSeriesQuery(window, currency));
  const spend = useQuery(spendSeriesQuery("model", window, currency));
  const refusal = useRefusal("ledger:write");
  const account = balance.accounts.find((one) => one.currency === currency);
  if (account === undefined) return <NoAccount currency={currency} />;
  return (
    <>
      <AccountFigures account={account} balance={balance} />
      <Panel title="Balance over time" note={`${currency}, last ${window}`}>
        <QueryView query={series} loadingLabel="Loading the balances" skeletonRows={6}>
          {(data) => <BalanceChart series={data} />}
        </QueryView>
      </Panel>
      <Panel
        title="Spend by model"
        note={`${currency}, last ${window}`}
        actions={
          <Link
            {...paths.spend(chosen)}
            className="inline-flex items-center gap-1 text-xs font-medium text-accent hover:underline"
          >
            By key, user, tag, bundle
            <Icon name="arrow" className="size-3" />
          </Link>
        }
      >
        <QueryView query={spend} loadingLabel="Loading the spend" skeletonRows={6}>
          {(data) => <SpendChart series={data} />}
        </QueryView>
      </Panel>
      <Panel title="Terms of the account" note={account.isOpen ? "open" : "closed"}>
        <AccountTermsForm
          key={`${currency}${account.limitMicros}`}
          account={account}
          disabledReason={refusal}
        />
      </Panel>
    </>
  );
}

function BalanceChart({ series }: { series: BalanceSeries }) {
  const { points, currency } = series;
  const valuesOf = (name: "creditMicros" | "heldMicros" | "debtMicros"): bigint[] =>
    points.map((point) => BigInt(point[name]));
  const debt = valuesOf("debtMicros");
  return (
    <MoneyChart
      label="Balance over time"
      currency={currency}
      shape="steps"
      moments={points.map(({ at }) => at)}
      series={[
        { name: "credit", color: "var(--series-0)", values: valuesOf("creditMicros") },
        { name: "held", color: "var(--series-2)", values: valuesOf("heldMicros") },
        ...(debt.some((micros) => micros > 0n)
          ? [{ name: "owed", color: "var(--bad)", values: debt }]
          : []),
      ]}
    />
  );
}
