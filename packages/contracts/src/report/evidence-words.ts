/** Says in a few words what was read. */

import type { Evidence } from "../model/evidence.ts";
import { plural } from "../text/plural.ts";

/** For example `2 traces with 31 spans and 4 Kubernetes objects`. */
export function evidenceWords(evidence: readonly Evidence[]): string {
  const tally = {
    traces: 0,
    spans: 0,
    objects: 0,
    transcripts: 0,
    turns: 0,
    populations: 0,
    series: 0,
    logs: 0,
    lines: 0,
    environments: 0,
    goroutines: 0,
    goroutineRecordings: 0,
    profiles: 0,
    resources: 0,
    changes: 0,
    reports: 0,
    runs: 0,
    steps: 0,
    operators: 0,
    releases: 0,
  };
  for (const { content } of evidence) {
    switch (content.kind) {
      case "trace":
        tally.traces += 1;
        tally.spans += content.spans.length;
        break;
      case "kubernetes":
        tally.objects += content.objects.length;
        break;
      case "transcript":
        tally.transcripts += 1;
        tally.turns += content.turns.length;
        break;
      case "trace-population":
        tally.populations += 1;
        break;
      case "metrics":
        tally.series += content.series.length;
        break;
      case "logs":
        tally.logs += 1;
        tally.lines += content.lines.length;
        break;
      case "environment":
        tally.environments += 1;
        break;
      case "goroutines":
        tally.goroutineRecordings += 1;
        tally.goroutines += content.goroutineCount;
        break;
      case "profile":
        tally.profiles += 1;
        break;
      case "resources":
        tally.resources += 1;
        break;
      case "changes":
        tally.changes += content.events.length;
        break;
      case "training":
        tally.runs += 1;
        tally.steps += content.steps.length;
        break;
      case "operators":
        tally.operators += content.operators.length;
        break;
      case "incident":
        tally.reports +=
          content.alerts.length + content.statuses.length + content.patterns.length;
        break;
      case "model-release":
        tally.releases += 1;
        break;
    }
  }
  const parts = [
    ...(tally.traces === 0
      ? []
      : [`${plural(tally.traces, "trace")} with ${plural(tally.spans, "span")}`]),
    ...(tally.objects === 0 ? [] : [plural(tally.objects, "Kubernetes object")]),
    ...(tally.transcripts === 0
      ? []
      : [`${plural(tally.transcripts, "transcript")} with ${plural(tally.turns, "turn")}`]),
    ...(tally.populations === 0 ? [] : [`${plural(tally.populations, "count")} of traces`]),
    ...(tally.series === 0 ? [] : [`${tally.series} metric series`]),
    ...(tally.logs === 0
      ? []
      : [`${plural(tally.logs, "log")} with ${plural(tally.lines, "line")}`]),
    ...(tally.environments === 0 ? [] : [plural(tally.environments, "environment")]),
    ...(tally.goroutineRecordings === 0
      ? []
      : [
          `${plural(tally.goroutineRecordings, "recording")} of ${plural(tally.goroutines, "goroutine")}`,
        ]),
    ...(tally.profiles === 0 ? [] : [plural(tally.profiles, "profile")]),
    ...(tally.resources === 0 ? [] : [plural(tally.resources, "listing")]),
    ...(tally.changes === 0 ? [] : [plural(tally.changes, "change")]),
    ...(tally.runs === 0
      ? []
      : [`${plural(tally.runs, "record")} of ${plural(tally.steps, "training step")}`]),
    ...(tally.operators === 0 ? [] : [plural(tally.operators, "operator")]),
    ...(tally.reports === 0 ? [] : [`${plural(tally.reports, "report")} of monitors`]),
    ...(tally.releases === 0 ? [] : [plural(tally.releases, "model")]),
  ];
  const last = parts.pop();
  if (last === undefined) return "no evidence";
  return parts.length === 0 ? last : `${parts.join(", ")} and ${last}`;
}
