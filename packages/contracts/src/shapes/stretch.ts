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

/** An operator that takes its inputs element by element. */
export function elementwise(view: OperatorView): Inferred {
  const known = view.shapes.filter((shape) => shape !== undefined);
  if (known.length < view.shapes.length || known.length === 0)
    return unknown("the shapes of all inputs");
  const joined = stretchAll(view.dimensions, known);
  return joined === undefined
    ? fault("shapes that are equal from the end, or 1", view.words())
    : fits(joined);
}

/** An operator whose output has the shape of its first input. */
export function sameAsInput(view: OperatorView): Inferred {
  const [input] = view.shapes;
  return input === undefined ? unknown("the shape of the input") : fits(input);
}
