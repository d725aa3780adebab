/** Refuses nodes from which allocated devices cannot be reached, or that have too few free devices. */

import { matchesTerm } from "../../kubernetes/selector.ts";
import type { DevicePool, DeviceRequest } from "../devices.ts";
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
    const lacking = lackingDevices(situation);
    return lacking === undefined ? perClaim : [...perClaim, lacking];
  },
  unknown({ node, devices, pools }) {
    if (devices.length === 0) return nothing;
    return [
      ...devices.flatMap((state) => (state.kind === "unknown" ? [state.what] : [])),
      ...unjudged({ node, devices, pools }),
    ];
  },
};

/** The requests that cannot be served whatever the expressions say: there are not enough free devices at all. */
function lackingDevices({ node, devices, pools }: Situation): Obstacle | undefined {
  if (pools === undefined) return undefined;
  const requests = requestsOf(devices);
  if (requests.length === 0) return undefined;
  const reachable = pools.filter((pool) => reaches(pool, node));
  // Devices that may be shared or share what they are made of are not counted; that there are none is certain.
  const free = (driver: string | undefined): number =>
    reachable
      .filter((pool) => driver === undefined || pool.driver === driver)
      .reduce((sum, pool) => sum + (pool.isIntricate ? Infinity : pool.free.length), 0);
  const drivers = new Set(requests.map(({ driver }) => driver));
  for (const driver of [...drivers, undefined]) {
    const asking = requests.filter((request) => driver === undefined || request.driver === driver);
    const wanted = asking.reduce((sum, request) => sum + request.count, 0);
    const available = free(driver);
    if (wanted > available) return { kind: "devices-lacking", driver, wanted, available };
  }
  return undefined;
}

function requestsOf(devices: Situation["devices"]): DeviceRequest[] {
  return devices.flatMap((state) => (state.kind === "wanted" ? state.requests : []));
}

function unjudged({
  node,
  devices,
  pools,
}: Pick<Situation, "node" | "devices" | "pools">): string[] {
  const requests = requestsOf(devices);
  if (requests.length === 0) return [];
  if (pools === undefined) return ["the resource slices: kubectl get resourceslices -o json"];
  const isIntricate = pools.some((pool) => pool.isIntricate && reaches(pool, node));
  return [
    ...requests.flatMap((request) => request.unjudged),
    ...(isIntricate ? ["whether the devices that are left can be allocated together"] : []),
  ];
}

function reaches({ nodeName, terms, isEverywhere }: DevicePool, node: Node): boolean {
  if (isEverywhere) return true;
  if (nodeName !== undefined) return nodeName === node.name;
  return terms?.some((term) => matchesTerm(term, node)) ?? false;
}
