/** Operators that join and turn tensors without changing their values. */

import type { Dimension } from "../model/operators.ts";
import { type Shape, shapeWords } from "./dimensions.ts";
import {
  assumed,
  dimensionIn,
  fault,
  fits,
  indexIn,
  type Inferred,
  type OperatorView,
  unknown,
} from "./operator-view.ts";

/** Joins along a dimension that they have. */
export function concatenate(view: OperatorView): Inferred {
  const known = view.shapes.filter((shape) => shape !== undefined);
  if (known.length === 0 || known.length < view.shapes.length)
    return unknown("the shapes of all inputs");
  // An empty list of numbers joins anything, as it did in the beginnings of PyTorch.
  const isEmptyList = (shape: Shape): boolean => shape.length === 1 && shape[0] === 0;
  const whole = known.filter((shape) => !isEmptyList(shape));
  const shapes = whole.length === 0 ? known : whole;
  const [first = []] = shapes;
  const given = view.number("dim axis");
  if (given === undefined) return joinedSomewhere(view, shapes);
  const axis = indexIn(given, first.length);
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

/** A join along a dimension that is not recorded: there must be one along which it is possible. */
function joinedSomewhere(view: OperatorView, shapes: readonly Shape[]): Inferred {
  const [first = []] = shapes;
  if (/numpy|jax/i.test(view.framework)) return unknown("the dimension that is joined");
  const differing = new Set<number>();
  for (const shape of shapes) {
    if (shape.length !== first.length)
      return fault("inputs of one number of dimensions", view.words());
    for (const [index, length] of shape.entries()) {
      const [one, other] = [view.dimensions.resolve(length), view.dimensions.resolve(first[index])];
      if (typeof one === "number" && typeof other === "number" && one !== other)
        differing.add(index);
    }
  }
  return differing.size > 1
    ? fault("inputs that are equal but for one dimension", view.words())
    : unknown("the dimension that is joined");
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
  const given = view.number("dim axis");
  const axis = indexIn(given ?? 0, first.length + 1);
  if (axis === undefined) return fault("a dimension that the output has", view.words());
  const joined = first.toSpliced(axis, 0, shapes.length);
  return given === undefined ? assumed(joined) : fits(joined);
}

/** Gives the elements another shape, in which one length may be left to be found. */
export function reshape(view: OperatorView): Inferred {
  const [input] = view.shapes;
  const lengths = view.lengths("shape size newshape targetshape sizes dims");
  if (input === undefined || lengths === undefined)
    return unknown("the shape of the input and the one that is asked for");
  const keeps = /onnx/i.test(view.framework) && lengths.includes(0) && !view.flag("allowzero");
  if (keeps) return reshapeThatKeeps(view, input, lengths);
  if (lengths.includes(null)) {
    // A length of 0 or below -1 may mean another thing.
    return fits(lengths.map((length) => (length === null || length < 1 ? null : length)));
  }
  const wanted = lengths.filter((length) => length !== null);
  const open = wanted.filter((length) => length === -1).length;
  // Some frameworks have words below -1 for lengths that are copied or split.
  if (wanted.some((length) => length < -1)) {
    return /torch|^aten|onnx/i.test(`${view.operator.operator} ${view.framework}`)
      ? fault("lengths from -1", `asked for [${wanted.join(", ")}]`)
      : unknown("what a length below -1 means here");
  }
  if (open > 1) return fault("at most one length of -1", `asked for [${wanted.join(", ")}]`);
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

/** In ONNX a 0 keeps the length that the input has at its place. */
function reshapeThatKeeps(
  view: OperatorView,
  input: Shape,
  lengths: readonly (number | null)[],
): Inferred {
  if (lengths.some((length, at) => length === 0 && at >= input.length))
    return fault("zeros where the input has a length", `asked for [${lengths.join(", ")}]`);
  const shape = lengths.map((length, at): Dimension =>
    length === 0 ? (input[at] ?? null) : length,
  );
  const kept = shape.map((length) => (typeof length === "number" && length < 0 ? null : length));
  const rest = view.dimensions.product(input.filter((_length, at) => lengths[at] !== 0));
  const told = lengths.filter((length) => length !== null && length > 0);
  const product = told.reduce<number>((sum, length) => sum * (length ?? 1), 1);
  const open = lengths.filter((length) => length === -1).length;
  if (rest === null || lengths.includes(null) || open > 1) return fits(kept);
  if (open === 0 ? product !== rest : rest % product !== 0)
    return fault(
      `a shape of ${rest} elements beside those that are kept`,
      `the input is ${shapeWords(input)}, asked for [${lengths.join(", ")}]`,
    );
  return fits(shape.map((length) => (length === -1 ? rest / product : length)));
}

/** Makes several dimensions of one. */
export function unflatten(view: OperatorView): Inferred {
  const [input] = view.shapes;
  const [dim, lengths] = [view.number("dim"), view.lengths("sizes unflattenedsize")];
  if (input === undefined || dim === undefined || lengths === undefined)
    return unknown("the shape of the input, the dimension and its lengths");
  const at = indexIn(dim, input.length);
  if (at === undefined)
    return fault("a dimension that the input has", `the input is ${shapeWords(input)}`);
  const length = view.dimensions.resolve(input[at]);
  const told = lengths.filter((item) => item !== null && item > 0);
  const product = told.reduce<number>((sum, item) => sum * (item ?? 1), 1);
  const open = lengths.length - told.length;
  const isFit =
    typeof length !== "number" ||
    (open === 0 ? product === length : open > 1 || length % product === 0);
  if (!isFit)
    return fault(
      `lengths whose product is ${String(length)}`,
      `the lengths are [${lengths.map((item) => item ?? "?").join(", ")}]`,
    );
  const rest = typeof length === "number" && open === 1 ? length / product : null;
  const made = lengths.map((item) => (item !== null && item > 0 ? item : rest));
  return fits(input.toSpliced(at, 1, ...made));
}

/** Flattens dimensions into one. */
export function flatten(view: OperatorView): Inferred {
  const [input] = view.shapes;
  if (input === undefined) return unknown("the shape of the input");
  if (/(?:^|:)Flatten$/.test(view.operator.operator) && view.has("axis"))
    return flattenedAround(view, input);
  const isLayer = /(?:^|\.)Flatten$/.test(view.operator.operator);
  const start = dimensionIn(view.number("startdim startaxis") ?? (isLayer ? 1 : 0), input.length);
  const end = dimensionIn(view.number("enddim endaxis stopaxis") ?? -1, input.length);
  if (start === undefined || end === undefined || start > end)
    return fault("dimensions that the input has", `the input is ${shapeWords(input)}`);
  const product = view.dimensions.product(input.slice(start, end + 1));
  const flat = [...input.slice(0, start), product, ...input.slice(end + 1)];
  return view.has("startdim startaxis") ? fits(flat) : assumed(flat);
}

/** ONNX makes two dimensions: those before the axis and those from it on. */
function flattenedAround(view: OperatorView, input: Shape): Inferred {
  const given = view.number("axis") ?? 1;
  const axis = indexIn(given < 0 ? given + input.length : given, input.length + 1);
  return axis === undefined
    ? unknown("the axis")
    : fits([
        view.dimensions.product(input.slice(0, axis)),
        view.dimensions.product(input.slice(axis)),
      ]);
}

/** Puts all dimensions, or two of them, in another order. */
export function permute(view: OperatorView): Inferred {
  const [input] = view.shapes;
  if (input === undefined) return unknown("the shape of the input");
  const [one, other] = [view.number("dim0 axis0 axis1"), view.number("dim1 axis1 axis2")];
  const hasPair = view.has("dim0 axis0") || view.has("axis2");
  if (hasPair && one !== undefined && other !== undefined) return swapped(input, one, other);
  const order = view.numbers("dims perm axes permutation dimensions");
  if (order === undefined) return unknown("the order of the dimensions");
  const [from, to] = order;
  const isPair = order.length === 2 && input.length > 2 && !/permute/i.test(view.operator.operator);
  if (isPair && from !== undefined && to !== undefined) return swapped(input, from, to);
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

/** Turns a matrix; what has fewer dimensions stays. */
export function turn(view: OperatorView): Inferred {
  const [input] = view.shapes;
  if (input === undefined) return unknown("the shape of the input");
  return input.length > 2
    ? fault("an input of at most 2 dimensions", `the input is ${shapeWords(input)}`)
    : fits(input.toReversed());
}

function swapped(input: Shape, one: number, other: number): Inferred {
  const [a, b] = [dimensionIn(one, input.length), dimensionIn(other, input.length)];
  if (a === undefined || b === undefined)
    return fault(
      `dimensions from ${-input.length} to ${input.length - 1}`,
      `the input is ${shapeWords(input)}, the dimensions ${one} and ${other}`,
    );
  if (input.length === 0) return fits(input);
  return fits(input.with(a, input[b] ?? null).with(b, input[a] ?? null));
}

/** Drops dimensions of length 1. */
export function squeeze(view: OperatorView): Inferred {
  const [input] = view.shapes;
  if (input === undefined) return unknown("the shape of the input");
  const lengths = input.map((length) => view.dimensions.resolve(length));
  if (!view.has("dim dims axis axes")) {
    return lengths.every((length) => typeof length === "number")
      ? assumed(input.filter((_length, index) => lengths[index] !== 1))
      : unknown("which lengths are 1");
  }
  const given = view.numbers("dim dims axis axes") ?? [];
  if (given.length === 0) return unknown("the dimensions");
  const indices = given.map((dimension) => dimensionIn(dimension, input.length));
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
  const axes = view.numbers("axes") ?? [];
  if (input !== undefined && axes.length > 0) return unsqueezedAll(view, input, axes);
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

/** ONNX adds several at once, counted in the output. */
function unsqueezedAll(view: OperatorView, input: Shape, axes: readonly number[]): Inferred {
  const count = input.length + axes.length;
  const indices = axes.map((axis) => indexIn(axis, count));
  if (indices.includes(undefined) || new Set(indices).size < axes.length)
    return fault(`dimensions of ${count}, each once`, `asked for [${axes.join(", ")}]`);
  const rest = [...input];
  return fits(
    Array.from({ length: count }, (_, index) =>
      indices.includes(index) ? 1 : view.dimensions.resolve(rest.shift()),
    ),
  );
}
