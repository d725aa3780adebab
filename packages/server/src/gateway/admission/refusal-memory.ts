/** Refusals that still hold, so that a caller that hammers at an exhausted rate is no load for the control process. */

import { type Layer, layerId } from "./layer.ts";
import { leaseBounds } from "./lease-bounds.ts";
import type { LimitRefusal } from "./limit-refusal.ts";

interface Remembered {
  readonly refusal: LimitRefusal;
  readonly atMs: number;
  readonly untilMs: number;
}

export class RefusalMemory {
  readonly #refusals = new Map<string, Remembered>();

  /** Remembers a refusal of a rate; a place may become free at any time. */
  note(refusal: LimitRefusal, nowMs: number): void {
    if (refusal.dimension === "concurrency") return;
    if (this.#refusals.size >= leaseBounds.refusalCountKept) this.#refusals.clear();
    const { scope } = refusal;
    if (scope === "failed-keys") return;
    const keptMs = Math.min(refusal.retryAfterMs, leaseBounds.refusalMsKept);
    const id = layerId({ scope, name: refusal.name });
    this.#refusals.set(id, { refusal, atMs: nowMs, untilMs: nowMs + keptMs });
  }

  /** The refusal that a call would get again. */
  find(layers: readonly Layer[], tokens: number, nowMs: number): LimitRefusal | undefined {
    for (const { id } of layers) {
      const known = this.#refusals.get(id);
      if (known === undefined) continue;
      if (known.untilMs <= nowMs) {
        this.#refusals.delete(id);
        continue;
      }
      const needed = known.refusal.dimension === "requests" ? 1 : tokens;
      if (needed < known.refusal.needed) continue;
      const retryAfterMs = known.refusal.retryAfterMs - (nowMs - known.atMs);
      return { ...known.refusal, needed, retryAfterMs };
    }
    return undefined;
  }

  clear(): void {
    this.#refusals.clear();
  }
}
