/** The ledgers of a snapshot: what belongs to one is put together, in one order. */

import type { EvidenceReference } from "../model/evidence.ts";
import type {
  BookedAccount,
  BookedEntry,
  BookedInvoiceLine,
  BookedLimit,
  BookedReserve,
  BookedUse,
  LedgerContent,
} from "../model/ledger.ts";
import { evidenceOfKind, type EvidenceOf, type Snapshot } from "../model/snapshot.ts";
import { compareText } from "../text/compare-text.ts";

type Part = EvidenceOf<"ledger">;
/** What of a ledger there may be. */
export type ListName = "accounts" | "limits" | "entries" | "reserves" | "uses" | "invoice";

/** One ledger, as far as the evidence shows it; a list that nobody read is absent. */
export interface Books {
  /** Whose it is. */
  readonly name: string;
  /** All of it was true at one moment, and nothing of it is cut off: what is not there did not happen. */
  readonly isWhole: boolean;
  readonly parts: readonly Part[];
  readonly readMicros: number | undefined;
  readonly fromMicros: number | undefined;
  readonly accounts: readonly BookedAccount[] | undefined;
  readonly limits: readonly BookedLimit[] | undefined;
  readonly entries: readonly BookedEntry[] | undefined;
  readonly reserves: readonly BookedReserve[] | undefined;
  readonly uses: readonly BookedUse[] | undefined;
  readonly invoice: readonly BookedInvoiceLine[] | undefined;
}

/** How the ledger of tables that do not say whose they are is called. */
const namelessLedger = "ledger";
const known = new WeakMap<Snapshot, readonly Books[]>();

/**
 * Each export is a ledger of its own. Tables and answers, which were read by themselves, are together one more. An invoice
 * belongs to the only ledger that there is, and else to none.
 */
export function booksOf(snapshot: Snapshot): readonly Books[] {
  const books = known.get(snapshot) ?? findBooks(snapshot);
  known.set(snapshot, books);
  return books;
}

/** Where something of a ledger stands: in each part that holds the list. */
export function placesIn(
  books: Books,
  list: ListName,
  ids: readonly string[] = [],
): EvidenceReference[] {
  const holding = books.parts.filter(({ content }) => content[list] !== undefined);
  return holding.flatMap(({ id: evidenceId }): EvidenceReference[] =>
    ids.length === 0
      ? [{ evidenceId }]
      : ids.map((id) => ({ evidenceId, locator: `${list}/${id}` })),
  );
}

function findBooks(snapshot: Snapshot): Books[] {
  const parts = evidenceOfKind(snapshot, "ledger");
  const loose = parts.filter((part) => !isExport(part));
  const invoices = loose.filter(isInvoiceAlone);
  const tables = loose.filter((part) => !isInvoiceAlone(part));
  const groups = parts.filter(isExport).map((part) => [part]);
  if (tables.length > 0) groups.push(tables);
  const [only] = groups;
  if (only !== undefined && groups.length === 1) return [join([...only, ...invoices])];
  if (invoices.length > 0) groups.push(invoices);
  return groups.map(join);
}

function isExport({ content }: Part): boolean {
  return content.readMicros !== undefined;
}

function isInvoiceAlone({ content }: Part): boolean {
  const { accounts, entries, reserves, uses, invoice } = content;
  return invoice !== undefined && (accounts ?? entries ?? reserves ?? uses) === undefined;
}

function join(parts: readonly Part[]): Books {
  const main = parts.find(isExport)?.content;
  const named = parts.find(({ content }) => content.name !== undefined);
  return {
    name: named?.content.name ?? namelessLedger,
    isWhole: main !== undefined && main.isCut !== true,
    parts,
    readMicros: main?.readMicros,
    fromMicros: main?.fromMicros,
    accounts: listOf(parts, "accounts", ({ id }) => id),
    limits: listOf(parts, "limits", undefined)?.toSorted(
      (left, right) => left.fromSequence - right.fromSequence,
    ),
    entries: inOrder(listOf(parts, "entries", ({ sequence }) => sequence)),
    reserves: listOf(parts, "reserves", ({ id }) => id),
    uses: listOf(parts, "uses", ({ id }) => id),
    invoice: listOf(parts, "invoice", undefined),
  };
}

/** The items of all parts; of those that lie in several parts, which were read one after another, one. */
function listOf<Name extends ListName, Item extends NonNullable<LedgerContent[Name]>[number]>(
  parts: readonly Part[],
  name: Name,
  keyOf: ((item: Item) => string | number | undefined) | undefined,
): Item[] | undefined {
  // A list of this name holds items of its type.
  const lists = parts.flatMap(({ content }) =>
    content[name] === undefined ? [] : [content[name] as unknown as readonly Item[]],
  );
  const [first, ...rest] = lists;
  if (first === undefined) return undefined;
  if (rest.length === 0 || keyOf === undefined) return lists.flat();
  const seen = new Set<string | number>();
  return lists.flatMap((list) => {
    const fresh = list.filter((item) => {
      const key = keyOf(item);
      return key === undefined || !seen.has(key);
    });
    // Only now: what one part says twice is said twice.
    for (const item of list) seen.add(keyOf(item) ?? "");
    return fresh;
  });
}

/** By their numbers, where they have some. */
function inOrder(entries: BookedEntry[] | undefined): BookedEntry[] | undefined {
  return entries?.toSorted(
    (left, right) =>
      (left.sequence ?? 0) - (right.sequence ?? 0) ||
      (left.timeMicros ?? 0) - (right.timeMicros ?? 0) ||
      compareText(left.commandId ?? "", right.commandId ?? ""),
  );
}
