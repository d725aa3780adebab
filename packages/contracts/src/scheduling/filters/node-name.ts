/** Refuses every node but the one that the pod names. */

import { type Filter, nothing } from "./filter.ts";

export const nodeName: Filter = {
  plugin: "NodeName",
  judge({ pod, node }) {
    if (pod.nodeName === undefined || pod.nodeName === node.name) return nothing;
    return [{ kind: "node-name", wanted: pod.nodeName }];
  },
  unknown: () => nothing,
};
