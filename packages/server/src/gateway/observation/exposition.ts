/** The text that scrapers read: Prometheus' own format, or OpenMetrics, which has exemplars. */

import type { MetricValue } from "./metric-data.ts";

/** What is shown of a metric; those that `prom-client` gives as JSON fit. */
export interface ShownMetric {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly values: readonly MetricValue[];
}

export type ExpositionFormat = "prometheus" | "openmetrics";

/** The media type of each format. */
export const expositionTypes: Readonly<Record<ExpositionFormat, string>> = {
  prometheus: "text/plain; version=0.0.4; charset=utf-8",
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
};

/** OpenMetrics for scrapers that say they read it, else the format that all read. */
export function expositionFormat(accept: string | undefined): ExpositionFormat {
  return accept?.toLowerCase().includes("application/openmetrics-text") === true
    ? "openmetrics"
    : "prometheus";
}

/** Writes metrics down; each name must occur once. */
export function writeExposition(metrics: readonly ShownMetric[], format: ExpositionFormat): string {
  const lines = metrics.flatMap((metric) => metricLines(metric, format));
  if (format === "openmetrics") lines.push("# EOF");
  return `${lines.join("\n")}\n`;
}

function metricLines(metric: ShownMetric, format: ExpositionFormat): string[] {
  const isOpen = format === "openmetrics";
  // In OpenMetrics a counter is named without the ending that its samples have.
  const isCounter = isOpen && metric.type === "counter";
  const family = isCounter ? metric.name.replace(/_total$/, "") : metric.name;
  const samples = metric.values.map((value) => {
    const name = isCounter ? `${family}_total` : (value.metricName ?? metric.name);
    const exemplar = isOpen && value.exemplar !== undefined ? exemplarText(value.exemplar) : "";
    return `${name}${labelsText(value.labels)} ${numberText(value.value)}${exemplar}`;
  });
  const help = escape(metric.help, isOpen);
  return [`# HELP ${family} ${help}`, `# TYPE ${family} ${metric.type}`, ...samples];
}

function exemplarText({
  labelSet,
  value,
  timestamp,
}: NonNullable<MetricValue["exemplar"]>): string {
  return ` # ${labelsText(labelSet)} ${numberText(value)} ${timestamp.toFixed(3)}`;
}

function labelsText(labels: MetricValue["labels"]): string {
  const parts = Object.entries(labels).map(
    ([name, value]) => `${name}="${escape(String(value), true)}"`,
  );
  return parts.length === 0 ? "" : `{${parts.join(",")}}`;
}

function numberText(value: number): string {
  if (Number.isFinite(value)) return String(value);
  if (Number.isNaN(value)) return "NaN";
  return value > 0 ? "+Inf" : "-Inf";
}

function escape(text: string, escapesQuotes: boolean): string {
  const escaped = text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
  return escapesQuotes ? escaped.replaceAll('"', '\\"') : escaped;
}
