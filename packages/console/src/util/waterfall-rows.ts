/** Which rows of a waterfall are visible, which one the keyboard stands on, and how both change. */

import { useMemo, useState } from "react";

import { type RowState, type TraceRow, type TraceTree, visibleRows } from "./trace-tree.ts";

export interface WaterfallRows {
  readonly rows: readonly TraceRow[];
  readonly activeIndex: number;
  /** Counts the jumps to a span; a waterfall drawn anew for each lands with that span in sight. */
  readonly jumpCount: number;
  activate(index: number): void;
  setState(row: TraceRow, state: RowState | undefined): void;
  /** Opens whatever hides a span and stands on it. */
  jumpTo(spanId: string): void;
}

interface Place {
  readonly states: ReadonlyMap<string, RowState>;
  readonly activeKey: string | undefined;
  /** The span that was linked to: no fold hides it. */
  readonly revealed: string | undefined;
  readonly jumpCount: number;
}

/** The rows of a trace; at first those that show the row of `startKey`. */
export function useWaterfallRows(tree: TraceTree, startKey: string | undefined): WaterfallRows {
  const [place, setPlace] = useState<Place>(() => ({
    states: new Map(),
    activeKey: startKey,
    revealed: startKey,
    jumpCount: 0,
  }));
  const { states, revealed } = place;
  const rows = useMemo(() => visibleRows(tree, states, revealed), [tree, states, revealed]);
  const found = rows.findIndex((row) => row.key === place.activeKey);
  return {
    rows,
    activeIndex: found === -1 ? 0 : found,
    jumpCount: place.jumpCount,
    activate: (index) => setPlace((known) => ({ ...known, activeKey: rows[index]?.key })),
    setState: (row, state) => {
      if (state === undefined) return;
      setPlace((known) => ({
        ...known,
        states: new Map(known.states).set(row.key, state),
        activeKey: row.key,
      }));
    },
    jumpTo: (spanId) =>
      setPlace((known) => ({
        states: new Map(),
        activeKey: spanId,
        revealed: spanId,
        jumpCount: known.jumpCount + 1,
      })),
  };
}

/** The next wider state of a row, or `undefined` when it is as wide as it gets. */
export function opened(row: TraceRow): RowState | undefined {
  if (row.state === "collapsed") return row.hasChildren ? "expanded" : foldMembers(row);
  return row.state === "expanded" ? foldMembers(row) : undefined;
}

/** The next narrower state of a row, or `undefined` when it is as narrow as it gets. */
export function closed(row: TraceRow): RowState | undefined {
  if (row.state === "members") return row.hasChildren ? "expanded" : "collapsed";
  return row.state === "expanded" && row.hasChildren ? "collapsed" : undefined;
}

/** Open when it was closed, closed when it was open. */
export function toggled(row: TraceRow): RowState | undefined {
  if (row.state !== "collapsed")
    return row.hasChildren || row.state === "members" ? "collapsed" : foldMembers(row);
  return row.hasChildren ? "expanded" : foldMembers(row);
}

function foldMembers(row: TraceRow): RowState | undefined {
  return row.kind === "fold" ? "members" : undefined;
}
