/** Names of series of metrics. */

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
