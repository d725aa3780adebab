/** Operators that join, cut and turn tensors without changing their values, and lookups. */

import type { Dimension } from "../model/operators.ts";
import { type Shape, shapeWords } from "./dimensions.ts";
import {
  fault,
  fits,
  indexIn,
  type Inferred,
  type OperatorView,
  unknown,
} from "./operator-view.ts";

/** Joins along a dimension that they have. */
export function concatenate(view: OperatorView): Inferred {
  const shapes = view.shapes.filter((shape) => shape !== undefined);
  const [first] = shapes;
  if (first === undefined || shapes.length < view.shapes.length)
    return unknown("the shapes of all inputs");
  const axis = indexIn(view.number("dim axis") ?? 0, first.length);
  if (axis === undefined) return fault("a dimension that the inputs have", view.words());
  const joined: Dimension[] = [...first];
  for (const shape of shapes.slice(1)) {
    if (shape.length !== first.length)
      return fault("inputs of one number of dimensions", view.words());
    for (const [index, length] of shape.entries()) {
      if (index !== axis && !view.dimensions.unify(joined[index], length))
        return fault(`inputs that are equal but for dimension ${axis}`, view.words());
    }
    const [sum, more] = [
      view.dimensions.resolve(joined[axis]),
      view.dimensions.resolve(shape[axis]),
    ];
    joined[axis] = typeof sum === "number" && typeof more === "number" ? sum + more : null;
  }
  return fits(joined);
}

/** Joins along a new dimension. */
export function stack(view: OperatorView): Inferred {
  const shapes = view.shapes.filter((shape) => shape !== undefined);
  const [first] = shapes;
  if (first === undefined || shapes.length < view.shapes.length)
    return unknown("the shapes of all inputs");
  const isEqual = shapes.every(
    (shape) =>
      shape.length === first.length &&
      shape.every((length, index) => view.dimensions.unify(first[index], length)),
  );
  if (!isEqual) return fault("inputs of one shape", view.words());
  const axis = indexIn(view.number("dim axis") ?? 0, first.length + 1);
  return axis === undefined
    ? fault("a dimension that the output has", view.words())
    : fits(first.toSpliced(axis, 0, shapes.length));
}

/** Gives the elements another shape, in which one length may be left to be found. */
export function reshape(view: OperatorView): Inferred {
  const [input] = view.shapes;
  const wanted = view.numbers("shape size newshape sizes dims");
  if (input === undefined || wanted === undefined)
    return unknown("the shape of the input and the one that is asked for");
  const open = wanted.filter((length) => length === -1).length;
  if (open > 1 || wanted.some((length) => length < -1))
    return fault("at most one length of -1", `asked for [${wanted.join(", ")}]`);
  // In ONNX a 0 keeps the length of the input.
  if (wanted.includes(0)) return unknown("what a length of 0 means here");
  const count = view.dimensions.product(input);
  const rest = wanted
    .filter((length) => length !== -1)
    .reduce((product, length) => product * length, 1);
  if (count === null) return fits(wanted.map((length) => (length === -1 ? null : length)));
  const isWhole = open === 1 ? count % rest === 0 : count === rest;
  if (!isWhole) {
    return fault(
      `a shape of ${count} elements`,
      `${shapeWords(input)} has ${count} elements, [${wanted.join(", ")}] ${open === 1 ? `takes a multiple of ${rest}` : `has ${rest}`}`,
    );
  }
  return fits(wanted.map((length) => (length === -1 ? count / rest : length)));
}

/** Flattens dimensions into one. */
export function flatten(view: OperatorView): Inferred {
  const [input] = view.shapes;
  if (input === undefined) return unknown("the shape of the input");
  if (/(?:^|:)Flatten$/.test(view.operator.operator) && view.has("axis"))
    return unknown("the axis of ONNX");
  const isLayer = /(?:^|\.)Flatten$/.test(view.operator.operator);
  const start = indexIn(view.number("startdim") ?? (isLayer ? 1 : 0), input.length);
  const end = indexIn(view.number("enddim") ?? -1, input.length);
  if (start === undefined || end === undefined || start > end)
    return fault("dimensions that the input has", `the input is ${shapeWords(input)}`);
  const product = view.dimensions.product(input.slice(start, end + 1));
  return fits([...input.slice(0, start), product, ...input.slice(end + 1)]);
}

/** Puts all dimensions, or two of them, in another order. */
export function permute(view: OperatorView): Inferred {
  const [input] = view.shapes;
  if (input === undefined) return unknown("the shape of the input");
  const [one, other] = [view.number("dim0"), view.number("dim1")];
  if (one !== undefined && other !== undefined) return swapped(input, one, other);
  const order = view.numbers("dims perm axes dim");
  if (order === undefined) return unknown("the order of the dimensions");
  const indices = order.map((dimension) => indexIn(dimension, input.length));
  const isWhole =
    indices.length === input.length &&
    !indices.includes(undefined) &&
    new Set(indices).size === input.length;
  return isWhole
    ? fits(indices.map((index) => input[index ?? 0] ?? null))
    : fault(
        `an order of ${input.length} dimensions`,
        `the input is ${shapeWords(input)}, the order [${order.join(", ")}]`,
      );
}

function swapped(input: Shape, one: number, other: number): Inferred {
  const [a, b] = [indexIn(one, input.length), indexIn(other, input.length)];
  if (a === undefined || b === undefined)
    return fault(
      `dimensions from ${-input.length} to ${input.length - 1}`,
      `the input is ${shapeWords(input)}, the dimensions ${one} and ${other}`,
    );
  return fits(input.with(a, input[b] ?? null).with(b, input[a] ?? null));
}

/** Drops dimensions of length 1. */
export function squeeze(view: OperatorView): Inferred {
  const [input] = view.shapes;
  if (input === undefined) return unknown("the shape of the input");
  const lengths = input.map((length) => view.dimensions.resolve(length));
  if (!view.has("dim dims axis axes")) {
    return lengths.every((length) => typeof length === "number")
      ? fits(input.filter((_length, index) => lengths[index] !== 1))
      : unknown("which lengths are 1");
  }
  const given = view.numbers("dim dims axis axes") ?? [];
  const indices = given.map((dimension) => indexIn(dimension, input.length));
  if (indices.includes(undefined))
    return fault(
      `dimensions from ${-input.length} to ${input.length - 1}`,
      `the input is ${shapeWords(input)}, the dimensions ${given.join(", ")}`,
    );
  if (indices.some((index) => typeof lengths[index ?? 0] !== "number"))
    return unknown("which lengths are 1");
  return fits(input.filter((_length, index) => !indices.includes(index) || lengths[index] !== 1));
}

/** Adds a dimension of length 1. */
export function unsqueeze(view: OperatorView): Inferred {
  const [input] = view.shapes;
  const given = view.number("dim axis");
  if (input === undefined || given === undefined)
    return unknown("the shape of the input and the dimension");
  const index = indexIn(given, input.length + 1);
  return index === undefined
    ? fault(
        `a dimension from ${-input.length - 1} to ${input.length}`,
        `the input is ${shapeWords(input)}, the dimension ${given}`,
      )
    : fits(input.toSpliced(index, 0, 1));
}

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
  return table === undefined || indices === undefined
    ? unknown("the shapes of the table and the indices")
    : fits([...indices, table[1] ?? null]);
}
