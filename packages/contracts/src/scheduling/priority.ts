/** Priorities of pods: what the pod says, what its priority class says, or the default class. */

import type { Fields } from "../model/fields.ts";
import { integerAt, isTrueAt, textAt } from "../kubernetes/fields.ts";
import type { Source } from "../kubernetes/objects.ts";

/** How important a pod is, and whether it may push others out. */
export interface Priority {
  readonly value: number;
  /** `Never` keeps a pod from pushing out others. */
  readonly policy: "PreemptLowerPriority" | "Never";
}

/** Classes that every cluster has. */
const builtIn: Readonly<Record<string, number>> = {
  "system-cluster-critical": 2_000_000_000,
  "system-node-critical": 2_000_001_000,
};

/** The priority classes of a cluster. */
export class PriorityClasses {
  readonly #byName = new Map<string, Source>();
  readonly #default: Source | undefined;

  constructor(sources: readonly Source[]) {
    for (const source of sources) this.#byName.set(source.object.metadata.name, source);
    // Of several default classes the one with the lowest value counts.
    this.#default = sources
      .filter(({ object }) => isTrueAt(object, "globalDefault"))
      .toSorted((left, right) => valueOf(left) - valueOf(right))[0];
  }

  /** The priority of a pod's specification, as admission would fill it in. */
  of(spec: Fields): Priority {
    const name = textAt(spec, "priorityClassName") || undefined;
    const source = name === undefined ? this.#default : this.#byName.get(name);
    const policy = textAt(spec, "preemptionPolicy") ?? textAt(source?.object, "preemptionPolicy");
    const byClass = source === undefined ? builtIn[name ?? ""] : valueOf(source);
    return {
      value: integerAt(spec, "priority") ?? byClass ?? 0,
      policy: policy === "Never" ? "Never" : "PreemptLowerPriority",
    };
  }
}

function valueOf({ object }: Source): number {
  return integerAt(object, "value") ?? 0;
}

/** For pods whose cluster has no priority classes. */
export const noPriorityClasses = new PriorityClasses([]);
