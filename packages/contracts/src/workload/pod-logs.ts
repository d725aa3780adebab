/** What the containers of a pod wrote. */

import type { EvidenceId, LogsContent } from "../model/evidence.ts";
import { evidenceOfKind, type Snapshot } from "../model/snapshot.ts";
import type { PodView } from "./pod-view.ts";

/** One log, with the container that wrote it as far as that is known. */
export interface ContainerLog {
  readonly evidenceId: EvidenceId;
  readonly container: string | undefined;
  /** Written by the container before the present one. */
  readonly isPrevious: boolean;
  readonly lines: LogsContent["lines"];
}

/** The logs of a container of a pod: those of the container before it first, for they tell how it ended. */
export function logsOf(
  snapshot: Snapshot,
  pod: Pick<PodView, "namespace" | "name" | "ownerName">,
  container?: string,
): ContainerLog[] {
  return evidenceOfKind(snapshot, "logs")
    .flatMap(({ id, content }): ContainerLog[] => {
      const { about, lines } = content;
      if (lines.length === 0 || about === undefined) return [];
      if ((about.namespace ?? pod.namespace) !== pod.namespace) return [];
      // `kubectl logs deployment/web` names the workload, not the pod that it chose.
      if (about.pod !== pod.name && about.pod !== pod.ownerName) return [];
      const isOther =
        container !== undefined && about.container !== undefined && about.container !== container;
      if (isOther) return [];
      return [{ evidenceId: id, container: about.container, isPrevious: about.isPrevious, lines }];
    })
    .sort((left, right) => Number(right.isPrevious) - Number(left.isPrevious));
}
