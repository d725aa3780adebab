/** Says in a few words what was read. */

import type { Evidence } from "../model/evidence.ts";
import { plural } from "../text/plural.ts";

/** For example `2 traces with 31 spans and 4 Kubernetes objects`. */
export function evidenceWords(evidence: readonly Evidence[]): string {
  const tally = { traces: 0, spans: 0, objects: 0, transcripts: 0, turns: 0, populations: 0 };
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
  ];
  const last = parts.pop();
  if (last === undefined) return "no evidence";
  return parts.length === 0 ? last : `${parts.join(", ")} and ${last}`;
}
