/** The gateway's operations over time: how many, how many failed, how soon the first token came. */

import type { Overview } from "@faultline/protocol";
import type { ReactNode } from "react";

import { Panel } from "../ui/panel.tsx";
import { formatCompact, formatCount, formatDuration, formatShare } from "../util/format.ts";
import { SeriesChart } from "./series-chart.tsx";

export function TrafficCharts({ traffic }: { traffic: Overview["traffic"] }) {
  // A window without operations has nothing to draw, rather than a line of zeros.
  const points = traffic.count === 0 ? [] : traffic.points;
  const moments = points.map((point) => point.at);
  return (
    <div className="grid gap-4 lg:grid-cols-3">
      <Panel title="Traffic" note="model operations">
        <Figure
          value={formatCompact(traffic.count)}
          unit={traffic.count === 1 ? "operation" : "operations"}
        >
          {formatCompact(traffic.inputTokens)} tokens in, {formatCompact(traffic.outputTokens)} out
        </Figure>
        <SeriesChart
          label="Operations over time"
          moments={moments}
          format={formatCount}
          series={[
            {
              name: "operations",
              shape: "bars",
              tone: "accent",
              values: points.map((point) => point.count),
            },
          ]}
        />
      </Panel>
      <Panel title="Errors" note="model operations">
        {traffic.count === 0 ? (
          // A share of nothing is no share: 0 % would read as health.
          <Figure value="–" unit="">
            No operation in this window
          </Figure>
        ) : (
          <Figure value={formatShare(traffic.errorCount, traffic.count)} unit="failed">
            {formatCount(traffic.errorCount)} of {formatCount(traffic.count)}
          </Figure>
        )}
        <SeriesChart
          label="Failed operations over time"
          moments={moments}
          format={formatCount}
          series={[
            {
              name: "errors",
              shape: "bars",
              tone: traffic.errorCount === 0 ? "plain" : "bad",
              values: points.map((point) => point.errorCount),
            },
          ]}
        />
      </Panel>
      <Panel title="Time to first token" note="streams through the gateway">
        <Figure
          value={quantile(traffic.timeToFirstTokenMsP50)}
          unit={traffic.timeToFirstTokenMsP50 === undefined ? "" : "median"}
        >
          {traffic.timeToFirstTokenMsP95 === undefined
            ? "No stream in this window"
            : `95th percentile ${formatDuration(traffic.timeToFirstTokenMsP95)}`}
        </Figure>
        <SeriesChart
          label="Time to first token over time"
          moments={moments}
          format={formatDuration}
          series={[
            {
              name: "p95",
              shape: "area",
              tone: "plain",
              values: points.map((point) => point.timeToFirstTokenMsP95),
            },
            {
              name: "median",
              shape: "area",
              tone: "accent",
              values: points.map((point) => point.timeToFirstTokenMsP50),
            },
          ]}
        />
      </Panel>
    </div>
  );
}

function quantile(value: number | undefined): string {
  return value === undefined ? "–" : formatDuration(value);
}

function Figure({ value, unit, children }: { value: string; unit: string; children: ReactNode }) {
  return (
    <div className="mb-3">
      <p className="text-2xl font-semibold tracking-tight tabular">
        {value} <span className="text-sm font-normal tracking-normal text-ink-2">{unit}</span>
      </p>
      <p className="text-xs text-ink-3 tabular">{children}</p>
    </div>
  );
}
