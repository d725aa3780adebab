/** Says in a few words what was read. */

import type { Evidence } from "../model/evidence.ts";
import { plural } from "../text/plural.ts";

type Content = Evidence["content"];
type Kind = Content["kind"];

/** How evidence of one kind is counted: by what it is, and where that says more by what it holds. */
interface Counted<OfKind extends Content> {
  count(content: OfKind): number;
  held?(content: OfKind): number;
  words(count: number, held: number): string;
}

const one = (): number => 1;

/** In the order in which they are told. */
const countedKinds: { readonly [K in Kind]: Counted<Extract<Content, { kind: K }>> } = {
  trace: {
    count: one,
    held: ({ spans }) => spans.length,
    words: (traces, spans) => `${plural(traces, "trace")} with ${plural(spans, "span")}`,
  },
  kubernetes: {
    count: ({ objects }) => objects.length,
    words: (objects) => plural(objects, "Kubernetes object"),
  },
  transcript: {
    count: one,
    held: ({ turns }) => turns.length,
    words: (count, turns) => `${plural(count, "transcript")} with ${plural(turns, "turn")}`,
  },
  "trace-population": { count: one, words: (count) => `${plural(count, "count")} of traces` },
  metrics: {
    count: ({ series }) => series.length,
    words: (series) => `${series} metric series`,
  },
  logs: {
    count: one,
    held: ({ lines }) => lines.length,
    words: (logs, lines) => `${plural(logs, "log")} with ${plural(lines, "line")}`,
  },
  environment: { count: one, words: (count) => plural(count, "environment") },
  goroutines: {
    count: one,
    held: ({ goroutineCount }) => goroutineCount,
    words: (count, held) => `${plural(count, "recording")} of ${plural(held, "goroutine")}`,
  },
  profile: { count: one, words: (count) => plural(count, "profile") },
  resources: { count: one, words: (count) => plural(count, "listing") },
  changes: { count: ({ events }) => events.length, words: (count) => plural(count, "change") },
  training: {
    count: one,
    held: ({ steps }) => steps.length,
    words: (count, steps) => `${plural(count, "record")} of ${plural(steps, "training step")}`,
  },
  operators: {
    count: ({ operators }) => operators.length,
    words: (count) => plural(count, "operator"),
  },
  outputs: {
    count: ({ outputs }) => outputs.length,
    words: (count) => plural(count, "recorded output"),
  },
  incident: {
    count: ({ alerts, statuses, patterns }) => alerts.length + statuses.length + patterns.length,
    words: (count) => `${plural(count, "report")} of monitors`,
  },
  topology: {
    count: ({ calls }) => calls.length,
    words: (count) => `${plural(count, "call")} between services`,
  },
  evaluation: {
    count: one,
    held: ({ cases }) => cases.length,
    words: (count, held) => `${plural(count, "evaluation")} of ${plural(held, "case")}`,
  },
  bundle: { count: one, words: (count) => plural(count, "bundle") },
  ledger: {
    count: one,
    held: ({ entries, uses, invoice }) =>
      (entries?.length ?? 0) + (uses?.length ?? 0) + (invoice?.length ?? 0),
    words: (count, held) => `${plural(count, "ledger")} of ${plural(held, "line")}`,
  },
  "model-release": { count: one, words: (count) => plural(count, "model") },
};

/** For example `2 traces with 31 spans and 4 Kubernetes objects`. */
export function evidenceWords(evidence: readonly Evidence[]): string {
  const tally = new Map<Kind, { count: number; held: number }>();
  for (const { content } of evidence) {
    // The table has for each kind what counts content of that kind.
    const counted = countedKinds[content.kind] as Counted<Content>;
    const sum = tally.get(content.kind) ?? { count: 0, held: 0 };
    sum.count += counted.count(content);
    sum.held += counted.held?.(content) ?? 0;
    tally.set(content.kind, sum);
  }
  const parts = Object.entries(countedKinds).flatMap(([kind, counted]) => {
    // The keys of the table are the kinds.
    const sum = tally.get(kind as Kind);
    return sum === undefined || sum.count === 0 ? [] : [counted.words(sum.count, sum.held)];
  });
  const last = parts.pop();
  if (last === undefined) return "no evidence";
  return parts.length === 0 ? last : `${parts.join(", ")} and ${last}`;
}
