/** What a pod asks of a node: the scheduler's sum over containers, init containers, sidecars and overhead. */

import type { Fields } from "../model/fields.ts";
import { fieldsAt, isPresentAt, listAt, textAt, textsAt } from "../kubernetes/fields.ts";
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
 * Requests for the whole pod replace those of its containers, resource by resource. For a pod that runs, `status`
 * tells what its containers hold: while a resize is under way the larger of what is asked for and what is held counts,
 * and only what is held when the resize cannot be done.
 */
export function podRequests(spec: Fields, status: Fields = {}): PodRequests {
  const unreadable: string[] = [];
  const held = heldRequests(status);
  const share = (container: unknown, place: string, isInit: boolean): Share => ({
    amounts: held(container, containerRequests(container, place, unreadable)),
    isInit,
    isSidecar: isInit && textAt(container, "restartPolicy") === "Always",
  });
  const total = combine([
    ...listAt(spec, "initContainers").map((container, index) =>
      share(container, `spec.initContainers[${index}]`, true),
    ),
    ...listAt(spec, "containers").map((container, index) =>
      share(container, `spec.containers[${index}]`, false),
    ),
  ]);
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

/** What one container adds to its pod. */
export interface Share {
  readonly amounts: Amounts;
  readonly isInit: boolean;
  readonly isSidecar: boolean;
}

/** What containers need together: init containers first and in their order, sidecars with all that follows them. */
export function combine(shares: readonly Share[]): Map<string, bigint> {
  const running = new Map<string, bigint>();
  let peak: Amounts = new Map();
  for (const { amounts, isInit, isSidecar } of shares) {
    if (isInit && !isSidecar) {
      peak = largest(peak, sum(running, amounts));
      continue;
    }
    addTo(running, amounts);
    if (isInit) peak = largest(peak, running);
  }
  return largest(peak, running);
}

/** For each container what counts of the requests that are asked for and those that are held. */
function heldRequests(status: Fields): (container: unknown, asked: Amounts) => Amounts {
  const statuses = new Map(
    ["containerStatuses", "initContainerStatuses"]
      .flatMap((name) => listAt(status, name))
      .filter((item) => isPresentAt(item, "resources"))
      .map((item) => [textAt(item, "name") ?? "", item] as const),
  );
  if (statuses.size === 0) return (_container, asked) => asked;
  const isInfeasible =
    textAt(status, "resize") === "Infeasible" ||
    listAt(status, "conditions").some(
      (item) =>
        textAt(item, "type") === "PodResizePending" &&
        textAt(item, "status") === "True" &&
        textAt(item, "reason") === "Infeasible",
    );
  return (container, asked) => {
    const found = statuses.get(textAt(container, "name") ?? "");
    if (found === undefined) return asked;
    const actual = largest(
      readList(fieldsAt(found, "resources", "requests"), "", []),
      readList(fieldsAt(found, "allocatedResources"), "", []),
    );
    return isInfeasible ? actual : largest(asked, actual);
  };
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

function sum(left: Amounts, right: Amounts): Map<string, bigint> {
  const total = new Map(left);
  addTo(total, right);
  return total;
}

/** Adds the amounts of a list to a total. */
export function addTo(total: Map<string, bigint>, more: Amounts): void {
  for (const [resource, amount] of more) total.set(resource, (total.get(resource) ?? 0n) + amount);
}

function largest(left: Amounts, right: Amounts): Map<string, bigint> {
  const peak = new Map(left);
  for (const [resource, amount] of right) {
    if (amount > (peak.get(resource) ?? 0n)) peak.set(resource, amount);
  }
  return peak;
}
