/** The spans of a trace in order of time, each once, with the parent of each. */

import type { Span } from "../model/span.ts";
import { compareText } from "../text/compare-text.ts";

/** In `parents`: the span names no parent. */
export const noParent = -1;
/** In `parents`: the span names a parent that the trace does not have. */
export const missingParent = -2;

/** Spans are named by their index in `spans`. */
export interface TraceOrder {
  /** In order of their start, of two at once the longer one first; a span that was recorded twice stands here once. */
  readonly spans: readonly Span[];
  /** For each span the index of its parent, `noParent` or `missingParent`. Never a cycle. */
  readonly parents: Int32Array;
}

/** Puts the spans of a trace in order. A list that is in order already is kept. */
export function orderOf(recorded: readonly Span[]): TraceOrder {
  let spans = isSorted(recorded) ? recorded : recorded.toSorted(compareSpans);
  let indexById = takeIndices(spans) ?? indicesOf(spans);
  if (indexById.size < spans.length) {
    spans = firstOfEach(spans);
    indexById = indicesOf(spans);
  }
  return { spans, parents: parentsOf(spans, indexById) };
}

/** Indices that whoever read a list has found already; they are large, and whoever takes them is the only one who asks. */
const indicesOfRead = new WeakMap<readonly Span[], ReadonlyMap<string, number>>();

/** Keeps the index of each span's id of a list that holds each span once, until its order is asked for. */
export function keepIndices(spans: readonly Span[], indices: ReadonlyMap<string, number>): void {
  indicesOfRead.set(spans, indices);
}

function takeIndices(spans: readonly Span[]): ReadonlyMap<string, number> | undefined {
  const known = indicesOfRead.get(spans);
  indicesOfRead.delete(spans);
  return known;
}

/** The index of each span's id. */
export function indicesOf(spans: readonly Span[]): ReadonlyMap<string, number> {
  const indexById = new Map<string, number>();
  let at = 0;
  for (const { spanId } of spans) {
    indexById.set(spanId, at);
    at += 1;
  }
  return indexById;
}

/** By start; of two that start at once the longer one comes first, as a parent does. */
function compareSpans(left: Span, right: Span): number {
  return (
    left.startMicros - right.startMicros ||
    right.durationNanos - left.durationNanos ||
    compareText(left.name, right.name) ||
    compareText(left.spanId, right.spanId)
  );
}

function isSorted(spans: readonly Span[]): boolean {
  let last = spans[0];
  for (const span of spans) {
    if (last !== undefined && compareSpans(last, span) > 0) return false;
    last = span;
  }
  return true;
}

function firstOfEach(spans: readonly Span[]): Span[] {
  const seen = new Set<string>();
  return spans.filter(({ spanId }) => {
    if (seen.has(spanId)) return false;
    seen.add(spanId);
    return true;
  });
}

function parentsOf(spans: readonly Span[], indexById: ReadonlyMap<string, number>): Int32Array {
  const parents = new Int32Array(spans.length);
  let at = 0;
  let isForward = true;
  for (const { parentSpanId } of spans) {
    const parent =
      parentSpanId === undefined ? noParent : (indexById.get(parentSpanId) ?? missingParent);
    parents[at] = parent;
    if (parent >= at) isForward = false;
    at += 1;
  }
  // Where each parent stands before its children there is no cycle.
  if (!isForward) cutCycles(parents);
  return parents;
}

/** A span that is its own ancestor has no outermost one: the first of them in time counts as cut off. */
function cutCycles(parents: Int32Array): void {
  const walkOf = new Int32Array(parents.length).fill(noParent);
  for (let start = 0; start < parents.length; start += 1) {
    let index = start;
    while (index >= 0 && walkOf[index] === noParent) {
      walkOf[index] = start;
      index = parents[index] ?? noParent;
    }
    if (index >= 0 && walkOf[index] === start) parents[earliestOf(parents, index)] = missingParent;
  }
}

/** The lowest index on the cycle through `index`. */
function earliestOf(parents: Int32Array, index: number): number {
  let earliest = index;
  for (let at = parents[index] ?? index; at !== index; at = parents[at] ?? index) {
    earliest = Math.min(earliest, at);
  }
  return earliest;
}
