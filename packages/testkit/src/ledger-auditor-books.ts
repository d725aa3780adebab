/**
 * The auditor's own books: every amount of a tenant, recomputed from what was asked and what was answered. Written from the
 * description of the rules and sharing nothing with them, so that a fault there is not repeated here.
 */

import type { Currency, Lot as LedgerLot } from "@faultline/server/ledger/rules/types.ts";

/** Credit with one expiry. */
interface AuditLot extends Pick<LedgerLot, "id" | "priority"> {
  readonly currency: Currency;
  readonly expiry: number;
  readonly order: number;
  left: bigint;
}

/** A part of a reserve: of a lot, or of the credit line. */
interface Part {
  readonly lot: AuditLot | "line";
  micros: bigint;
}

/** What is set aside for an operation or a worker. */
export interface Reserve {
  readonly id: string;
  readonly currency: Currency;
  parts: Part[];
  end: "open" | "ended" | "lost";
  /** Of a lost lease: what counts as spent without a use. */
  unread: bigint;
}

export class AuditBooks {
  nowMs = 0;
  readonly limits = new Map<Currency, bigint>();
  readonly closed = new Set<Currency>();
  readonly reserves = new Map<string, Reserve>();
  readonly uses = new Map<string, bigint>();
  /** Charged for want of any credit, ever. */
  debtMadeMicros = 0n;
  readonly #lots: AuditLot[] = [];
  /** Used beyond all credit and not yet covered. */
  readonly #owed = new Map<Currency, bigint>();
  readonly #flows = new Map<string, bigint>();

  /** Time goes forward only. */
  arriveAt(atMs: number): void {
    this.nowMs = Math.max(this.nowMs, atMs);
  }

  /** Adds a lot. */
  addLot(
    lot: { readonly id: string; readonly currency: Currency; readonly micros: bigint },
    terms: { readonly source: string; readonly priority: number; readonly expiry: number },
  ): void {
    const { id, currency, micros } = lot;
    const { source, priority, expiry } = terms;
    const order = this.nowMs;
    this.#lots.push({ id, currency, priority, expiry, order, left: micros });
    this.#flow(source, currency, -micros);
    this.cover(currency);
  }

  /** What may be reserved now; nothing while more is owed than the line allows. */
  available(currency: Currency): bigint {
    const line = (this.limits.get(currency) ?? 0n) - this.#debt(currency);
    if (line < 0n) return 0n;
    return this.#living(currency).reduce((sum, lot) => sum + lot.left, line);
  }

