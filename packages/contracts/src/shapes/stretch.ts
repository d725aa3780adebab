/** Broadcasting: shapes are aligned at their ends, and a length of 1 stretches. */

import type { Dimension } from "../model/operators.ts";
import type { Dimensions, Shape } from "./dimensions.ts";
import { fault, fits, type Inferred, type OperatorView, unknown } from "./operator-view.ts";

/** The shape to which all are stretched, or nothing where two do not fit. */
export function stretchAll(dimensions: Dimensions, shapes: readonly Shape[]): Shape | undefined {
  let joined: Shape = [];
  for (const shape of shapes) {
    const count = Math.max(joined.length, shape.length);
    const next: Dimension[] = [];
    for (let index = 0; index < count; index += 1) {
      const at = index - count;
      const length = dimensions.stretch(
        joined.length + at < 0 ? 1 : joined.at(at),
        shape.length + at < 0 ? 1 : shape.at(at),
      );
      if (length === undefined) return undefined;
      next.push(length);
    }
    joined = next;
  }
  return joined;
}

/** Names that end so change their first input, which therefore keeps its shape. */
const inPlace = /[a-z]_(?:\.\w+)?$/;

/** An operator that takes its inputs element by element. */
export function elementwise(view: OperatorView): Inferred {
  const known = view.shapes.filter((shape) => shape !== undefined);
  if (known.length < view.shapes.length || known.length === 0)
    return unknown("the shapes of all inputs");
  const joined = stretchAll(view.dimensions, known);
  if (joined === undefined) return fault("shapes that are equal from the end, or 1", view.words());
  const [first] = known;
  if (first === undefined || !inPlace.test(view.operator.operator)) return fits(joined);
  const keepsShape =
    joined.length === first.length &&
    joined.every((length, index) => {
      const [one, other] = [view.dimensions.resolve(length), view.dimensions.resolve(first[index])];
      return typeof one !== "number" || typeof other !== "number" || one === other;
    });
  return keepsShape
    ? fits(first)
    : fault("inputs that stretch to the shape of the first, which it changes", view.words());
}

/** A choice by a condition between two others. */
export function choice(view: OperatorView): Inferred {
  const [dtype] = view.dtypes;
  const isFloat = dtype !== undefined && /^(?:b?float|half|double|complex)/.test(dtype);
  if (isFloat && view.shapes.length === 3 && !/numpy|jax/i.test(view.framework))
    return fault("a condition of type bool", `the condition is ${dtype}`);
  return elementwise(view);
}

/** An operator whose output has the shape of its first input. */
export function sameAsInput(view: OperatorView): Inferred {
  const [input] = view.shapes;
  return input === undefined ? unknown("the shape of the input") : fits(input);
}
