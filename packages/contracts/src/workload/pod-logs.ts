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
      if (lines.length === 0) return [];
      if (about === undefined) return linesOfPod(id, lines, { pod, container });
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

/** Records of a collector name their pod in their attributes. */
function linesOfPod(
  evidenceId: EvidenceId,
  lines: LogsContent["lines"],
  { pod, container }: { readonly pod: { name: string }; readonly container: string | undefined },
): ContainerLog[] {
  const ours = lines.filter(({ attributes }) => {
    if (attributes?.["k8s.pod.name"] !== pod.name) return false;
    const of = attributes["k8s.container.name"];
    return container === undefined || of === undefined || of === container;
  });
  return ours.length === 0 ? [] : [{ evidenceId, container, isPrevious: false, lines: ours }];
}

/** Logs that name no container: where a single workload fails, they are taken to be its own. */
export function namelessLogs(snapshot: Snapshot): ContainerLog[] {
  return evidenceOfKind(snapshot, "logs").flatMap(({ id, content }): ContainerLog[] => {
    const { about, lines } = content;
    const isNamed =
      about !== undefined ||
      lines.length === 0 ||
      lines.some(
        ({ attributes, service }) =>
          service !== undefined || attributes?.["k8s.pod.name"] !== undefined,
      );
    return isNamed ? [] : [{ evidenceId: id, container: undefined, isPrevious: false, lines }];
  });
}
