/** Lists that are kept in order. */

/** Puts an item where it belongs. */
export function insertSorted<T>(list: T[], item: T, compare: (left: T, right: T) => number): void {
  list.splice(placeOf(list, item, compare), 0, item);
}

/** Takes an item out; the order must be total, so that there is one place where it can be. */
export function removeSorted<T>(
  list: T[],
  item: T,
  compare: (left: T, right: T) => number,
): boolean {
  const place = placeOf(list, item, compare);
  if (list[place] !== item) return false;
  list.splice(place, 1);
  return true;
}

/** The first place whose item does not come before `item`. */
function placeOf<T>(list: readonly T[], item: T, compare: (left: T, right: T) => number): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    // The middle lies below the length.
    if (compare(list[middle] as T, item) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
