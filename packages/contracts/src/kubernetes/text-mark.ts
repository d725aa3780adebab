/** What the text for people that an object was read from cannot tell. */

import type { KubernetesObject } from "../model/evidence.ts";
import { textMarkField } from "../readers/kubernetes/limits.ts";
import { textAt, textListAt } from "./fields.ts";

const everythingKnown: readonly string[] = Object.freeze([]);

/** The paths of fields that are unknown, not empty. Nothing for an object of the API. */
export function unknownFields(object: KubernetesObject): readonly string[] {
  return Object.hasOwn(object, textMarkField)
    ? textListAt(object, textMarkField, "unknown")
    : everythingKnown;
}

/** The command whose text the object was read from, or nothing for an object of the API. */
export function readFrom(object: KubernetesObject): string | undefined {
  return textAt(object, textMarkField, "readFrom");
}
