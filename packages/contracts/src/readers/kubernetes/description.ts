/** One description of `kubectl describe`, and how the kinds are told apart. */

import type { KubernetesObject } from "../../model/evidence.ts";
import type { DescribedField } from "./describe-fields.ts";

export interface Description {
  readonly fields: readonly DescribedField[];
  /** The lines behind the fields, for what is no field. */
  readonly lines: readonly string[];
  /** Kinds without a namespace leave it out. */
  readonly metadata: { readonly name: string; readonly namespace: string };
}

/** Reads the descriptions of one kind. */
export interface DescriptionReader {
  readonly kind: string;
  /** All of these must be there, for it to be this kind. */
  readonly fields: readonly string[];
  read(description: Description): KubernetesObject[];
}
