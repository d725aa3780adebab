/** Operators that take a part of a tensor along one dimension. */

import type { Dimension } from "../model/operators.ts";
import { type Shape, shapeWords } from "./dimensions.ts";
import {
  dimensionIn,
  fault,
  fits,
  type Inferred,
  type OperatorView,
  unknown,
} from "./operator-view.ts";

/** One place along a dimension, which is gone afterwards. */
export function select(view: OperatorView): Inferred {
  const along = placeOf(view);
  if ("kind" in along) return along;
  const { input, at, length } = along;
  const index = view.number("index");
  if (index !== undefined && length !== null && (index < -length || index >= length))
    return fault(
      `an index from ${-length} to ${length - 1}`,
      `the input is ${shapeWords(input)}, the index ${index} of dimension ${at}`,
    );
  return fits(input.toSpliced(at, 1));
}

/** Places from a start to an end along a dimension; what lies beyond the tensor is left out. */
export function slice(view: OperatorView): Inferred {
  const along = placeOf(view, 0);
  if ("kind" in along) return along;
  const { input, at, length } = along;
  const [start, end, step] = [view.number("start"), view.number("end"), view.number("step") ?? 1];
  // Other frameworks say it in other words, or by tensors.
  if (!view.has("start") && !view.has("end")) return unknown("the places that are taken");
  if (length === null || step < 1 || (view.has("start") && start === undefined))
    return fits(input.with(at, null));
  if (view.has("end") && end === undefined) return fits(input.with(at, null));
  const within = (place: number): number =>
    Math.min(length, Math.max(0, place < 0 ? place + length : place));
  const taken = Math.max(0, within(end ?? length) - within(start ?? 0));
  return fits(input.with(at, Math.ceil(taken / step)));
}

/** So many places from a start on, all of which have to be there. */
export function narrow(view: OperatorView): Inferred {
  const along = placeOf(view);
  if ("kind" in along) return along;
  const { input, at, length } = along;
  const [start, wanted] = [view.number("start"), view.number("length")];
  if (start === undefined || wanted === undefined) return unknown("the places that are taken");
  if (length !== null && start + wanted > length)
    return fault(
      `places within ${shapeWords(input)}`,
      `${wanted} from ${start} on along dimension ${at}`,
    );
  return fits(input.with(at, wanted));
}

/** Parts of as equal a length as can be. */
export function chunk(view: OperatorView): Inferred {
  const along = placeOf(view);
  if ("kind" in along) return along;
  const { input, at, length } = along;
  const count = view.number("chunks");
  if (count === undefined || count < 1 || length === null) return unknown("the number of parts");
  return pieces(input, at, { length, each: Math.max(1, Math.ceil(length / count)) });
}

/** Every place along a dimension for itself. */
export function unbind(view: OperatorView): Inferred {
  const along = placeOf(view);
  if ("kind" in along) return along;
  const { input, at, length } = along;
  if (length === null || length > partCountMax) return unknown("the number of parts");
  return fits(...Array.from({ length }, () => input.toSpliced(at, 1)));
}

/** The largest along a dimension, and where they were. */
export function largest(view: OperatorView): Inferred {
  const along = placeOf(view, -1);
  if ("kind" in along) return along;
  const { input, at, length } = along;
  const count = view.number("k");
  if (count === undefined) return unknown("how many are taken");
  if (length !== null && count > length)
    return fault(`at most ${length} places`, `the input is ${shapeWords(input)}, k is ${count}`);
  return fits(input.with(at, count), input.with(at, count));
}

/** The lengths of a tensor, as one of whole numbers. */
export function shapeOf(view: OperatorView): Inferred {
  const [input] = view.shapes;
  const isWhole = !view.has("start") && !view.has("end");
  return input === undefined || !isWhole ? unknown("the shape of the input") : fits([input.length]);
}

/** A tensor that is made of nothing but a size. */
export function made(view: OperatorView): Inferred {
  const size = view.numbers("size");
  return fits(size);
}

/** Parts that are named at most. */
const partCountMax = 1_024;

/** Parts of one length, of which the last may be shorter. */
export function pieces(
  input: Shape,
  at: number,
  { length, each }: { readonly length: number; readonly each: number },
): Inferred {
  const count = Math.max(1, Math.ceil(length / each));
  if (count > partCountMax) return unknown("the number of parts");
  return fits(
    ...Array.from({ length: count }, (_, index) =>
      input.with(at, Math.min(each, length - index * each)),
    ),
  );
}

interface Along {
  readonly input: Shape;
  readonly at: number;
  /** `null` where it is not known. */
  readonly length: number | null;
}

/** The dimension that an operator works along, or what is wrong with it. */
function placeOf(view: OperatorView, usual?: number): Along | Inferred {
  const [input] = view.shapes;
  const dim = view.number("dim axis") ?? usual;
  if (input === undefined || dim === undefined || view.shapes.length > 1)
    return unknown("the shape of the input and the dimension");
  const at = dimensionIn(dim, input.length);
  if (at === undefined || input.length === 0)
    return fault(`a dimension that ${shapeWords(input)} has`, `the dimension ${dim}`);
  const length: Dimension = view.dimensions.resolve(input[at]);
  return { input, at, length: typeof length === "number" ? length : null };
}
