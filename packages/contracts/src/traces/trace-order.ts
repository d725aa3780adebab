/** The spans of a trace in order of time, each once, with the parent of each. */

import type { Span } from "../model/span.ts";
import { compareText } from "../text/compare-text.ts";
import { SpanTable, spanTableCountMax } from "./span-table.ts";

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
  const spans = isSorted(recorded) ? recorded : recorded.toSorted(compareSpans);
  const parents = takeParents(spans) ?? parentsIfDistinct(spans);
  if (parents !== undefined) return { spans, parents };
  const distinct = firstOfEach(spans);
  return { spans: distinct, parents: parentsOf(distinct, indicesOf(distinct)) };
}

/** Parents that whoever read a list has found already; whoever takes them is the only one who asks. */
const parentsOfRead = new WeakMap<readonly Span[], Int32Array>();

/** Keeps the parents of a list that holds each span once, in order, until its order is asked for. */
export function keepParents(spans: readonly Span[], parents: Int32Array): void {
  parentsOfRead.set(spans, parents);
}

function takeParents(spans: readonly Span[]): Int32Array | undefined {
  const known = parentsOfRead.get(spans);
  parentsOfRead.delete(spans);
  return known;
}

/** It is used anew for list after list. */
const sharedTable = new SpanTable();

/** For each span the index of its parent as in `TraceOrder`; `undefined` when two spans share an id. */
export function parentsIfDistinct(spans: readonly Span[]): Int32Array | undefined {
  const table = spans.length <= spanTableCountMax ? sharedTable : new SpanTable();
  const isDistinct = table.fill(spans);
  const parents = isDistinct === true ? parentsOf(spans, table) : undefined;
  table.forget();
  if (isDistinct !== "unknown") return parents;
  const indices = indicesOf(spans);
  return indices.size === spans.length ? parentsOf(spans, indices) : undefined;
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

function parentsOf(
  spans: readonly Span[],
  indexById: { get(spanId: string): number | undefined },
): Int32Array {
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
