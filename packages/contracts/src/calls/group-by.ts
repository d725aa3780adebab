/** Groups things by a name, in the order of the names. */

import { compareText } from "../text/compare-text.ts";

/** The groups of equal name with so many items, sorted by it; the order within a group is kept. None is empty. */
export function groupBy<Item>(
  items: Iterable<Item>,
  nameOf: (item: Item) => string,
  countMin = 1,
): Item[][] {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const name = nameOf(item);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [item]);
    else group.push(item);
  }
  return [...groups]
    .filter(([, group]) => group.length >= countMin)
    .sort(([left], [right]) => compareText(left, right))
    .map(([, group]) => group);
}
