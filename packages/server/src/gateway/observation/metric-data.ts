/** Metrics as plain data: what one process counted, so that it can cross to another and be added up there. */

/** An operation that stands for the others of its bucket. */
export interface Exemplar {
  readonly labelSet: { readonly trace_id: string };
  readonly value: number;
  /** Seconds since the Unix epoch. */
  readonly timestamp: number;
}

export interface MetricValue {
  readonly labels: Readonly<Partial<Record<string, string | number>>>;
  readonly value: number;
  /** When it is not that of the metric, as the buckets, sum and count of a histogram are. */
  readonly metricName?: string | undefined;
  readonly exemplar?: Exemplar | undefined;
}

/** A metric in the form that `prom-client` gives its own in. */
export interface MetricData {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram";
  /** How the values of several processes become one. */
  readonly aggregator: "sum" | "min" | "max";
  readonly values: readonly MetricValue[];
}

export const gatewayPrefix = "faultline_gateway_";

/** A counter; its name ends in `_total`. */
export function counter(name: string, help: string, values: readonly MetricValue[]): MetricData {
  return { name: gatewayPrefix + name, help, type: "counter", aggregator: "sum", values };
}

/** A gauge without labels. */
export function gauge(
  name: string,
  help: string,
  shown: { readonly value: number; readonly combine?: MetricData["aggregator"] },
): MetricData {
  const values = [{ labels: {}, value: shown.value }];
  const aggregator = shown.combine ?? "sum";
  return { name: gatewayPrefix + name, help, type: "gauge", aggregator, values };
}
