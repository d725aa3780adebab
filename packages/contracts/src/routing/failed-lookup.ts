/** Gathers failed lookups of names from logs, events, states of containers and spans. */

import type { EvidenceReference } from "../model/evidence.ts";
import type { Fields } from "../model/fields.ts";
import { evidenceOfKind, type Snapshot } from "../model/snapshot.ts";
import type { Span } from "../model/span.ts";
import { fieldsAt, listAt, textAt, textListAt } from "../kubernetes/fields.ts";
import { eventsInOrder } from "../kubernetes/event-order.ts";
import { objectsOf, referenceTo } from "../kubernetes/objects.ts";
import { podsOf } from "../kubernetes/pods.ts";
import { compareText } from "../text/compare-text.ts";
import { mark } from "../traces/marks.ts";
import { tracesOf } from "../traces/trace.ts";
import { type LookupMessage, lookupIn, type LookupOutcome } from "./lookup-message.ts";
import { namesInText } from "./name-in-text.ts";

/** Quotes of one name that a finding holds. */
const quotesMax = 16;

export interface FailedLookup {
  /** Empty where no record says which name it was. */
  readonly host: string;
  readonly outcome: LookupOutcome;
  readonly count: number;
  /** Namespaces of the pods that asked, where the records tell. */
  readonly namespaces: readonly string[];
  readonly evidence: readonly EvidenceReference[];
}

class Gathered {
  readonly #byName = new Map<
    string,
    { -readonly [Key in keyof FailedLookup]: FailedLookup[Key] }
  >();

  add(message: LookupMessage, reference: EvidenceReference, namespace: string | undefined): void {
    const key = `${message.host} ${message.outcome}`;
    const known = this.#byName.get(key) ?? { ...message, count: 0, namespaces: [], evidence: [] };
    this.#byName.set(key, known);
    known.count += 1;
    if (namespace !== undefined && !known.namespaces.includes(namespace)) {
      known.namespaces = [...known.namespaces, namespace];
    }
    if (known.evidence.length < quotesMax) known.evidence = [...known.evidence, reference];
  }

  /** By name. What names nothing says no more where a name of the same outcome is known. */
  list(): FailedLookup[] {
    const all = [...this.#byName.values()];
    const named = all.filter((item) => item.host !== "");
    const nameless = all.filter(
      (item) => item.host === "" && !named.some((other) => other.outcome === item.outcome),
    );
    return [...named, ...nameless].sort(
      (left, right) =>
        compareText(left.host, right.host) || compareText(left.outcome, right.outcome),
    );
  }
}

/** Every name whose lookup failed, each once for each outcome. */
export function failedLookups(snapshot: Snapshot): FailedLookup[] {
  const gathered = new Gathered();
  addLogs(snapshot, gathered);
  addObjects(snapshot, gathered);
  addSpans(snapshot, gathered);
  return gathered.list();
}

function addLogs(snapshot: Snapshot, gathered: Gathered): void {
  for (const evidence of evidenceOfKind(snapshot, "logs")) {
    const { content } = evidence;
    for (const [index, line] of content.lines.entries()) {
      const message = lookupIn(line.text);
      if (message === undefined) continue;
      const reference = { evidenceId: evidence.id, locator: `/lines/${index}`, quote: line.text };
      gathered.add(message, reference, content.about?.namespace);
    }
  }
}

function addObjects(snapshot: Snapshot, gathered: Gathered): void {
  const objects = objectsOf(snapshot);
  for (const event of eventsInOrder(objects)) {
    const text = textAt(event.object, "message") ?? "";
    const message = lookupIn(text);
    if (message === undefined) continue;
    const namespace = textAt(event.object, "involvedObject", "namespace");
    gathered.add(message, referenceTo(event, text), namespace ?? event.object.metadata.namespace);
  }
  for (const pod of podsOf(objects)) {
    if (pod.isTemplate) continue;
    for (const status of listAt(pod.source.object, "status", "containerStatuses")) {
      const container = listAt(pod.spec, "containers").find(
        (item) => textAt(item, "name") === textAt(status, "name"),
      );
      for (const state of ["state", "lastState"]) {
        const ended = fieldsAt(status, state, "terminated");
        const found = endedLookup(ended, container);
        if (found === undefined) continue;
        gathered.add(found, referenceTo(pod.source, quoteOf(ended, container)), pod.namespace);
        break;
      }
    }
  }
}

/** The last words of a container, or the exit code 6 of curl, which stands for a host that did not resolve. */
function endedLookup(ended: Fields, container: unknown): LookupMessage | undefined {
  const message = lookupIn(textAt(ended, "message") ?? "");
  if (message !== undefined) return message;
  const words = [...textListAt(container, "command"), ...textListAt(container, "args")];
  const isCurl =
    /(?:^|\/)curl$/.test(words[0] ?? "") ||
    (/(?:^|\/)curl(?::|@|$)/.test(textAt(container, "image") ?? "") && words.length > 0);
  if (textAt(ended, "exitCode") !== "6" || !isCurl) return undefined;
  const text = words.join(" ");
  const host =
    namesInText(text)[0]?.host ?? /[a-z]+:\/\/(?:[^\s/@]*@)?([A-Za-z0-9.-]+)/.exec(text)?.[1];
  return host === undefined ? undefined : { host, outcome: "unknown" };
}

function quoteOf(ended: Fields, container: unknown): string {
  const message = textAt(ended, "message");
  if (message !== undefined && message !== "") return message;
  const words = [...textListAt(container, "command"), ...textListAt(container, "args")].join(" ");
  return `${words}: exit code ${textAt(ended, "exitCode") ?? ""}`;
}

/** Only spans that failed say why; all others are passed by. */
function addSpans(snapshot: Snapshot, gathered: Gathered): void {
  for (const trace of tracesOf(snapshot)) {
    if (!trace.hasMarks(mark.failedStatus)) continue;
    for (let index = 0; index < trace.spans.length; index += 1) {
      if ((trace.marksOf(index) & mark.failedStatus) === 0) continue;
      const found = spanLookup(trace.span(index));
      if (found === undefined) continue;
      const [message, quote] = found;
      gathered.add(message, trace.reference(index, quote), undefined);
    }
  }
}

function spanLookup(span: Span): readonly [LookupMessage, string] | undefined {
  const texts = [
    span.status.message,
    ...span.events.map((event) => event.attributes["exception.message"]),
    span.attributes["error.message"],
    span.attributes["exception.message"],
  ];
  for (const text of texts) {
    const message = typeof text === "string" ? lookupIn(text) : undefined;
    if (message === undefined || typeof text !== "string") continue;
    const address = span.attributes["server.address"] ?? span.attributes["net.peer.name"];
    const host = message.host === "" && typeof address === "string" ? address : message.host;
    return [{ ...message, host }, text];
  }
  return undefined;
}
