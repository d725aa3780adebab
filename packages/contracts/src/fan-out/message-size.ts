/** Messages on queues and topics that are larger than their budget. */

import type { FindingParts } from "../model/make-finding.ts";
import type { EvidenceReference } from "../model/evidence.ts";
import type { Snapshot } from "../model/snapshot.ts";
import { compareText } from "../text/compare-text.ts";
import { plural } from "../text/plural.ts";
import { textOf } from "../traces/call.ts";
import { mark } from "../traces/marks.ts";
import { tracesOf } from "../traces/trace.ts";
import { messageBytesOf } from "./payload-bytes.ts";

interface Destination {
  readonly service: string;
  readonly name: string;
  readonly evidence: EvidenceReference[];
  countLarge: number;
  count: number;
  bytesMax: number;
}

/** What the recorded sizes of published messages say about each destination. */
export function judgeMessages(snapshot: Snapshot, bytesMax: number): FindingParts[] {
  const destinations = new Map<string, Destination>();
  for (const trace of tracesOf(snapshot)) {
    for (let index = 0; index < trace.spans.length; index += 1) {
      const marks = trace.marksOf(index);
      if ((marks & mark.messaging) === 0) continue;
      const span = trace.span(index);
      // What one publishes others receive: each message is counted where it was sent.
      const bytes = span.kind === "consumer" ? undefined : messageBytesOf(span, marks);
      if (bytes === undefined) continue;
      const name =
        textOf(span.attributes, "messaging.destination.name", "messaging.destination") ?? span.name;
      const key = `${span.service} ${name}`;
      const known = destinations.get(key);
      const destination = known ?? {
        service: span.service,
        name,
        evidence: [],
        countLarge: 0,
        count: 0,
        bytesMax: 0,
      };
      if (known === undefined) destinations.set(key, destination);
      destination.count += 1;
      destination.bytesMax = Math.max(destination.bytesMax, bytes);
      if (bytes > bytesMax) {
        destination.countLarge += 1;
        destination.evidence.push(trace.reference(index, `${bytes} bytes to ${name}`));
      }
    }
  }
  return [...destinations]
    .filter(([, { countLarge }]) => countLarge > 0)
    .sort(([left], [right]) => compareText(left, right))
    .map(([key, destination]) => findingOf(key, destination, bytesMax));
}

function findingOf(key: string, destination: Destination, bytesMax: number): FindingParts {
  const { service, name, countLarge, count } = destination;
  return {
    verdict: "violated",
    subject: { kind: "destination", name: key },
    title: `${service} publishes messages of up to ${destination.bytesMax} bytes to ${name}, more than the budget of ${bytesMax}`,
    actual: `${plural(countLarge, "message")} of ${count} beyond the budget`,
    causeKind: "data",
    measures: {
      messageBytesMax: destination.bytesMax,
      budgetBytes: bytesMax,
      messageCountLarge: countLarge,
      messageCount: count,
    },
    evidence: destination.evidence,
    fixes: [
      {
        description:
          "Put the content into a blob store and publish its address and hash, or split it into messages that fit.",
        cost: 1,
      },
    ],
    nextChecks: ["Look at the broker's largest message size: what exceeds it is refused."],
  };
}
