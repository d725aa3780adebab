/** The formats of Kubernetes. */

import type { EvidenceFormat } from "../format.ts";
import { ObjectStream } from "./object-stream.ts";
import { isBareJson, readKubernetes, recogniseKubernetes } from "./read-kubernetes.ts";

export const kubernetesFormats: readonly EvidenceFormat[] = [
  {
    name: "kubernetes",
    description:
      "Kubernetes objects as JSON or YAML, or the text of kubectl describe, get, events, top and rollout",
    recognise: ({ head }) => head !== undefined && recogniseKubernetes(head),
    read: (input) => {
      const { objects, metrics, notes } = readKubernetes(input.text());
      // A table of usage holds no object, and no objects at all would be a cluster without any.
      return metrics === undefined ? { objects, notes } : { contents: [metrics], notes };
    },
    open: ({ head }) => (head !== undefined && isBareJson(head) ? new ObjectStream() : undefined),
  },
];
