/** What a name that does not exist was probably meant to be. */

import { fieldsAt, isPresentAt } from "../kubernetes/fields.ts";
import type { Objects, Source } from "../kubernetes/objects.ts";
import { unknownFields } from "../kubernetes/text-mark.ts";
import { nearestName } from "../text/nearest-name.ts";

interface Named {
  readonly kind: string;
  readonly name: string;
}

/** The most similar name of the kind in the namespace. */
export function nearHint(
  { kind, name }: Named,
  namespace: string,
  objects: Objects,
): string | undefined {
  const names = objects
    .of(kind)
    .filter(({ object }) => (object.metadata.namespace ?? "default") === namespace)
    .map(({ object }) => object.metadata.name);
  return nearestName(name, names);
}

/** Another namespace that has an object of that name. */
export function otherNamespaceOf(
  { kind, name }: Named,
  namespace: string,
  objects: Objects,
): string | undefined {
  return objects
    .of(kind)
    .map(({ object }) => object)
    .find(
      ({ metadata }) => metadata.name === name && (metadata.namespace ?? "default") !== namespace,
    )?.metadata.namespace;
}

/** The keys of a config map or secret; nothing where the text that it was read from does not print them. */
export function keysOf({ object }: Source): string[] | undefined {
  const unknown = unknownFields(object);
  if (unknown.includes("data")) return undefined;
  if (
    !isPresentAt(object, "data") &&
    !isPresentAt(object, "stringData") &&
    !isPresentAt(object, "binaryData")
  ) {
    return undefined;
  }
  return ["data", "stringData", "binaryData"].flatMap((field) =>
    Object.keys(fieldsAt(object, field)),
  );
}
