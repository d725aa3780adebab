/** Statuses that tools write into manifests before any cluster has seen them. */

import type { KubernetesObject } from "../model/evidence.ts";
import { isFields } from "../model/fields.ts";
import { isPresentAt } from "./fields.ts";

/** Deeper than any status that a tool leaves empty. */
const depthMax = 6;

/**
 * The object without its status where that tells nothing: `kubectl create --dry-run` and what generates manifests from
 * types write `status: {}` or a row of zeros, which is no record of pods that are not ready.
 */
export function withoutEmptyStatus(object: KubernetesObject): KubernetesObject {
  if (!isPresentAt(object, "status") || isSeen(object)) return object;
  const { status, ...rest } = object;
  return isBlank(status, 0) ? rest : object;
}

/** What only a cluster writes. */
function isSeen(object: KubernetesObject): boolean {
  return ["uid", "creationTimestamp", "resourceVersion"].some((field) =>
    isPresentAt(object, "metadata", field),
  );
}

function isBlank(value: unknown, depth: number): boolean {
  if (value === null || value === 0 || value === "" || value === false) return true;
  if (depth > depthMax) return false;
  if (Array.isArray(value)) return value.every((item) => isBlank(item, depth + 1));
  return isFields(value) && Object.values(value).every((item) => isBlank(item, depth + 1));
}
