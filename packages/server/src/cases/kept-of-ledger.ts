/**
 * What no repair of a ledger may change. A repair makes entries; it never edits what was entered, widens what was allowed, or lets
 * anything disappear. Budgets, prices and the policy of a tenant stand in no export, and no contract decides by them; what a use
 * cost, and by which version of the prices, is part of the use. Pure.
 */

import {
  type BookedEntry,
  type BookedLimit,
  type BookedReserve,
  canonicalJson,
  type LedgerContent,
} from "@faultline/contracts";

/** Something that stays as it was. */
export interface KeptPart {
  readonly name: string;
  /** Of how many things of an export; told beside what is expected. */
  readonly countIn?: (earlier: LedgerContent) => number;
  readonly expected: string;
  /** What is gone or changed. */
  readonly changed: (earlier: LedgerContent, later: LedgerContent) => readonly string[];
}

/** All that a repair keeps. */
export const keptParts: readonly KeptPart[] = [
  {
    name: "accounts",
    countIn: ({ accounts = [] }) => accounts.length,
    expected: "accounts",
    changed: (earlier, later) => missingIds(earlier.accounts, later.accounts),
  },
  {
    name: "openings",
    expected: "the sums of the entries before the window, as they were",
    changed: changedOpenings,
  },
  {
    name: "credit lines",
    expected: "the credit lines, as they were set",
    changed: changedLimits,
  },
  {
    name: "entries",
    countIn: ({ entries = [] }) => entries.length,
    expected: "entries, as they were",
    changed: (earlier, later) => changedItems(earlier.entries, later.entries, sequenceOf),
  },
  {
    name: "order of entries",
    expected: "no entry that was put in before the last one",
    changed: insertedEntries,
  },
  {
    name: "dates",
    expected: "no entry and no use that is dated before the last entry that was there",
    changed: backdatedItems,
  },
  {
    name: "uses",
    countIn: ({ uses = [] }) => uses.length,
    expected: "uses, with their amounts and prices, as they were",
    changed: (earlier, later) => changedItems(earlier.uses, later.uses, ({ id }) => id),
  },
  {
    name: "reserves",
    countIn: (earlier) => lastingReserves(earlier).length,
    expected: "holds and leases",
    changed: (earlier, later) => missingIds(lastingReserves(earlier), later.reserves),
  },
  {
    name: "terms of reserves",
    expected: "holds and leases of the same kind and currency, and none that had ended open again",
    changed: changedReserves,
  },
  {
    name: "journals",
    expected: "a use for each that the journal of a lease tells of since",
    changed: toldWithoutUse,
  },
  {
    name: "new reserves",
    expected: "no hold or lease under the name of one that was missing",
    changed: inventedReserves,
  },
  {
    name: "lost leases",
    expected: "an entry for all that no longer counts as unread, of as much",
    changed: unreadWithoutEntry,
  },
  {
    name: "completions",
    expected: "a use for each hold that was completed since",
    changed: completedWithoutUse,
  },
  {
    name: "invoices",
    countIn: ({ invoice = [] }) => invoice.length,
    expected: "lines of invoices, as they were",
    changed: ({ invoice: earlier = [] }, { invoice: later = [] }) =>
      differingNames(earlier, later, ({ provider, model }) => `${provider}/${model}`),
  },
];

type Named = { readonly id: string };

function missingIds(
  earlier: readonly Named[] = [],
  later: readonly Named[] = [],
): readonly string[] {
  const known = new Set(later.map(({ id }) => id));
  return earlier.map(({ id }) => id).filter((id) => !known.has(id));
}

function sequenceOf({ sequence, commandId }: BookedEntry): string {
  return sequence === undefined ? `of ${commandId ?? "nobody"}` : String(sequence);
}

