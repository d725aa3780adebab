/** Events in an order of their own: they have no identity by which the evidence could be sorted. */

import { canonicalJson } from "../snapshot/canonical-json.ts";
import { compareText } from "../text/compare-text.ts";
import { textAt } from "./fields.ts";
import type { Objects, Source } from "./objects.ts";

/** The events of the evidence by what they are about and what they say, so that their order never matters. */
export function eventsInOrder(objects: Objects): readonly Source[] {
  const known = eventsByObjects.get(objects);
  if (known !== undefined) return known;
  const keyed = objects.events.map((event) => ({ event, key: keyOf(event) }));
  const events = keyed
    .sort((left, right) => compareText(left.key, right.key))
    .map(({ event }) => event);
  eventsByObjects.set(objects, events);
  return events;
}

/** A memory and no state: the same objects always have the same events. */
const eventsByObjects = new WeakMap<Objects, readonly Source[]>();

function keyOf({ object }: Source): string {
  return [
    textAt(object, "involvedObject", "namespace") ?? object.metadata.namespace ?? "default",
    textAt(object, "involvedObject", "name") ?? "",
    textAt(object, "reason") ?? "",
    textAt(object, "message") ?? "",
    canonicalJson(object),
  ].join("\n");
}
