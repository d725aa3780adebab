/** Makes incidents for tests: services whose metrics depart at a moment, and the changes before it. */

import type { ChangeEvent, CommitChange } from "../model/changes.ts";
import type { Evidence, EvidenceContent, LogLine, MetricSeries } from "../model/evidence.ts";
import type { Snapshot } from "../model/snapshot.ts";
import { createSnapshot } from "../snapshot/create-snapshot.ts";

/** A repeatable source of numbers between 0 and 1, by the generator of Park and Miller. */
export function seeded(seed: number): () => number {
  let state = (seed * 2_654_435_761) % 2_147_483_647 || 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

/** A normal variable, by the transform of Box and Muller. */
export function normal(next: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
}

/** The incident begins at this moment, after an hour of calm; points come every minute. */
export const onsetMicros = 1_750_000_000_000_000;
const minute = 60e6;
const calmCount = 60;
const lateCount = 15;

/** A series that is calm around `before` and then around `after`. */
export function stepSeries(
  service: string,
  name: string,
  [before, after]: readonly [before: number, after: number],
): MetricSeries {
  const next = seeded(1 + service.length * 131 + name.length * 17);
  const values = Array.from({ length: calmCount + lateCount }, (_, at) => {
    const level = at < calmCount ? before : after;
    return level * (1 + 0.03 * normal(next));
  });
  return {
    name,
    labels: { service },
    type: "gauge",
    timesMicros: values.map((_, at) => onsetMicros + (at - calmCount) * minute),
    values,
  };
}

/** Lines of one text since the onset. */
export function failureLines(service: string, text: string, count = 20): LogLine[] {
  return Array.from({ length: count }, (_, index) => ({
    timeMicros: onsetMicros + index * 10e6,
    severity: "error" as const,
    service,
    text,
  }));
}

/** A commit and the deploy that brought it to a service, so many minutes before the onset. */
export function deployed(
  commit: { id: string; message: string; path: string; diff: string },
  service: string,
  minutesBefore: number,
): ChangeEvent[] {
  const timeMicros = onsetMicros - minutesBefore * minute;
  const { id, message, path, diff } = commit;
  const made: CommitChange = {
    kind: "commit",
    id: id.padEnd(40, "0"),
    timeMicros: timeMicros - minute,
    message,
    files: [path],
    diff: `--- a/${path}\n+++ b/${path}\n@@ -1,9 +1,9 @@\n${diff}`,
  };
  return [made, { kind: "deploy", timeMicros, service, commit: made.id, version: `v-${id}` }];
}

export interface IncidentParts {
  readonly series?: readonly MetricSeries[];
  readonly lines?: readonly LogLine[];
  readonly events?: readonly ChangeEvent[];
  readonly calls?: readonly { readonly from: string; readonly to: string }[];
  readonly beganMicros?: number;
}

/** One snapshot of it all. */
export function incident({
  series = [],
  lines = [],
  events = [],
  calls = [],
  beganMicros,
}: IncidentParts): Snapshot {
  const contents: EvidenceContent[] = [];
  if (series.length > 0) contents.push({ kind: "metrics", series: [...series] });
  if (lines.length > 0) contents.push({ kind: "logs", lines: [...lines] });
  if (events.length > 0) contents.push({ kind: "changes", events: [...events] });
  if (calls.length > 0) contents.push({ kind: "topology", calls: [...calls] });
  if (beganMicros !== undefined)
    contents.push({ kind: "incident", beganMicros, alerts: [], statuses: [], patterns: [] });
  return createSnapshot(contents.map((content) => ({ source: sourceOf(content), content })));
}

function sourceOf({ kind }: EvidenceContent): Evidence["source"] {
  return { name: kind, format: "test", notes: [] };
}
