/** Refuses nodes on which a host port that the pod wants is held. */

import type { HostPort } from "../pod.ts";
import { type Filter, nothing } from "./filter.ts";

export const nodePorts: Filter = {
  plugin: "NodePorts",
  judge({ pod, node }) {
    if (pod.hostPorts.length === 0) return nothing;
    return pod.hostPorts.flatMap((port) => {
      const held = node.heldPorts.find((other) => conflicts(port, other));
      return held === undefined ? [] : [{ kind: "port", port, holder: held.holder } as const];
    });
  },
  unknown({ pod, node }) {
    if (pod.hostPorts.length === 0 || !node.unknown.has("used")) return nothing;
    return [`the pods on node ${node.name}`];
  },
};

/** The same port and protocol on one address, where 0.0.0.0 stands for every address. */
export function conflicts(left: HostPort, right: HostPort): boolean {
  if (left.port !== right.port || left.protocol !== right.protocol) return false;
  return left.hostIP === right.hostIP || left.hostIP === "0.0.0.0" || right.hostIP === "0.0.0.0";
}