  /** Sets an amount aside. */
  reserve(id: string, currency: Currency, micros: bigint): void {
    const known = this.reserves.get(id);
    const reserve = known ?? { id, currency, parts: [], end: "open", unread: 0n };
    this.reserves.set(id, reserve);
    const added: Part[] = this.#draw(currency, micros).map(([lot, part]) => ({
      lot,
      micros: part,
    }));
    const drawn = added.reduce((sum, part) => sum + part.micros, 0n);
    if (drawn < micros) added.push({ lot: "line", micros: micros - drawn });
    for (const part of added) {
      const same = reserve.parts.find(({ lot }) => lot === part.lot);
      if (same === undefined) reserve.parts.push(part);
      else same.micros += part.micros;
    }
  }

  /** Frees a part of a reserve, the latest first: to its lot, or away with it. Gives how much. */
  free(reserve: Reserve, micros: bigint): bigint {
    let missing = micros;
    for (let index = reserve.parts.length - 1; index >= 0 && missing > 0n; index -= 1) {
      const part = reserve.parts[index];
      if (part === undefined) break;
      const freed = part.micros < missing ? part.micros : missing;
      part.micros -= freed;
      missing -= freed;
      if (part.lot === "line") continue;
      if (part.lot.expiry <= this.nowMs) this.#flow("expiry", reserve.currency, freed);
      else part.lot.left += freed;
    }
    reserve.parts = reserve.parts.filter((part) => part.micros > 0n);
    this.cover(reserve.currency);
    return micros - missing;
  }

  /** Charges a use to a reserve, then to what was lost of it, then to other credit, then to nobody. Once. */
  use(reserve: Reserve, usageId: string, charge: { kind: string; micros: bigint }): void {
    if (this.uses.has(usageId)) return;
    this.uses.set(usageId, charge.micros);
    const { currency } = reserve;
    this.#flow(`usage:${charge.kind}`, currency, charge.micros);
    let missing = charge.micros - this.#spendReserve(reserve, charge.micros);
    const found = reserve.unread < missing ? reserve.unread : missing;
    reserve.unread -= found;
    this.#flow("usage:unread", currency, -found);
    missing -= found;
    for (const [, part] of this.#draw(currency, missing)) missing -= part;
    this.debtMadeMicros += missing;
    this.#owe(currency, missing);
    this.cover(currency);
  }

  /** Counts all of a reserve as spent. */
  lose(reserve: Reserve): bigint {
    const micros = reserve.parts.reduce((sum, part) => sum + part.micros, 0n);
    this.#spendReserve(reserve, micros);
    this.#flow("usage:unread", reserve.currency, micros);
    reserve.unread = micros;
    reserve.end = "lost";
    this.cover(reserve.currency);
    return micros;
  }

  /** Takes credit away, beyond what there is too when it is owed. */
  take(currency: Currency, micros: bigint, flow: string): void {
    let missing = micros;
    for (const [, part] of this.#draw(currency, micros)) missing -= part;
    this.#owe(currency, missing);
    this.#flow(flow, currency, micros);
  }

  /** Lets lots expire. */
  expire(): void {
    for (const lot of this.#lots) {
      if (lot.expiry > this.nowMs) continue;
      this.#flow("expiry", lot.currency, lot.left);
      lot.left = 0n;
    }
  }

  /** Pays what is owed out of what there is. */
  cover(currency: Currency): void {
    const owed = this.#owed.get(currency) ?? 0n;
    for (const [, part] of this.#draw(currency, owed)) this.#owe(currency, -part);
  }

  /** All balances, by the names of the ledger's accounts. */
  balances(): Map<string, bigint> {
    const sums = new Map(this.#flows);
    const add = (id: string, micros: bigint): Map<string, bigint> =>
      sums.set(id, (sums.get(id) ?? 0n) + micros);
    for (const lot of this.#lots) add(`credit/${lot.currency}`, lot.left);
    for (const { currency, parts } of this.reserves.values()) {
      for (const part of parts) {
        add(`holds/${currency}`, part.micros);
        if (part.lot === "line") add(`debt/${currency}`, -part.micros);
      }
    }
    for (const [currency, micros] of this.#owed) add(`debt/${currency}`, -micros);
    return sums;
  }

  /** Takes parts of a reserve from the front; what came from the line is owed from then on. */
  #spendReserve(reserve: Reserve, micros: bigint): bigint {
    let missing = micros;
    for (const part of reserve.parts) {
      const spent = part.micros < missing ? part.micros : missing;
      part.micros -= spent;
      missing -= spent;
      if (part.lot === "line") this.#owe(reserve.currency, spent);
    }
    reserve.parts = reserve.parts.filter((part) => part.micros > 0n);
    return micros - missing;
  }

  #draw(currency: Currency, micros: bigint): [AuditLot, bigint][] {
    let missing = micros;
    const drawn: [AuditLot, bigint][] = [];
    for (const lot of this.#living(currency)) {
      const part = lot.left < missing ? lot.left : missing;
      if (part <= 0n) continue;
      lot.left -= part;
      missing -= part;
      drawn.push([lot, part]);
    }
    return drawn;
  }

  #living(currency: Currency): AuditLot[] {
    return this.#lots
      .filter((lot) => lot.currency === currency && lot.expiry > this.nowMs && lot.left > 0n)
      .sort(
        (one, other) =>
          (one.expiry === other.expiry ? 0 : one.expiry < other.expiry ? -1 : 1) ||
          one.priority - other.priority ||
          one.order - other.order ||
          (one.id < other.id ? -1 : 1),
      );
  }

  #debt(currency: Currency): bigint {
    let debt = this.#owed.get(currency) ?? 0n;
    for (const reserve of this.reserves.values()) {
      if (reserve.currency !== currency) continue;
      for (const { lot, micros } of reserve.parts) if (lot === "line") debt += micros;
    }
    return debt;
  }

  #owe(currency: Currency, micros: bigint): void {
    this.#owed.set(currency, (this.#owed.get(currency) ?? 0n) + micros);
  }

  #flow(kind: string, currency: Currency, micros: bigint): void {
    const id = `${kind}/${currency}`;
    this.#flows.set(id, (this.#flows.get(id) ?? 0n) + micros);
  }
}
