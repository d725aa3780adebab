/** What a name that does not exist was probably meant to be. */

import { fieldsAt, isPresentAt } from "../kubernetes/fields.ts";
import type { Objects, Source } from "../kubernetes/objects.ts";
import { unknownFields } from "../kubernetes/text-mark.ts";
import { nearestName } from "../text/nearest-name.ts";

interface Named {
  readonly kind: string;
  readonly name: string;
}

/** Names that are compared with others in one snapshot: a hint is a courtesy, and the comparing takes time. */
const hintCountMax = 500;

/** What objects are called, gathered once for a snapshot. */
interface NameIndex {
  /** The names of a kind in a namespace. */
  readonly names: ReadonlyMap<string, readonly string[]>;
  /** The namespaces that have an object of a kind and name. */
  readonly namespaces: ReadonlyMap<string, readonly string[]>;
  readonly hints: Map<string, string | undefined>;
}

/** A memory and no state: the same objects always have the same names. */
const indexByObjects = new WeakMap<Objects, Map<string, NameIndex>>();

function indexOf(kind: string, objects: Objects): NameIndex {
  const byKind = indexByObjects.get(objects) ?? new Map<string, NameIndex>();
  indexByObjects.set(objects, byKind);
  const known = byKind.get(kind);
  if (known !== undefined) return known;
  const all = objects.of(kind).map(({ object: { metadata } }) => ({
    namespace: metadata.namespace ?? "default",
    name: metadata.name,
  }));
  const texts = (
    by: "namespace" | "name",
    what: "namespace" | "name",
  ): ReadonlyMap<string, readonly string[]> =>
    new Map(
      [...Map.groupBy(all, (item) => item[by])].map(([key, items]) => [
        key,
        items.map((item) => item[what]),
      ]),
    );
  const index: NameIndex = {
    names: texts("namespace", "name"),
    namespaces: texts("name", "namespace"),
    hints: new Map(),
  };
  byKind.set(kind, index);
  return index;
}

/** The most similar name of the kind in the namespace. */
export function nearHint(
  { kind, name }: Named,
  namespace: string,
  objects: Objects,
): string | undefined {
  const { names, hints } = indexOf(kind, objects);
  const key = `${namespace}/${name}`;
  if (hints.has(key)) return hints.get(key);
  if (hints.size >= hintCountMax) return undefined;
  const near = nearestName(name, names.get(namespace) ?? []);
  hints.set(key, near);
  return near;
}

/** Another namespace that has an object of that name. */
export function otherNamespaceOf(
  { kind, name }: Named,
  namespace: string,
  objects: Objects,
): string | undefined {
  const { namespaces } = indexOf(kind, objects);
  return namespaces.get(name)?.find((other) => other !== namespace);
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
  const keys = ["data", "stringData", "binaryData"].flatMap((field) =>
    Object.keys(fieldsAt(object, field)),
  );
  // A manifest without any is a place for what is filled in elsewhere; a cluster leaves an empty field out.
  return keys.length === 0 ? undefined : keys;
}
