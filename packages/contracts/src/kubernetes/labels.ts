/** The labels of objects, once for all objects that have the same: the pods of a workload do. */

import type { Fields } from "../model/fields.ts";
import { fieldsAt, textsAt } from "./fields.ts";

/** A memory and no state: readers keep equal labels once, and the same fields always have the same texts. */
const known = new WeakMap<Fields, ReadonlyMap<string, string>>();

/** The labels of an object; none is no labels. */
export function labelsOf(object: Fields): ReadonlyMap<string, string> {
  const fields = fieldsAt(object, "metadata", "labels");
  const labels = known.get(fields) ?? textsAt(fields);
  known.set(fields, labels);
  return labels;
}
