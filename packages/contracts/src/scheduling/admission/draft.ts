/** A pod as admission sees it: what each container asks for, before and after defaults. */

import type { Fields } from "../../model/fields.ts";
import { fieldsAt, integerAt, isPresentAt, listAt, textAt } from "../../kubernetes/fields.ts";
import { addTo, type Amounts, combine, readList } from "../requests.ts";

/** Requests or limits, of a container or of a pod. */
export type Side = "requests" | "limits";

export interface DraftContainer {
  readonly name: string;
  readonly isInit: boolean;
  readonly isSidecar: boolean;
  readonly requests: Amounts;
  readonly limits: Amounts;
}

/** A pod that asks to be made. */
export interface Draft {
  readonly containers: readonly DraftContainer[];
  /** What the pod as a whole states. */
  readonly requests: Amounts;
  readonly limits: Amounts;
  readonly overhead: Amounts;
  readonly priorityClassName: string | undefined;
  /** Whether the pod has a deadline, after which it is stopped. */
  readonly hasDeadline: boolean;
  /** Whether the pod's affinity looks at other namespaces. */
  readonly looksAcrossNamespaces: boolean;
  /** Quantities that cannot be read, each with its place. */
  readonly unreadable: readonly string[];
}

/** The draft of a pod's specification. */
export function readDraft(spec: Fields): Draft {
  const unreadable: string[] = [];
  const container = (item: unknown, place: string, isInit: boolean): DraftContainer => {
    const amounts = (side: Side): Map<string, bigint> =>
      readList(fieldsAt(item, "resources", side), `${place}.resources.${side}`, unreadable);
    const limits = amounts("limits");
    return {
      name: textAt(item, "name") ?? "",
      isInit,
      isSidecar: isInit && textAt(item, "restartPolicy") === "Always",
      // The API server takes a limit for the request that is absent.
      requests: new Map([...limits, ...amounts("requests")]),
      limits,
    };
  };
  const ofPod = (side: Side): Map<string, bigint> =>
    readList(fieldsAt(spec, "resources", side), `spec.resources.${side}`, unreadable);
  return {
    containers: [
      ...listAt(spec, "initContainers").map((item, index) =>
        container(item, `spec.initContainers[${index}]`, true),
      ),
      ...listAt(spec, "containers").map((item, index) =>
        container(item, `spec.containers[${index}]`, false),
      ),
    ],
    requests: ofPod("requests"),
    limits: ofPod("limits"),
    overhead: readList(fieldsAt(spec, "overhead"), "spec.overhead", unreadable),
    priorityClassName: textAt(spec, "priorityClassName") || undefined,
    hasDeadline: integerAt(spec, "activeDeadlineSeconds") !== undefined,
    looksAcrossNamespaces: hasForeignTerm(spec),
    unreadable,
  };
}

/** What the pod asks for, or is limited to, as a whole. */
export function totalOf(draft: Draft, side: Side): Map<string, bigint> {
  const total = combine(
    draft.containers.map(({ isInit, isSidecar, [side]: amounts }) => ({
      amounts,
      isInit,
      isSidecar,
    })),
  );
  for (const [resource, amount] of draft[side]) total.set(resource, amount);
  // Overhead limits nothing that is not limited already.
  const overhead = [...draft.overhead].filter(
    ([resource]) => side === "requests" || total.has(resource),
  );
  addTo(total, new Map(overhead));
  return total;
}

function hasForeignTerm(spec: Fields): boolean {
  return ["podAffinity", "podAntiAffinity"].some((kind) => {
    const required = listAt(
      spec,
      "affinity",
      kind,
      "requiredDuringSchedulingIgnoredDuringExecution",
    );
    const preferred = listAt(
      spec,
      "affinity",
      kind,
      "preferredDuringSchedulingIgnoredDuringExecution",
    ).map((item) => fieldsAt(item, "podAffinityTerm"));
    return [...required, ...preferred].some(
      (term) => listAt(term, "namespaces").length > 0 || isPresentAt(term, "namespaceSelector"),
    );
  });
}
