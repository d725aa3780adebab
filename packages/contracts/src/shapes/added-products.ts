/** Products of vectors, and products of matrices to which something is added. */

import type { Shape } from "./dimensions.ts";
import { fault, fits, type Inferred, type OperatorView, unknown } from "./operator-view.ts";
import { turned } from "./products.ts";
import { stretchAll } from "./stretch.ts";

/** `addmm` and `baddbmm`: the first input stretches to the product of the others. */
export function addedProduct(view: OperatorView): Inferred {
  const [added, left, right] = view.shapes;
  if (added === undefined || left === undefined || right === undefined)
    return unknown("the shapes of all inputs");
  const count = /baddbmm/i.test(view.operator.operator) ? 3 : 2;
  if (left.length !== count || right.length !== count)
    return fault(`two factors of ${count} dimensions`, view.words());
  const isFit =
    view.dimensions.unify(left.at(-1), right.at(-2)) &&
    (count === 2 || view.dimensions.unify(left[0], right[0]));
  if (!isFit) return fault("factors that fit", view.words());
  const product = [...left.slice(0, -1), right.at(-1) ?? null];
  return stretchesTo(view, added, product)
    ? fits(product)
    : fault("a first input that stretches to the product", view.words());
}

/** ONNX's `Gemm`: two matrices, turned where an attribute says so, and what is added. */
export function generalProduct(view: OperatorView): Inferred {
  const [first, second, added] = view.shapes;
  if (first === undefined || second === undefined) return unknown("the shapes of both factors");
  if (first.length !== 2 || second.length !== 2)
    return fault("two factors of 2 dimensions", view.words());
  const left = view.flag("transa") ? turned(first) : first;
  const right = view.flag("transb") ? turned(second) : second;
  if (!view.dimensions.unify(left?.[1], right?.[0])) return fault("factors that fit", view.words());
  const product = [left?.[0] ?? null, right?.[1] ?? null];
  return added === undefined || stretchesTo(view, added, product)
    ? fits(product)
    : fault("a third input that stretches to the product", view.words());
}

/** The product of a matrix and a vector, or of two vectors. */
export function vectorProduct(view: OperatorView): Inferred {
  const [left, right] = view.shapes;
  if (left === undefined || right === undefined) return unknown("the shapes of both inputs");
  const [, kind = "mv"] = /(dot|outer|mv)(?:\.\w+)*$/i.exec(view.operator.operator) ?? [];
  const name = kind.toLowerCase();
  if (right.length !== 1 || left.length !== (name === "mv" ? 2 : 1)) {
    return fault(name === "mv" ? "a matrix and a vector" : "two vectors", view.words());
  }
  if (name === "outer") return fits([left[0] ?? null, right[0] ?? null]);
  if (!view.dimensions.unify(left.at(-1), right[0]))
    return fault("inputs of one length", view.words());
  return fits(name === "mv" ? [left[0] ?? null] : []);
}

function stretchesTo(view: OperatorView, shape: Shape, target: Shape): boolean {
  if (shape.length > target.length) return false;
  const lead = target.length - shape.length;
  const isWithin = shape.every((length, index) => {
    const [own, other] = [
      view.dimensions.resolve(length),
      view.dimensions.resolve(target[lead + index]),
    ];
    return typeof own !== "number" || typeof other !== "number" || own === 1 || own === other;
  });
  return isWithin && stretchAll(view.dimensions, [shape, target]) !== undefined;
}
