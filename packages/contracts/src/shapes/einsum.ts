/** Sums of products by an equation of subscripts. */

import type { Dimension } from "../model/operators.ts";
import { type Shape, shapeWords } from "./dimensions.ts";
import { fault, fits, type Inferred, type OperatorView, unknown } from "./operator-view.ts";

/** Every subscript has one length, 1 aside; the output has the subscripts behind the arrow. */
export function einsum(view: OperatorView): Inferred {
  const equation = view.text("equation subscripts")?.replaceAll(/\s/g, "");
  const shapes = view.shapes.filter((shape) => shape !== undefined);
  if (equation === undefined || shapes.length < view.shapes.length)
    return unknown("the equation and the shapes of all inputs");
  // What the dots stand for is left to the record.
  if (!/^[A-Za-z]*(?:,[A-Za-z]*)*(?:->[A-Za-z]*)?$/.test(equation))
    return unknown("the rule of its equation");
  const [given = "", output] = equation.split("->");
  const terms = given.split(",");
  if (terms.length !== shapes.length)
    return fault(`${terms.length} inputs for ${equation}`, `${shapes.length} inputs`);
  const lengths = new Map<string, Dimension>();
  for (const [index, term] of terms.entries()) {
    const wrong = bindTerm(view, { term, shape: shapes[index] ?? [], lengths });
    if (wrong !== undefined) return wrong;
  }
  const subscripts = output ?? impliedOutput(given);
  const missing = subscripts.split("").find((subscript) => !lengths.has(subscript));
  if (missing !== undefined)
    return fault("an output of subscripts that the inputs have", `${missing} in ${equation}`);
  return fits(subscripts.split("").map((subscript) => lengths.get(subscript) ?? null));
}

function bindTerm(
  view: OperatorView,
  { term, shape, lengths }: { term: string; shape: Shape; lengths: Map<string, Dimension> },
): Inferred | undefined {
  if (term.length !== shape.length) {
    return fault(
      `an input of ${term.length} dimensions for ${term}`,
      `the input is ${shapeWords(shape)}`,
    );
  }
  const own = new Map<string, Dimension>();
  for (const [index, subscript] of term.split("").entries()) {
    const length = shape[index] ?? null;
    const before = own.get(subscript);
    if (before !== undefined && !view.dimensions.unify(before, length))
      return fault(`one length for ${subscript}`, `the input is ${shapeWords(shape)} for ${term}`);
    own.set(subscript, length);
    const known = lengths.get(subscript);
    const joined = known === undefined ? length : view.dimensions.stretch(known, length);
    if (joined === undefined) {
      return fault(
        `one length for ${subscript}`,
        `${view.dimensions.resolve(known)} and ${view.dimensions.resolve(length)}`,
      );
    }
    lengths.set(subscript, joined);
  }
  return undefined;
}

/** Without an arrow: the subscripts that stand once, in the order of the alphabet, capitals first. */
function impliedOutput(given: string): string {
  const letters = given.replaceAll(",", "").split("");
  return letters
    .filter((letter) => letters.indexOf(letter) === letters.lastIndexOf(letter))
    .toSorted((left, right) => (left < right ? -1 : 1))
    .join("");
}
