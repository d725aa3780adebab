/** Spend over time, one colour for each group. */

import type { SpendGroup, SpendSeries } from "@faultline/protocol";

import { useKeyNames } from "../api/ledger-queries.ts";
import { groupColor, groupName } from "../util/spend-group.ts";
import { MoneyChart } from "./money-chart.tsx";

export function SpendChart({ series }: { series: SpendSeries }) {
  const keyNames = useKeyNames();
  if (series.useCount === 0) {
    return (
      <p className="grid h-40 place-items-center rounded-lg bg-sunken px-4 text-center text-sm text-ink-3">
        Nothing was charged in this window.
      </p>
    );
  }
  const valuesOf = (group: SpendGroup): bigint[] =>
    group.bucketMicros.map((micros) => BigInt(micros));
  return (
    <MoneyChart
      label={`Spend by ${series.by}`}
      currency={series.currency}
      shape="bars"
      moments={series.buckets}
      series={series.groups.map((group, index) => ({
        name: groupName(series.by, group, keyNames),
        color: groupColor(group, index),
        values: valuesOf(group),
      }))}
    />
  );
}
