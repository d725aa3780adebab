/** What was charged to each hold and lease, counted and summed. */

import type { Books } from "./books.ts";

export interface UsesOfReserve {
  readonly count: number;
  readonly amountMicros: bigint;
  /** The newest first. */
  readonly ids: readonly string[];
  /** One of them was the last of its work. */
  readonly hasFinal: boolean;
}

/** Uses that are named in one finding. */
const namedUseCount = 20;

/** By the id of the hold or lease; those that were before the evidence began are counted as they were told. */
export function sumUses({ uses = [], reserves = [] }: Books): ReadonlyMap<string, UsesOfReserve> {
  const listed = Map.groupBy(uses, ({ holdId }) => holdId ?? "");
  return new Map(
    reserves.map(({ id, earlierUses }) => {
      const own = listed.get(id) ?? [];
      const newest = own.toSorted(
        (left, right) => (right.timeMicros ?? 0) - (left.timeMicros ?? 0),
      );
      const amountMicros = own.reduce(
        (sum, use) => sum + BigInt(use.amountMicros),
        BigInt(earlierUses?.amountMicros ?? 0),
      );
      return [
        id,
        {
          count: own.length + (earlierUses?.count ?? 0),
          amountMicros,
          ids: newest.slice(0, namedUseCount).map((use) => use.id),
          hasFinal: own.some((use) => use.isFinal === true),
        },
      ];
    }),
  );
}
