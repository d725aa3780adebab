/** Variants of traces in which every contract must find the same: what changes is how they were recorded. */

import type { Contract } from "../src/model/contract.ts";
import type { TraceContent } from "../src/model/evidence.ts";
import type { Span } from "../src/model/span.ts";
import type { Snapshot } from "../src/model/snapshot.ts";
import { createSnapshot } from "../src/snapshot/create-snapshot.ts";
import { request, spansOf, sql } from "../src/traces/trace-builder.ts";

/** A change of traces that must change no verdict. */
export interface TraceVariant {
  /** What was changed, to complete "finds the same when …". */
  readonly name: string;
  /** Whether ids or times differ, so that locators and quotes of findings differ with them. */
  readonly renames: boolean;
  readonly snapshot: Snapshot;
}

/** The service of the spans that variants add; its findings are not those of the traces. */
export const strangerService = "stranger-probe";

/** Variants of traces, each a list of spans: shuffled, doubled, in pieces, with strangers, renamed, shifted. */
export function traceVariants(traces: readonly (readonly Span[])[]): TraceVariant[] {
  const unchanged = { renames: false };
  return [
    {
      ...unchanged,
      name: "the spans come in the reverse order",
      snapshot: snapshotOf(traces.map((spans) => [...spans].reverse())),
    },
    {
      ...unchanged,
      name: "the spans come in no order",
      snapshot: snapshotOf(traces.map(scattered).reverse()),
    },
    {
      ...unchanged,
      name: "every span was sent twice",
      snapshot: snapshotOf(traces.map((spans) => [...spans, ...spans])),
    },
    {
      ...unchanged,
      name: "each trace lies in three pieces of evidence",
      snapshot: snapshotOf(traces.flatMap(inPieces)),
    },
    {
      ...unchanged,
      name: "a whole trace was recorded by two collectors",
      snapshot: snapshotOf(traces.flatMap((spans) => [[...spans], [...spans].slice(1)])),
    },
    {
      ...unchanged,
      name: "traces of other work are added",
      snapshot: snapshotOf([...traces, strangers(901), strangers(902)]),
    },
    {
      ...unchanged,
      name: "spans of other work stand beside those of the trace",
      snapshot: snapshotOf(traces.map(withStrangers)),
    },
    {
      renames: true,
      name: "every id is another",
      snapshot: snapshotOf(traces.map((spans) => spans.map(withOtherIds))),
    },
    {
      renames: true,
      name: "everything happened a day later",
      snapshot: snapshotOf(traces.map((spans) => spans.map((span) => laterBy(span, dayMicros)))),
    },
  ];
}

/** What a contract finds in traces, without what renaming changes and without the findings about strangers. */
export function factsOf(
  contract: Contract,
  { snapshot, renames }: Pick<TraceVariant, "snapshot" | "renames">,
): unknown[] {
  return contract
    .check(snapshot)
    .filter(({ subject }) => !subject.name.includes(strangerService))
    .map(({ verdict, subject, title, measures, evidence }) => ({
      verdict,
      subject,
      title,
      measures,
      offenderCount: evidence.length,
      ...(renames ? {} : { offenders: new Set(evidence.map(({ locator }) => locator)) }),
    }));
}

const dayMicros = 86_400_000_000;

function snapshotOf(traces: readonly (readonly Span[])[]): Snapshot {
  return createSnapshot(
    traces.flatMap((spans) => {
      const [first] = spans;
      if (first === undefined) return [];
      const content: TraceContent = { kind: "trace", traceId: first.traceId, spans: [...spans] };
      return [{ source: { name: "test", format: "test", notes: [] }, content }];
    }),
  );
}

/** Every seventh span, then every seventh after the first, and so on. */
function scattered(spans: readonly Span[]): Span[] {
  const step = 7;
  return Array.from({ length: step }, (_, offset) =>
    spans.filter((_span, index) => index % step === offset),
  )
    .reverse()
    .flat();
}

function inPieces(spans: readonly Span[]): Span[][] {
  return [0, 1, 2].map((piece) => spans.filter((_, index) => index % 3 === piece));
}

function strangers(seed: number): Span[] {
  const health = request(
    "/health",
    [sql("SELECT * FROM health WHERE node = $1", { durationMicros: 300 }), { name: "render" }],
    strangerService,
  );
  return spansOf(health, seed);
}

/** A request of another service within the same trace, below its first span and during it. */
function withStrangers(spans: readonly Span[], position: number): Span[] {
  const first = [...spans].sort((left, right) => left.startMicros - right.startMicros)[0];
  if (first === undefined) return [];
  const added = strangers(910 + position);
  const shift = first.startMicros + 5 - (added[0]?.startMicros ?? 0);
  const placed = added.map((span, index) => ({
    ...laterBy(span, shift),
    traceId: first.traceId,
    ...(index === 0 ? { parentSpanId: first.spanId } : {}),
  }));
  return [...spans, ...placed];
}

function laterBy(span: Span, micros: number): Span {
  return {
    ...span,
    startMicros: span.startMicros + micros,
    events: span.events.map((event) => ({ ...event, timeMicros: event.timeMicros + micros })),
  };
}

/** Each hexadecimal digit becomes the one that completes it to fifteen. */
function withOtherIds(span: Span): Span {
  return {
    ...span,
    traceId: otherId(span.traceId),
    spanId: otherId(span.spanId),
    ...(span.parentSpanId === undefined ? {} : { parentSpanId: otherId(span.parentSpanId) }),
    links: span.links.map((link) => ({
      ...link,
      traceId: otherId(link.traceId),
      spanId: otherId(link.spanId),
    })),
  };
}

function otherId(id: string): string {
  return id.replace(/[0-9a-f]/g, (digit) => (15 - Number.parseInt(digit, 16)).toString(16));
}
