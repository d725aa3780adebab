/** An operation in a region: held for, made, settled; asked for again while nobody knows what became of it. */

import type { RegionProcess } from "./region-process.ts";

export interface OperationCounts {
  served: number;
  refused: number;
  unavailable: number;
  open: number;
}

export interface OperationTerms {
  readonly usageId: string;
  readonly keyId: string;
  readonly boundMicros: bigint;
  /** Beyond a hundred the provider over-reports. */
  readonly usedPercent: number;
  readonly durationMs: number;
}

const againMs = 300;
const holdDurationMs = 86_400_000;

export class RegionOperation {
  readonly #region: RegionProcess;
  readonly #terms: OperationTerms;
  readonly #counts: OperationCounts;
  readonly #holdId: string;

  constructor(region: RegionProcess, terms: OperationTerms, counts: OperationCounts) {
    this.#region = region;
    this.#terms = terms;
    this.#counts = counts;
    this.#holdId = `${region.name}/${terms.usageId}`;
  }

  /** Asks for the hold. */
  begin(): void {
    this.#counts.open += 1;
    this.#ask();
  }

  #ask(): void {
    const { keyId, boundMicros: amountMicros } = this.#terms;
    const terms = { currency: "USD", amountMicros, durationMs: holdDurationMs } as const;
    const hold = { kind: "hold", id: this.#holdId, ...terms, attribution: { keyId } } as const;
    const region = this.#region;
    const answer = region.ask(hold);
    if (answer === undefined) {
      region.world.queue.after(againMs, () => this.#ask());
      return;
    }
    if (answer.kind !== "held") {
      this.#counts.open -= 1;
      region.noteLack(amountMicros);
      if (region.isCutOff) this.#counts.unavailable += 1;
      else this.#counts.refused += 1;
      return;
    }
    region.world.queue.after(this.#terms.durationMs, () => this.#end());
  }

  #end(): void {
    const { usageId, keyId, boundMicros, usedPercent } = this.#terms;
    const { world } = this.#region;
    if (usedPercent > 100) world.table.note("use over-reported", this.#region.states());
    const costMicros = (boundMicros * BigInt(usedPercent)) / 100n;
    world.auditor.served({ usageId, keyId, boundMicros, costMicros });
    this.#settle(costMicros);
  }

  #settle(amountMicros: bigint): void {
    const region = this.#region;
    const id = `${this.#holdId}/settle`;
    const charge = { usageId: this.#terms.usageId, usageKind: "tokens", amountMicros } as const;
    const settle = { kind: "settle", id, holdId: this.#holdId, charge, isFinal: true } as const;
    if (region.ask(settle) === undefined) {
      region.world.queue.after(againMs, () => this.#settle(amountMicros));
      return;
    }
    this.#counts.open -= 1;
    this.#counts.served += 1;
  }
}
