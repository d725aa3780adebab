/** The tables of `kubectl top`: what pods, containers and nodes use right now. */

import type { MetricsContent } from "../../model/evidence.ts";

type MetricSeries = MetricsContent["series"][number];

/** Rows of a table; what is printed as unknown is left out, and never taken for zero. */
const rowCountMax = 50_000;

interface Header {
  readonly columns: readonly string[];
}

/** Whether a line is the header of a table of `kubectl top`. */
export function isTopHeader(line: string): boolean {
  return (
    /^\s*(?:NAMESPACE\s+)?(?:POD\s+)?NAME\s+CPU\(cores\)\s/.test(line) &&
    /\sMEMORY\(bytes\)/.test(line)
  );
}

/** The usage in every such table, in cores and bytes. */
export function readTop(lines: readonly string[], namespace: string | undefined): MetricSeries[] {
  const series: MetricSeries[] = [];
  let header: Header | undefined;
  for (const line of lines) {
    if (isTopHeader(line)) {
      header = { columns: line.trim().split(/\s+/) };
      continue;
    }
    const cells = line.trim().split(/\s+/);
    if (header === undefined || cells.length !== header.columns.length) {
      if (line.trim() === "") header = undefined;
      continue;
    }
    series.push(...rowSeries(header, cells, namespace));
    if (series.length >= rowCountMax) break;
  }
  return series;
}

function rowSeries(
  { columns }: Header,
  cells: readonly string[],
  namespace: string | undefined,
): MetricSeries[] {
  const cell = (name: string): string | undefined => cells[columns.indexOf(name)];
  const name = cell("NAME") ?? "";
  const isNode = columns.some((column) => column.startsWith("CPU") && column.includes("%"));
  const pod = cell("POD");
  const of = isNode ? "node" : pod === undefined ? "pod" : "container";
  const labels: Record<string, string> = isNode
    ? { node: name }
    : {
        namespace: cell("NAMESPACE") ?? namespace ?? "default",
        pod: pod ?? name,
        ...(pod === undefined ? {} : { container: name }),
      };
  return [
    ...measured(`${of}.cpu`, labels, { unit: "{core}", value: cores(cell("CPU(cores)")) }),
    ...measured(`${of}.memory`, labels, { unit: "By", value: bytes(cell("MEMORY(bytes)")) }),
  ];
}

function measured(
  name: string,
  labels: Record<string, string>,
  { unit, value }: { readonly unit: string; readonly value: number | undefined },
): MetricSeries[] {
  if (value === undefined) return [];
  return [{ name, labels, unit, type: "gauge", timesMicros: [], values: [value] }];
}

function cores(text: string | undefined): number | undefined {
  const [, digits, suffix] = /^(\d{1,12})(m|n|u)?$/.exec(text ?? "") ?? [];
  if (digits === undefined) return undefined;
  const divisors: Readonly<Record<string, number>> = { m: 1e3, u: 1e6, n: 1e9 };
  return Number(digits) / (divisors[suffix ?? ""] ?? 1);
}

function bytes(text: string | undefined): number | undefined {
  const [, digits, suffix] = /^(\d{1,15})(Ki|Mi|Gi|Ti)?$/.exec(text ?? "") ?? [];
  if (digits === undefined) return undefined;
  const factors: Readonly<Record<string, number>> = {
    Ki: 1_024,
    Mi: 1_048_576,
    Gi: 1_073_741_824,
    Ti: 1_099_511_627_776,
  };
  return Number(digits) * (factors[suffix ?? ""] ?? 1);
}
