/** Refuses nodes from which allocated devices cannot be reached, or whose devices cannot serve what is asked for. */

import { matchesTerm } from "../../kubernetes/selector.ts";
import { type Allocation, allocate } from "../device-allocation.ts";
import type { WantedDevices } from "../devices.ts";
import type { Node } from "../node.ts";
import type { Obstacle } from "../obstacle.ts";
import { type Filter, nothing, type Situation } from "./filter.ts";

export const dynamicResources: Filter = {
  plugin: "DynamicResources",
  judge(situation) {
    const { pod, node, devices } = situation;
    if (devices.length === 0) return nothing;
    const perClaim = devices.flatMap((state, index): Obstacle[] => {
      const name = pod.deviceClaims[index]?.name ?? "";
      if (state.kind === "refused")
        return [
          { kind: "device-refused", device: index, name, reason: state.reason, why: state.why },
        ];
      if (state.kind !== "allocated" || state.terms === undefined) return [];
      if (state.terms.some((term) => matchesTerm(term, node))) return [];
      return [{ kind: "device-elsewhere", device: index, name }];
    });
    const allocation = allocationIn(situation);
    if (allocation?.kind !== "impossible") return perClaim;
    const { driver, wanted, available } = allocation;
    return [...perClaim, { kind: "devices-lacking", driver, wanted, available }];
  },
  unknown(situation) {
    const { node, devices } = situation;
    if (devices.length === 0) return nothing;
    const untold = devices.flatMap((state) => (state.kind === "unknown" ? [state.what] : []));
    const allocation = allocationIn(situation);
    if (allocation?.kind === "possible") return [...untold, ...allocation.unjudged];
    const isUntold = allocation === undefined && wantedOn(node, devices).requests.length > 0;
    return isUntold
      ? [...untold, "the resource slices: kubectl get resourceslices -o json"]
      : untold;
  },
};

/** A memory and no state: both questions of a filter are about the same situation. */
const known = new WeakMap<Situation, Allocation>();

/** What comes of allocating all that is wanted; nothing where the devices are not known. */
function allocationIn(situation: Situation): Allocation | undefined {
  const { node, devices, pools } = situation;
  if (pools === undefined) return undefined;
  const answer = known.get(situation) ?? allocate(wantedOn(node, devices), pools, node);
  known.set(situation, answer);
  return answer;
}

/** What the pod wants of devices on a node: a resource that the node itself has is no matter of devices. */
function wantedOn(node: Node, devices: Situation["devices"]): WantedDevices {
  const wanted = devices.filter((state) => state.kind === "wanted");
  return {
    requests: wanted.flatMap(({ requests }) =>
      requests.filter(
        ({ resource }) => resource === undefined || isServedByDevices(resource, { node, devices }),
      ),
    ),
    shared: wanted.flatMap(({ shared }) => shared),
    unjudged: wanted.flatMap(({ unjudged }) => unjudged),
  };
}

/** Whether a device class stands in for a resource that a node has nothing of. */
export function isServedByDevices(
  resource: string,
  { node, devices }: Pick<Situation, "node" | "devices">,
): boolean {
  if ((node.allocatable.get(resource) ?? 0n) > 0n) return false;
  return devices.some(
    (state) =>
      (state.kind === "usable" && state.resources?.has(resource) === true) ||
      (state.kind === "wanted" && state.requests.some((request) => request.resource === resource)),
  );
}
