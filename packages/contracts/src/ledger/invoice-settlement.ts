/** What was settled already of what an invoice differs by, and the id of the entry that settles the rest. */

import {
  earlierInvoiceEntryId,
  isEarlierInvoiceEntryId,
  invoiceEntryId,
  invoiceSideHash,
  parseInvoiceEntryId,
} from "./invoice-entry-id.ts";

/** An entry between the credit, or the debt, of an account and its adjustments; of whatever else has its id nothing is taken. */
export interface SettlingEntry {
  readonly commandId: string;
  readonly currency: string;
  /** Negative where it was given. */
  readonly takenMicros: bigint;
}

/** The time of an invoice, up to the first moment that is not in it. */
export interface InvoiceWindow {
  readonly fromMs: number;
  readonly untilMs: number;
}

/** What is invoiced for a model and what was charged for it. */
export interface InvoicedSide {
  readonly name: string;
  readonly currency: string;
  readonly theirMicros: bigint;
  readonly ourMicros: bigint;
}

/** How a difference stands. */
export interface InvoiceStanding {
  /** What earlier entries took for the same model and window; negative where they gave. */
  readonly settledMicros: bigint;
  /** Of the entry that settles the rest: the next one for this model and window, so that of two that do not know of one another one takes effect. */
  readonly commandId: string;
  /** Entries of which nobody can say how much of them is for this window, since theirs overlaps it. */
  readonly overlapping: readonly string[];
}

interface Settled {
  nextIndex: number;
  /** By currency: an entry in another one than its id is for settles nothing. */
  readonly takenMicros: Map<string, bigint>;
  readonly commandIds: Set<string>;
}

/** Hashes that are made to recognise entries of earlier releases. */
const earlierHashCountMax = 100_000;
const toldEntryCountMax = 20;

/** The entries of a ledger that settled invoices, as they stand to one window. */
export class InvoiceSettlements {
  readonly #window: InvoiceWindow;
  /** By window, model and currency. */
  readonly #own = new Map<string, Settled>();
  readonly #overlapping = new Map<string, Map<string, Settled>>();
  /** Whose ids say by hash alone what they are for: by currency and id. */
  readonly #earlier = new Map<string, Map<string, bigint>>();
  #earlierHashCount = 0;

  constructor(window: InvoiceWindow, entries: Iterable<SettlingEntry>) {
    this.#window = window;
    for (const entry of entries) this.#add(entry);
  }

  /** How the difference of a model stands. */
  standingOf(side: InvoicedSide): InvoiceStanding {
    const hash = invoiceSideHash(side);
    const own = this.#own.get(hash);
    const others = [...(this.#overlapping.get(hash)?.values() ?? [])];
    const overlapping = others
      .filter(({ takenMicros }) => (takenMicros.get(side.currency) ?? 0n) !== 0n)
      .flatMap(({ commandIds }) => [...commandIds]);
    const earlier = this.#earlierFor(side);
    return {
      settledMicros: (own?.takenMicros.get(side.currency) ?? 0n) + earlier.takenMicros,
      commandId: invoiceEntryId(this.#window, hash, own?.nextIndex ?? 0),
      overlapping: [...overlapping, ...earlier.unread].slice(0, toldEntryCountMax),
    };
  }

  #add({ commandId, currency, takenMicros }: SettlingEntry): void {
    if (isEarlierInvoiceEntryId(commandId)) {
      const known = this.#earlier.get(currency) ?? new Map<string, bigint>();
      this.#earlier.set(currency, known);
      known.set(commandId, (known.get(commandId) ?? 0n) + takenMicros);
      return;
    }
    const id = parseInvoiceEntryId(commandId);
    if (id === undefined) return;
    const { fromMs, untilMs, hash, index } = id;
    const { fromMs: ownFromMs, untilMs: ownUntilMs } = this.#window;
    if (fromMs >= ownUntilMs || untilMs <= ownFromMs) return;
    const isOwn = fromMs === ownFromMs && untilMs === ownUntilMs;
    const group = isOwn ? this.#own : (this.#overlapping.get(hash) ?? new Map<string, Settled>());
    if (!isOwn) this.#overlapping.set(hash, group);
    const key = isOwn ? hash : `${fromMs}-${untilMs}`;
    const fresh = { nextIndex: 0, takenMicros: new Map(), commandIds: new Set<string>() };
    const settled: Settled = group.get(key) ?? fresh;
    settled.nextIndex = Math.max(settled.nextIndex, index + 1);
    const { takenMicros: known } = settled;
    known.set(currency, (known.get(currency) ?? 0n) + takenMicros);
    settled.commandIds.add(commandId);
    group.set(key, settled);
  }

  /**
   * An earlier release hashed both sums into the id. It is known again while one of them is what it was: the other one follows
   * from the amount of the entry.
   */
  #earlierFor(side: InvoicedSide): { takenMicros: bigint; unread: readonly string[] } {
    const { theirMicros, ourMicros } = side;
    const entries = this.#earlier.get(side.currency) ?? new Map<string, bigint>();
    this.#earlierHashCount += 2 * entries.size;
    if (this.#earlierHashCount > earlierHashCountMax)
      return { takenMicros: 0n, unread: [...entries.keys()] };
    let settledMicros = 0n;
    for (const [commandId, takenMicros] of entries) {
      const sameInvoice = { ...side, ourMicros: theirMicros - takenMicros };
      const sameUses = { ...side, theirMicros: ourMicros + takenMicros };
      const ids = [sameInvoice, sameUses].map((one) => earlierInvoiceEntryId(this.#window, one));
      if (ids.includes(commandId)) settledMicros += takenMicros;
    }
    return { takenMicros: settledMicros, unread: [] };
  }
}
