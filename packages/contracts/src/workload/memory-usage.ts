/** The measured memory of a container. */

import type { EvidenceReference } from "../model/evidence.ts";
import { evidenceOfKind, type Snapshot } from "../model/snapshot.ts";
import type { PodView } from "./pod-view.ts";

export interface MemoryUsage {
  readonly bytesMax: number;
  readonly reference: EvidenceReference;
}

/** The names under which the memory that counts against the limit is measured. */
const names =
  /^(?:container[._]memory(?:[._](?:usage|working_set|working[._]set[._]bytes|usage_bytes|working_set_bytes))?|k8s\.(?:pod|container)\.memory\.(?:usage|working_set)|pod\.memory)$/;

/** The largest value of a container; that of the whole pod counts where it has one container only. */
export function memoryUsage(
  snapshot: Snapshot,
  pod: PodView,
  container: string,
): MemoryUsage | undefined {
  let best: MemoryUsage | undefined;
  for (const { id, content } of evidenceOfKind(snapshot, "metrics")) {
    for (const { name, labels, values } of content.series) {
      if (!names.test(name)) continue;
      const of = labels["pod"] ?? labels["pod_name"] ?? labels["k8s.pod.name"];
      const within = labels["namespace"] ?? labels["k8s.namespace.name"] ?? pod.namespace;
      if (of !== pod.name || within !== pod.namespace) continue;
      const measured =
        labels["container"] ?? labels["container_name"] ?? labels["k8s.container.name"];
      if (measured === undefined ? pod.containers.length > 1 : measured !== container) continue;
      const bytesMax = values.reduce((most, value) => Math.max(most, value), 0);
      if (best === undefined || bytesMax > best.bytesMax) {
        best = {
          bytesMax,
          reference: { evidenceId: id, locator: name, quote: `${name} ${bytesMax}` },
        };
      }
    }
  }
  return best;
}
