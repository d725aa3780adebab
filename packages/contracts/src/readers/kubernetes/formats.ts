/** The formats of Kubernetes. */

import type { EvidenceFormat } from "../format.ts";
import { readKubernetes, recogniseKubernetes } from "./read-kubernetes.ts";

export const kubernetesFormats: readonly EvidenceFormat[] = [
  {
    name: "kubernetes",
    description:
      "Kubernetes objects as JSON or YAML, or the text of kubectl describe, get and events",
    recognise: ({ head }) => head !== undefined && recogniseKubernetes(head),
    read: (input) => readKubernetes(input.text()),
  },
];
