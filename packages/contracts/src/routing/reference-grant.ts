/** Consent of a namespace to be referred to from another. */

import { listAt, textAt } from "../kubernetes/fields.ts";
import type { Objects } from "../kubernetes/objects.ts";

/** Whether a ReferenceGrant lets objects of a kind and namespace refer to an object. */
export function isGranted(
  from: { readonly kind: string; readonly namespace: string },
  to: { readonly kind: string; readonly namespace: string; readonly name: string },
  objects: Objects,
): boolean {
  return objects
    .of("ReferenceGrant")
    .filter(({ object }) => object.metadata.namespace === to.namespace)
    .some(
      ({ object }) =>
        listAt(object, "spec", "from").some(
          (item) =>
            textAt(item, "kind") === from.kind && textAt(item, "namespace") === from.namespace,
        ) &&
        listAt(object, "spec", "to").some((item) => {
          const name = textAt(item, "name");
          return textAt(item, "kind") === to.kind && (name === undefined || name === to.name);
        }),
    );
}
