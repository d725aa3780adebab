/** What the names of metrics tell by convention. */

import type { MetricSeries } from "../../model/evidence.ts";

/** A counter is what its name says: a total, or a bucket of a histogram. Of other names nothing is known. */
export function typeOfName(
  name: string,
  labels: Readonly<Record<string, string>>,
): MetricSeries["type"] {
  return name.endsWith("_total") || (name.endsWith("_bucket") && labels["le"] !== undefined)
    ? "counter"
    : "unknown";
}

/** A unit of OpenMetrics in UCUM notation. */
export function unitOf(unit: string): string {
  return units.get(unit) ?? unit;
}

const units: ReadonlyMap<string, string> = new Map([
  ["seconds", "s"],
  ["milliseconds", "ms"],
  ["bytes", "By"],
  ["ratios", "1"],
  ["ratio", "1"],
  ["percent", "%"],
  ["celsius", "Cel"],
  ["meters", "m"],
  ["volts", "V"],
  ["amperes", "A"],
  ["joules", "J"],
  ["grams", "g"],
]);

/** The name of a file without its ending, for series that carry no name. */
export function stemOf(fileName: string): string {
  const stem = fileName.replace(/(?:\.[A-Za-z0-9]{1,8}){1,2}$/, "");
  return stem === "" ? "value" : stem;
}