/** Those that are not there any more, or not as often, or say something else. */
function changedItems<Item>(
  earlier: readonly Item[] = [],
  later: readonly Item[] = [],
  nameOf: (item: Item) => string,
): readonly string[] {
  const counts = new Map<string, number>();
  for (const item of later) {
    const text = canonicalJson(item);
    counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  const gone = earlier.filter((item) => {
    const text = canonicalJson(item);
    const count = counts.get(text) ?? 0;
    counts.set(text, count - 1);
    return count <= 0;
  });
  return gone.map(nameOf);
}

/** Those of one side that the other has fewer of. */
function differingNames<Item>(
  earlier: readonly Item[],
  later: readonly Item[],
  nameOf: (item: Item) => string,
): readonly string[] {
  const counts = new Map<string, number>();
  const count = (item: Item, change: number): void => {
    const text = canonicalJson(item);
    counts.set(text, (counts.get(text) ?? 0) + change);
  };
  for (const item of earlier) count(item, 1);
  for (const item of later) count(item, -1);
  const differing = [...earlier, ...later].filter((item) => counts.get(canonicalJson(item)) !== 0);
  return [...new Set(differing.map(nameOf))];
}

/** What was before the window is told by sums alone, which nothing that is entered later changes. */
function changedOpenings(earlier: LedgerContent, later: LedgerContent): readonly string[] {
  const [before, after] = [openingsOf(earlier), openingsOf(later)];
  return [...new Set([...before.keys(), ...after.keys()])].filter(
    (id) => (before.get(id) ?? "0") !== (after.get(id) ?? "0"),
  );
}

function openingsOf({ accounts = [] }: LedgerContent): ReadonlyMap<string, string> {
  return new Map(accounts.map(({ id, openingMicros = "0" }) => [id, openingMicros]));
}

/**
 * A wider line would let what was overspent pass for allowed, then or now. What the line was at each entry stays, and it stands
 * as it stood; of what was set since, too, nothing is wider.
 */
function changedLimits(earlier: LedgerContent, later: LedgerContent): readonly string[] {
  const [before, after] = [earlier.limits ?? [], later.limits ?? []];
  const lastSequence = lastSequenceOf(earlier);
  const currencies = new Set([...before, ...after].map(({ currency }) => currency));
  return [...currencies].filter((currency) => {
    const [own, theirs] = [before, after].map((limits) =>
      limits.filter((limit) => limit.currency === currency),
    );
    if (own === undefined || theirs === undefined) return true;
    const steps = [...own, ...theirs].map(({ fromSequence }) => fromSequence);
    const past = steps.filter((sequence) => sequence <= lastSequence);
    if (past.some((sequence) => lineAt(own, sequence) !== lineAt(theirs, sequence))) return true;
    const standing = lineAt(own, Number.MAX_SAFE_INTEGER);
    if (lineAt(theirs, Number.MAX_SAFE_INTEGER) !== standing) return true;
    // An export tells a line that no command set from its own last entry on; until there the one before it stands.
    const known = new Set([standing, lineAt(own, lastSequence)]);
    return steps.some((sequence) => !known.has(lineAt(theirs, Math.max(sequence, lastSequence))));
  });
}

/** Of several lines from one entry on the widest counts. */
function lineAt(limits: readonly BookedLimit[], sequence: number): bigint | undefined {
  let [from, line]: [number, bigint | undefined] = [-1, undefined];
  for (const { fromSequence, limitMicros } of limits) {
    if (fromSequence > sequence || fromSequence < from) continue;
    const micros = BigInt(limitMicros);
    if (fromSequence > from || line === undefined || micros > line) line = micros;
    from = fromSequence;
  }
  return line;
}

function lastSequenceOf({ entries = [] }: LedgerContent): number {
  return entries.reduce((last, { sequence = 0 }) => Math.max(last, sequence), 0);
}

/** Entries come after those that were there; each place in the order is taken once. */
function insertedEntries(earlier: LedgerContent, later: LedgerContent): readonly string[] {
  const lastSequence = lastSequenceOf(earlier);
  const known = new Set(earlier.entries?.map((entry) => canonicalJson(entry)));
  const taken = new Set<number>();
  return (later.entries ?? [])
    .filter((entry) => {
      const { sequence } = entry;
      if (sequence === undefined || taken.has(sequence)) return true;
      taken.add(sequence);
      return sequence <= lastSequence && !known.has(canonicalJson(entry));
    })
    .map(sequenceOf);
}

/**
 * A ledger dates what it enters in its order, whatever clocks say. An earlier date would put something into a time that an invoice
 * is for. A use that was lost may come back with the date of the entry that charged it.
 */
function backdatedItems(earlier: LedgerContent, later: LedgerContent): readonly string[] {
  const { entries = [], uses = [] } = earlier;
  const lastMicros = entries.reduce((last, { timeMicros = 0 }) => Math.max(last, timeMicros), 0);
  const isEarly = ({ timeMicros = 0 }: { readonly timeMicros?: number }): boolean =>
    timeMicros < lastMicros;
  const charged = new Map(entries.map(({ usageId, timeMicros }) => [usageId, timeMicros]));
  const known = new Set(uses.map(({ id }) => id));
  const freshUses = (later.uses ?? []).filter(
    ({ id, timeMicros }) => !known.has(id) && (!charged.has(id) || charged.get(id) !== timeMicros),
  );
  return [
    ...entriesSince(earlier, later).filter(isEarly).map(sequenceOf),
    ...freshUses.filter(isEarly).map(({ id }) => id),
  ];
}

/** A hold or a lease that an export tells of for a lasting reason is told of in each later one: it ends by an entry. */
function lastingReserves({
  reserves = [],
  entries = [],
  uses = [],
}: LedgerContent): BookedReserve[] {
  const named = new Set([...entries, ...uses].map(({ holdId }) => holdId));
  return reserves.filter(
    ({ id, state, remainingMicros }) =>
      state === "lost" || remainingMicros !== "0" || named.has(id),
  );
}

/** Pairs of those that are there before and after. */
function pairsOf(
  earlier: LedgerContent,
  later: LedgerContent,
): readonly (readonly [BookedReserve, BookedReserve])[] {
  const after = new Map(later.reserves?.map((reserve) => [reserve.id, reserve]));
  return (earlier.reserves ?? []).flatMap((before) => {
    const found = after.get(before.id);
    return found === undefined ? [] : [[before, found] as const];
  });
}

function changedReserves(earlier: LedgerContent, later: LedgerContent): readonly string[] {
  return pairsOf(earlier, later)
    .filter(([before, after]) => {
      const hasEnded = before.state !== "open";
      return (
        before.kind !== after.kind ||
        before.currency !== after.currency ||
        (before.openingMicros ?? "0") !== (after.openingMicros ?? "0") ||
        canonicalJson(before.earlierUses ?? null) !== canonicalJson(after.earlierUses ?? null) ||
        (hasEnded && before.state !== after.state) ||
        // A hold may be renewed, and never ends earlier for that.
        (before.kind === "hold" && (before.endsMicros ?? 0) > (after.endsMicros ?? 0)) ||
        (before.isCompleted === true && after.isCompleted !== true) ||
        // What a worker told it has told.
        (before.journal?.count ?? 0) > (after.journal?.count ?? 0) ||
        BigInt(before.journal?.amountMicros ?? 0) > BigInt(after.journal?.amountMicros ?? 0)
      );
    })
    .map(([{ id }]) => id);
}

/** Whatever a worker tells of is charged by the same command. */
function toldWithoutUse(earlier: LedgerContent, later: LedgerContent): readonly string[] {
  const known = new Set(earlier.uses?.map(({ id }) => id));
  const fresh = Map.groupBy(
    (later.uses ?? []).filter(({ id }) => !known.has(id)),
    ({ holdId }) => holdId,
  );
  return pairsOf(earlier, later)
    .filter(([before, after]) => {
      const charged = fresh.get(before.id) ?? [];
      const countTold = (after.journal?.count ?? 0) - (before.journal?.count ?? 0);
      const told = [before, after].map(({ journal }) => BigInt(journal?.amountMicros ?? 0));
      const chargedMicros = sumOf(charged);
      return countTold > charged.length || (told[1] ?? 0n) - (told[0] ?? 0n) > chargedMicros;
    })
    .map(([{ id }]) => id);
}

function sumOf(items: readonly { readonly amountMicros: string }[]): bigint {
  return items.reduce((sum, { amountMicros }) => sum + BigInt(amountMicros), 0n);
}

function inventedReserves(earlier: LedgerContent, later: LedgerContent): readonly string[] {
  const { reserves = [], entries = [], uses = [] } = earlier;
  const known = new Set(reserves.map(({ id }) => id));
  const missing = new Set(
    [...entries, ...uses].flatMap(({ holdId }) =>
      holdId === undefined || known.has(holdId) ? [] : [holdId],
    ),
  );
  return (later.reserves ?? []).map(({ id }) => id).filter((id) => missing.has(id));
}

const unreadPrefix = "usage:unread/";
const adjustmentsPrefix = "adjustments/";

/** What counts as spent is given back, or named for what it was, by entries. */
function unreadWithoutEntry(earlier: LedgerContent, later: LedgerContent): readonly string[] {
  const fresh = entriesSince(earlier, later);
  return pairsOf(earlier, later)
    .filter(([before, after]) => {
      const named = sumOf(
        fresh.filter(({ from, holdId }) => from.startsWith(unreadPrefix) && holdId === before.id),
      );
      const [unread = 0n, left = 0n] = [before, after].map(({ unreadMicros }) =>
        BigInt(unreadMicros ?? 0),
      );
      if (unread - left > named) return true;
      if (before.settledBy !== undefined || after.settledBy === undefined)
        return after.settledBy !== before.settledBy;
      const account = `${adjustmentsPrefix}${before.currency}`;
      const given = sumOf(
        fresh.filter(({ from, commandId }) => from === account && commandId === after.settledBy),
      );
      // Of what was given back a journal that is found later may tell.
      return given === 0n || given < left || given > unread;
    })
    .map(([{ id }]) => id);
}

/** Somebody says that work is done by reporting its last use. */
function completedWithoutUse(earlier: LedgerContent, later: LedgerContent): readonly string[] {
  const known = new Set(earlier.uses?.map(({ id }) => id));
  const reported = new Set(
    later.uses?.flatMap(({ id, holdId }) => (known.has(id) ? [] : [holdId])),
  );
  return pairsOf(earlier, later)
    .filter(
      ([before, after]) =>
        before.isCompleted !== true &&
        before.state !== "open" &&
        after.isCompleted === true &&
        !reported.has(before.id),
    )
    .map(([{ id }]) => id);
}

function entriesSince(earlier: LedgerContent, later: LedgerContent): readonly BookedEntry[] {
  const lastSequence = lastSequenceOf(earlier);
  return (later.entries ?? []).filter(({ sequence = 0 }) => sequence > lastSequence);
}
