/** Operators that take elements from where whole numbers say. */

import { type Shape, shapeWords } from "./dimensions.ts";
import {
  assumed,
  dimensionIn,
  fault,
  fits,
  type Inferred,
  type OperatorView,
  unknown,
} from "./operator-view.ts";

/** Looks rows up by whole numbers. Records give the table first or last; a layer has it as numbers. */
export function embedding(view: OperatorView): Inferred {
  const isFloat = (at: number): boolean => /^(?:b?float|half|double)/.test(view.dtypes[at] ?? "");
  const width = view.number("embeddingdim");
  const isLayer = width !== undefined && view.shapes.length === 1;
  if (isLayer ? isFloat(0) : isFloat(0) && isFloat(1)) {
    return fault("indices of a whole type (int64, int32)", `the indices are ${view.dtypes[0]}`);
  }
  const [first, second] = view.shapes;
  if (isLayer)
    return first === undefined ? unknown("the shape of the indices") : fits([...first, width]);
  if (isFloat(0) === isFloat(1)) return unknown("which input is the table");
  const [table, indices] = isFloat(0) ? [first, second] : [second, first];
  if (table !== undefined && table.length !== 2)
    return fault("a table of two dimensions", `the table is ${shapeWords(table)}`);
  return table === undefined || indices === undefined
    ? unknown("the shapes of the table and the indices")
    : fits([...indices, table[1] ?? null]);
}

/** Takes one element for each index, along a dimension. */
export function gather(view: OperatorView): Inferred {
  const [input, index] = view.shapes;
  const dim = view.number("dim");
  if (input === undefined || index === undefined || dim === undefined)
    return unknown("the shapes of the input and the index, and the dimension");
  const wrong = indexFault(view) ?? placesFault(view, { input, index, dim });
  return wrong ?? fits(index);
}

/** Puts elements to where indices say, along a dimension. */
export function scatter(view: OperatorView): Inferred {
  const [input, index, source] = view.shapes;
  const dim = view.number("dim");
  if (input === undefined || index === undefined || dim === undefined)
    return unknown("the shapes of the input and the index, and the dimension");
  const wrong = indexFault(view) ?? placesFault(view, { input, index, dim });
  if (wrong !== undefined) return wrong;
  // A number in place of a source has no dimensions.
  if (source !== undefined && source.length > 0 && index.length > 0) {
    const isIn =
      source.length === index.length &&
      index.every((length, at) => isAtMost(view, length, source[at]));
    if (!isIn && !isEmpty(view, index)) return fault("an index within the source", view.words());
  }
  return fits(input);
}

/** Takes whole slices along a dimension. */
export function indexSelect(view: OperatorView): Inferred {
  const [input, index] = view.shapes;
  const dim = view.number("dim");
  if (input === undefined || index === undefined || dim === undefined)
    return unknown("the shapes of the input and the index, and the dimension");
  const wrong = indexFault(view);
  if (wrong !== undefined) return wrong;
  if (index.length > 1) return fault("an index of one dimension", view.words());
  const at = dimensionIn(dim, input.length);
  if (at === undefined)
    return fault(`a dimension that ${shapeWords(input)} has`, `the dimension ${dim}`);
  return input.length === 0 ? fits(input) : fits(input.with(at, index[0] ?? 1));
}

/** ONNX's `Gather`: a whole slice for each index, whatever the dimensions of the index. */
export function gatherSlices(view: OperatorView): Inferred {
  const [input, index] = view.shapes;
  if (input === undefined || index === undefined)
    return unknown("the shapes of the input and the index");
  const given = view.number("axis");
  const at = dimensionIn(given ?? 0, input.length);
  const wrong = indexFault(view);
  if (wrong !== undefined) return wrong;
  if (at === undefined || input.length === 0)
    return fault(`a dimension that ${shapeWords(input)} has`, `the dimension ${given ?? 0}`);
  const taken = [...input.slice(0, at), ...index, ...input.slice(at + 1)];
  return given === undefined ? assumed(taken) : fits(taken);
}

function indexFault(view: OperatorView): Inferred | undefined {
  const dtype = view.dtypes[1];
  return dtype !== undefined && /^(?:b?float|half|double|bool)/.test(dtype)
    ? fault("indices of a whole type (int64)", `the indices are ${dtype}`)
    : undefined;
}

/** Indices have as many dimensions as the input, and are no longer than it but along their own. */
function placesFault(
  view: OperatorView,
  { input, index, dim }: { input: Shape; index: Shape; dim: number },
): Inferred | undefined {
  if (isEmpty(view, index)) return undefined;
  const at = dimensionIn(dim, input.length);
  if (at === undefined)
    return fault(`a dimension that ${shapeWords(input)} has`, `the dimension ${dim}`);
  if (Math.max(1, input.length) !== Math.max(1, index.length))
    return fault("an index of as many dimensions as the input", view.words());
  const isWithin = index.every(
    (length, place) => place === at || input.length === 0 || isAtMost(view, length, input[place]),
  );
  return isWithin
    ? undefined
    : fault(`an index within the input but for dimension ${at}`, view.words());
}

function isEmpty(view: OperatorView, shape: Shape): boolean {
  return shape.some((length) => view.dimensions.resolve(length) === 0);
}

function isAtMost(
  view: OperatorView,
  length: Shape[number],
  bound: Shape[number] | undefined,
): boolean {
  const [one, other] = [view.dimensions.resolve(length), view.dimensions.resolve(bound)];
  return typeof one !== "number" || typeof other !== "number" || one <= other;
}
