/** What the parts of the contract on rollouts share. */

import type { Objects } from "../kubernetes/objects.ts";
import type { Snapshot } from "../model/snapshot.ts";
import type { PodView } from "./pod-view.ts";

export interface RolloutContext {
  readonly snapshot: Snapshot;
  readonly objects: Objects;
  readonly pods: readonly PodView[];
  readonly options: { readonly settleSecondsMax: number };
}

/** `Deployment shop/web`, at the beginning of a sentence. */
export function titled(kind: string, name: string): string {
  return `${kind.charAt(0).toUpperCase()}${kind.slice(1)} ${name}`;
}
