/** Where the span of an id stands in a list: a table of numbers, which costs less than a map of texts made for each trace. */

import type { Span } from "../model/span.ts";

/** Lists of more spans are seldom: a table for one of them is not worth keeping. */
export const spanTableCountMax = 16_384;

const slotCountMin = 256;
/** Letters of an id that are looked at first: the last ones tell apart also ids that are counted up. */
const hashedLengthMax = 8;
/** Slots from the one of its hash that an id may have to step over; more are needed only where ids were made to collide. */
const reachMax = 512;

/** Indices by id, for one list after the other. */
export class SpanTable {
  /** For each slot the index of a span and one more; 0 where there is none. */
  #slots = new Int32Array(slotCountMin);
  #mask = slotCountMin - 1;
  /** No id of the list lies further from the slot of its hash. */
  #reach = 0;
  #spans: readonly Span[] = [];

  /** Takes a list. Tells whether it holds each id once; `unknown` when it cannot take it, and then it must not be asked. */
  fill(spans: readonly Span[]): boolean | "unknown" {
    this.#clear(spans.length);
    this.#spans = spans;
    const slots = this.#slots;
    let index = 0;
    for (const { spanId } of spans) {
      let slot = hashOf(spanId) & this.#mask;
      let distance = 0;
      for (let taken = slots[slot] ?? 0; taken !== 0; taken = slots[slot] ?? 0) {
        if (spans[taken - 1]?.spanId === spanId) return false;
        slot = (slot + 1) & this.#mask;
        distance += 1;
      }
      if (distance > this.#reach) this.#reach = distance;
      if (distance > reachMax) return "unknown";
      index += 1;
      slots[slot] = index;
    }
    return true;
  }

  /** The index of an id in the list that was taken last. */
  get(spanId: string): number | undefined {
    const slots = this.#slots;
    let slot = hashOf(spanId) & this.#mask;
    for (let distance = 0; distance <= this.#reach; distance += 1) {
      const taken = slots[slot] ?? 0;
      if (taken === 0) return undefined;
      if (this.#spans[taken - 1]?.spanId === spanId) return taken - 1;
      slot = (slot + 1) & this.#mask;
    }
    return undefined;
  }

  /** Lets go of the list, so that it lives no longer than who gave it wants. */
  forget(): void {
    this.#spans = [];
  }

  /** Makes at least twice as many slots free as there are spans. */
  #clear(count: number): void {
    let slotCount = slotCountMin;
    while (slotCount < count * 2) slotCount *= 2;
    if (slotCount > this.#slots.length) this.#slots = new Int32Array(slotCount);
    else this.#slots.fill(0, 0, slotCount);
    this.#mask = slotCount - 1;
    this.#reach = 0;
  }
}

function hashOf(id: string): number {
  let hash = 0;
  for (let at = Math.max(0, id.length - hashedLengthMax); at < id.length; at += 1) {
    hash = (Math.imul(hash, 31) + id.charCodeAt(at)) | 0;
  }
  const half = Math.imul(hash, 0x9e37_79b1);
  return half ^ (half >>> 15);
}
