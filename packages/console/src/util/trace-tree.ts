/** The rows of a waterfall: spans nested by parent, and repeated siblings folded into one row. */

import type { Span } from "@faultline/contracts";

import { spanSignature } from "./span-signature.ts";

/** Fewer equal siblings than this stay rows of their own. */
export const foldSizeMin = 4;

/** How a row with something beneath it stands: a fold shows its members' children merged, or its members. */
export type RowState = "collapsed" | "expanded" | "members";

interface RowBase {
  /** The id of a span, or `x-` and the id of a fold's first span. */
  readonly key: string;
  readonly parentKey: string | undefined;
  readonly depth: number;
  readonly state: RowState;
  readonly hasChildren: boolean;
}
export type TraceRow =
  | (RowBase & { readonly kind: "span"; readonly spans: readonly [Span] })
  | (RowBase & { readonly kind: "fold"; readonly spans: readonly [Span, ...Span[]] });

export interface TraceTree {
  readonly roots: readonly Span[];
  readonly childrenOf: ReadonlyMap<string, readonly Span[]>;
  readonly startMicros: number;
  readonly durationMicros: number;
  /** Services in the order of their first span: their place decides their colour. */
  readonly services: readonly string[];
}

/** Nests spans. One whose parent is not here, or whose ancestors form a ring, stands at the top. */
export function buildTraceTree(spans: readonly Span[]): TraceTree {
  const ordered = spans.toSorted((one, other) => one.startMicros - other.startMicros);
  const byId = new Map(ordered.map((span) => [span.spanId, span]));
  const childrenOf = new Map<string, Span[]>();
  const roots: Span[] = [];
  const sound = new Set<string>();
  for (const span of ordered) {
    const parent = span.parentSpanId === undefined ? undefined : byId.get(span.parentSpanId);
    if (parent === undefined || !leadsToRoot(span, byId, sound)) {
      roots.push(span);
      continue;
    }
    const siblings = childrenOf.get(parent.spanId);
    if (siblings === undefined) childrenOf.set(parent.spanId, [span]);
    else siblings.push(span);
  }
  const startMicros = ordered[0]?.startMicros ?? 0;
  const endMicros = ordered.reduce((end, span) => Math.max(end, spanEndMicros(span)), startMicros);
  return {
    roots,
    childrenOf,
    startMicros,
    durationMicros: Math.max(endMicros - startMicros, 0.001),
    services: [...new Set(ordered.map((span) => span.service))],
  };
}

/** The rows that are visible when each row stands as `states` says; `revealSpanId` is never folded away. */
export function visibleRows(
  tree: TraceTree,
  states: ReadonlyMap<string, RowState>,
  revealSpanId?: string,
): TraceRow[] {
  const revealed = ancestorIds(tree, revealSpanId);
  const rows: TraceRow[] = [];
  const pending: Group[] = [];
  pushGroups(pending, groupSiblings(tree.roots, foldSizeMin), { parentKey: undefined, depth: 0 });
  for (let group = pending.pop(); group !== undefined; group = pending.pop()) {
    const row = toRow(group, tree, { states, revealed });
    rows.push(row);
    const place = { parentKey: row.key, depth: row.depth + 1 };
    if (row.state === "members") {
      pushGroups(
        pending,
        row.spans.map((span) => [span] as const),
        place,
      );
    } else if (row.state === "expanded") {
      const children = row.spans.flatMap((span) => tree.childrenOf.get(span.spanId) ?? []);
      pushGroups(pending, groupSiblings(children, row.kind === "fold" ? 2 : foldSizeMin), place);
    }
  }
  return rows;
}

/** Everything beneath the spans, at any depth. */
export function descendants(spans: readonly Span[], tree: TraceTree): Span[] {
  const found: Span[] = [];
  const pending = [...spans];
  for (let span = pending.pop(); span !== undefined; span = pending.pop()) {
    const children = tree.childrenOf.get(span.spanId) ?? [];
    found.push(...children);
    pending.push(...children);
  }
  return found;
}

/** When a span ends, in microseconds since the epoch. */
export function spanEndMicros(span: Span): number {
  return span.startMicros + span.durationNanos / 1_000;
}

type Spans = readonly [Span, ...Span[]];
interface Group {
  readonly spans: Spans;
  readonly parentKey: string | undefined;
  readonly depth: number;
}

function toRow(
  group: Group,
  tree: TraceTree,
  choice: { states: ReadonlyMap<string, RowState>; revealed: ReadonlySet<string> },
): TraceRow {
  const [first] = group.spans;
  const { parentKey, depth } = group;
  const hasChildren = group.spans.some((span) => tree.childrenOf.has(span.spanId));
  if (group.spans.length === 1) {
    const state = choice.states.get(first.spanId) ?? "expanded";
    const spans: readonly [Span] = [first];
    return { kind: "span", key: first.spanId, parentKey, depth, state, hasChildren, spans };
  }
  const key = `x-${first.spanId}`;
  const reveals = group.spans.some((span) => choice.revealed.has(span.spanId));
  const state = choice.states.get(key) ?? (reveals ? "members" : "expanded");
  return { kind: "fold", key, parentKey, depth, state, hasChildren, spans: group.spans };
}

/** Siblings in the order of their start; those that do the same come together when there are enough of them. */
function groupSiblings(siblings: readonly Span[], sizeMin: number): Spans[] {
  const bySignature = Map.groupBy(siblings, spanSignature);
  const groups: Spans[] = [];
  for (const [first, ...others] of bySignature.values()) {
    if (first === undefined) continue;
    if (others.length + 1 >= sizeMin) groups.push([first, ...others]);
    else for (const span of [first, ...others]) groups.push([span]);
  }
  return groups.sort(([one], [other]) => one.startMicros - other.startMicros);
}

/** The stack is popped from its end, so that what comes first is pushed last. */
function pushGroups(
  pending: Group[],
  groups: readonly Spans[],
  place: { parentKey: string | undefined; depth: number },
): void {
  for (const spans of groups.toReversed()) pending.push({ spans, ...place });
}

function ancestorIds(tree: TraceTree, spanId: string | undefined): Set<string> {
  const ids = new Set<string>();
  if (spanId === undefined) return ids;
  const parentOf = new Map<string, string>();
  for (const [parent, children] of tree.childrenOf) {
    for (const child of children) parentOf.set(child.spanId, parent);
  }
  for (let id: string | undefined = spanId; id !== undefined; id = parentOf.get(id)) ids.add(id);
  return ids;
}

/** Whether the way up from a span ends, rather than coming round; `sound` remembers the spans for which it does. */
function leadsToRoot(span: Span, byId: ReadonlyMap<string, Span>, sound: Set<string>): boolean {
  const way = new Set<string>();
  for (let at: Span | undefined = span; at !== undefined;) {
    if (sound.has(at.spanId)) break;
    if (way.has(at.spanId)) return false;
    way.add(at.spanId);
    at = at.parentSpanId === undefined ? undefined : byId.get(at.parentSpanId);
  }
  for (const id of way) sound.add(id);
  return true;
}
