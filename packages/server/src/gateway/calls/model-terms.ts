/** Which models the terms of a key admit. */

import { admitsName, PlatformError } from "@faultline/protocol";

import type { SnapshotKey } from "../snapshot.ts";

interface NamedModel {
  /** `provider/model`. */
  readonly id: string;
  readonly name: string;
}

/** Whether a key may call a model, by either of its names. */
export function admitsModel({ terms }: SnapshotKey, { id, name }: NamedModel): boolean {
  return admitsName(terms.models, id) || admitsName(terms.models, name);
}

/** Throws `permission_denied` when a key may not call the model. */
export function requireModel(key: SnapshotKey, model: NamedModel): void {
  if (!admitsModel(key, model)) throw foreignModel(key, model);
}

/** The error of a model that a key may not call, by its own name or through a bundle. */
export function foreignModel(key: SnapshotKey, model: NamedModel): PlatformError {
  return new PlatformError(
    "permission_denied",
    `The key \`${key.name}\` may not call the model "${model.id}".`,
    {
      where: "/model",
      hint: `It may call ${key.terms.models?.join(", ") || "no model"}.`,
    },
  );
}
