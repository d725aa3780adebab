/** What a pod asks of a node: the scheduler's sum over containers, init containers, sidecars and overhead. */

import type { Fields } from "../model/fields.ts";
import { fieldsAt, listAt, textAt, textsAt } from "../kubernetes/fields.ts";
import { resourceAmount } from "../kubernetes/quantity.ts";

/** Amounts by resource name; cpu in thousandths, all else in whole units. Absent means 0. */
export type Amounts = ReadonlyMap<string, bigint>;

/** Requests of a pod, and the places where a quantity could not be read. */
export interface PodRequests {
  readonly amounts: Amounts;
  readonly unreadable: readonly string[];
}

/**
 * The pod's effective requests. Init containers run one after another, so each counts for itself on top of the
 * sidecars (restartable init containers) that were started before it; app containers run together with all sidecars.
 * Requests for the whole pod replace those of its containers, resource by resource.
 */
export function podRequests(spec: Fields): PodRequests {
  const unreadable: string[] = [];
  const running = new Map<string, bigint>();
  let peak: Amounts = new Map();
  for (const [index, container] of listAt(spec, "initContainers").entries()) {
    const own = containerRequests(container, `spec.initContainers[${index}]`, unreadable);
    if (textAt(container, "restartPolicy") === "Always") {
      addTo(running, own);
      peak = largest(peak, running);
    } else {
      peak = largest(peak, sum(running, own));
    }
  }
  const together = new Map(running);
  for (const [index, container] of listAt(spec, "containers").entries()) {
    addTo(together, containerRequests(container, `spec.containers[${index}]`, unreadable));
  }
  const total = new Map(largest(peak, together));
  const pod = fieldsAt(spec, "resources");
  for (const [resource, amount] of readList(
    fieldsAt(pod, "limits"),
    "spec.resources.limits",
    unreadable,
  )) {
    // A limit of the pod stands in for its request only where no container asks for anything.
    if (!total.has(resource)) total.set(resource, amount);
  }
  for (const [resource, amount] of readList(
    fieldsAt(pod, "requests"),
    "spec.resources.requests",
    unreadable,
  )) {
    total.set(resource, amount);
  }
  addTo(total, readList(fieldsAt(spec, "overhead"), "spec.overhead", unreadable));
  return { amounts: total, unreadable };
}

/** A container's requests; where one is absent the limit takes its place, as the API server fills it in. */
function containerRequests(container: unknown, place: string, unreadable: string[]): Amounts {
  const resources = fieldsAt(container, "resources");
  const limits = readList(fieldsAt(resources, "limits"), `${place}.resources.limits`, unreadable);
  const requests = readList(
    fieldsAt(resources, "requests"),
    `${place}.resources.requests`,
    unreadable,
  );
  return new Map([...limits, ...requests]);
}

/** Amounts of a resource list. */
export function readList(list: Fields, place: string, unreadable: string[]): Map<string, bigint> {
  const amounts = new Map<string, bigint>();
  for (const [resource, text] of textsAt(list)) {
    const amount = resourceAmount(resource, text);
    if (amount === undefined || amount < 0n)
      unreadable.push(`${place}.${resource}: ${text.slice(0, 64)}`);
    else amounts.set(resource, amount);
  }
  return amounts;
}

/** The sum of two lists. */
export function sum(left: Amounts, right: Amounts): Map<string, bigint> {
  const total = new Map(left);
  addTo(total, right);
  return total;
}

function addTo(total: Map<string, bigint>, more: Amounts): void {
  for (const [resource, amount] of more) total.set(resource, (total.get(resource) ?? 0n) + amount);
}

function largest(left: Amounts, right: Amounts): Map<string, bigint> {
  const peak = new Map(left);
  for (const [resource, amount] of right) {
    if (amount > (peak.get(resource) ?? 0n)) peak.set(resource, amount);
  }
  return peak;
}
