/** Names of series of metrics. */

import { compareText } from "./compare-text.ts";

/** `name{label="value",…}`, the labels in the order in which they are given. */
export function labelledName({
  name,
  labels,
}: {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}): string {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  return pairs.length === 0 ? name : `${name}{${pairs.join(",")}}`;
}

/** The same with the labels in order, so that a series has one name however its labels are given. */
export function sortedName(name: string, labels: Readonly<Record<string, string>>): string {
  const text = sortedLabels(labels);
  return text === "" ? name : `${name}{${text}}`;
}

/** `label="value",…` in the order of the labels' names. */
export function sortedLabels(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .sort(([left], [right]) => compareText(left, right))
    .map(([label, value]) => `${label}="${value}"`)
    .join(",");
}
