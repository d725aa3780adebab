/** Products of matrices and linear layers. */

import { type Shape, shapeWords } from "./dimensions.ts";
import { fault, fits, type Inferred, type OperatorView, unknown } from "./operator-view.ts";
import { stretchAll } from "./stretch.ts";

/** The product of two matrices, stacks of matrices or vectors. */
export function matrixProduct(view: OperatorView): Inferred {
  const [left, right] = operandsOf(view);
  if (left === undefined || right === undefined) return unknown("the shapes of both inputs");
  if (left.length === 0 || right.length === 0)
    return fault("inputs of at least one dimension", view.words());
  const wanted = /(?:^|[^a-z])(mm|bmm)_?(?:\.\w+)*$/i
    .exec(view.operator.operator)?.[1]
    ?.toLowerCase();
  const count = wanted === "mm" ? 2 : wanted === "bmm" ? 3 : undefined;
  if (count !== undefined && (left.length !== count || right.length !== count)) {
    return fault(`two inputs of ${count} dimensions`, view.words());
  }
  const [a, b] = [left.at(-1), right.length === 1 ? right[0] : right.at(-2)];
  if (!view.dimensions.unify(a, b)) {
    const words = `${view.words()}: ${view.dimensions.resolve(a)} and ${view.dimensions.resolve(b)}`;
    return fault(
      "the last dimension of the first input equal to the last but one of the second",
      words,
    );
  }
  const [batchLeft, batchRight] = [left.slice(0, -2), right.slice(0, -2)];
  const batch =
    wanted === "bmm"
      ? view.dimensions.unify(left[0], right[0])
        ? [left[0] ?? null]
        : undefined
      : stretchAll(view.dimensions, [batchLeft, batchRight]);
  if (batch === undefined) return fault("leading dimensions that fit", view.words());
  const rows = left.length > 1 ? [left.at(-2) ?? null] : [];
  const columns = right.length > 1 ? [right.at(-1) ?? null] : [];
  return fits([...batch, ...rows, ...columns]);
}

/** The two operands, turned where an attribute of other frameworks says so. */
function operandsOf(view: OperatorView): [Shape | undefined, Shape | undefined] {
  const [left, right] = view.shapes;
  return [
    view.flag("transposea transa adjx adja") ? turned(left) : left,
    view.flag("transposeb transb adjy adjb") ? turned(right) : right,
  ];
}

/** The last two dimensions in the other order. */
export function turned(shape: Shape | undefined): Shape | undefined {
  if (shape === undefined || shape.length < 2) return shape;
  return [...shape.slice(0, -2), shape.at(-1) ?? null, shape.at(-2) ?? null];
}

/** A linear layer: the weight is [out, in], as an input or as features. */
export function linear(view: OperatorView): Inferred {
  const [input, weight] = view.shapes;
  if (input === undefined) return unknown("the shape of the input");
  // A weight of one dimension is one output, which has no dimension of its own.
  const isVector = weight?.length === 1;
  const inside = (isVector ? weight[0] : weight?.[1]) ?? view.number("infeatures");
  const outside = isVector ? undefined : (weight?.[0] ?? view.number("outfeatures"));
  if (inside === undefined) return unknown("the shape of the weight");
  if (weight !== undefined && weight.length !== 2 && !isVector)
    return fault("a weight [out, in]", `the weight is ${shapeWords(weight)}`);
  if (input.length === 0 || !view.dimensions.unify(input.at(-1), inside)) {
    return fault(
      `an input whose last dimension is ${view.dimensions.resolve(inside)}`,
      `the input is ${shapeWords(input)}`,
    );
  }
  const bias = view.shapes[2];
  if (bias?.length === 1 && bias[0] !== 1 && !view.dimensions.unify(bias[0], outside)) {
    return fault(
      `a bias of ${view.dimensions.resolve(outside)}`,
      `the bias is ${shapeWords(bias)}`,
    );
  }
  return fits([...input.slice(0, -1), ...(isVector ? [] : [outside ?? null])]);
}
